"""What `docs/schemas/` describes is what `POST /mass-messages` and `POST /opt-outs` accept and answer."""

import json
from dataclasses import asdict
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from support import ingest_schemas, people
from support.ingest_schemas import validator
from support.mass_messages import DAY

from bot.mass_messages.opt_outs import register_opt_outs
from bot.mass_messages.payload import RowsRefused
from bot.mass_messages.register import register_message

NOW, NUMBER = people.NOW, "+13125550142"
register_one = partial(register_message, now=NOW, settle_after=DAY, region="US")
# A schema cannot say whether a number exists, whether a time is one, or whether another delivery has the same id.
BEYOND_THE_SCHEMA = (
    "phone.",
    "payload.not_a_time",
    "payload.no_time_zone",
    "payload.time_out_of_range",
    "mass_message.provider_id_taken",
)
ODD = st.sampled_from([None, 7, True, "", " ", "\n", "SM1\x00", "x" * 500, "x" * 501, [], {}, "é", "SM 1", " SM1 "])
ABSENT = object()


def rows(**right):
    """Generate a right row of which some fields are odd or absent, or something that is no row."""
    fields = {name: st.just(value) | ODD | st.just(ABSENT) for name, value in right.items()}
    row = st.fixed_dictionaries(fields).map(
        lambda row: {key: value for key, value in row.items() if value is not ABSENT}
    )
    return st.just(right) | row | ODD


def refused_rows(register, body):
    try:
        return register(body, strict=False).refused
    except RowsRefused as problem:
        return problem.refused


def is_right_by_the_schema(check, row, refused):
    return check.is_valid(row) and not any(refused.code.startswith(code) for code in BEYOND_THE_SCHEMA)


SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", ingest_schemas.NAMES)
def test_schema_is_one(name):
    Draft202012Validator.check_schema(ingest_schemas.load(name))


@SETTINGS
@given(
    deliveries=st.lists(rows(contact="CON-1", to=NUMBER, provider="twilio", provider_id="SM1"), min_size=1, max_size=5)
)
def test_deliveries_are_refused_as_the_schema_says(session, deliveries):
    message = {"id": "m", "title": "Snow day", "sent_at": NOW.isoformat(), "deliveries": deliveries}
    refused = {each.row: each for each in refused_rows(partial(register_one, session), message)}
    check = validator("mass-messages", "delivery")
    for number, row in enumerate(deliveries):
        if number not in refused:
            assert check.is_valid(row)
        else:
            assert not is_right_by_the_schema(check, row, refused[number])
    session.rollback()


@SETTINGS
@given(opt_outs=st.lists(rows(id="call-17", phone=NUMBER, at=NOW.isoformat()), min_size=1, max_size=5))
def test_opt_outs_are_refused_as_the_schema_says(session, opt_outs):
    register = partial(register_opt_outs, session, now=NOW, region="US")
    refused = {each.row: each for each in refused_rows(register, {"opt_outs": opt_outs})}
    check = validator("opt-outs", "opt_out")
    for number, row in enumerate(opt_outs):
        if number not in refused:
            assert check.is_valid(row)
        else:
            assert not is_right_by_the_schema(check, row, refused[number])
    session.rollback()


MESSAGE = {"id": "m", "title": "Snow day", "sender": None, "sent_at": NOW.isoformat(), "deliveries": []}


@pytest.mark.parametrize(
    "changed",
    [{}, {"id": None}, {"title": " "}, {"sender": 7}, {"sent_at": 7}, {"deliveries": "all"}, {"deliveries": None}],
)
def test_messages_are_refused_as_the_schema_says(session, changed):
    is_valid = validator("mass-messages").is_valid(MESSAGE | changed)
    assert is_valid == (not changed)
    if is_valid:
        validator("mass-messages", "answer").validate(
            json.loads(json.dumps(asdict(register_one(session, MESSAGE | changed))))
        )
