"""Opt-outs reported by a system of the district: stored once, applied at once, and outranked by a later START."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from support import mass_messages as messages
from support import people
from support.people import NOW

from bot.db.models.edits import Audit
from bot.errors import UserError
from bot.mass_messages.opt_outs import OptOutCounts, record_opt_out, register_opt_outs
from bot.providers.opt_out_keywords import opt_out_messages
from bot.providers.receipt import OptOutMessage

NUMBER = "+13125550142"


@pytest.fixture
def maria(session):
    district = people.create_district(session)
    return people.contact(session, people.student(session, at=district.lincoln), phone=NUMBER)


def an_opt_out(**changed):
    return {"id": "call-17", "phone": "(312) 555-0142", "at": NOW.isoformat()} | changed


def register(session, *rows, now=NOW):
    return register_opt_outs(session, {"opt_outs": list(rows)}, now=now, region="US")


def test_opt_out_lists_at_once_and_is_audited(session, maria):
    assert register(session, an_opt_out()) == OptOutCounts(added=1, already=0)
    assert messages.the_list(session) == {maria.id: "opt_out"}
    row = session.scalars(select(Audit).where(Audit.action == "opt_out.heard")).one()
    assert (row.actor, row.subject_id, row.after) == ("district", maria.id, "••• 0142")


def test_repeated_opt_out_is_stored_once(session, maria):
    register(session, an_opt_out())
    assert register(session, an_opt_out(), an_opt_out(id="call-18")) == OptOutCounts(added=1, already=1)


def test_later_start_outranks_an_opt_out(session, maria):
    start = OptOutMessage("twilio", "SM1:inbound", NUMBER, opted_out=False)
    record_opt_out(session, start, now=NOW)
    register(session, an_opt_out(at=(NOW - timedelta(hours=2)).isoformat()), now=NOW + timedelta(hours=1))
    assert messages.the_list(session) == {}


def test_one_wrong_row_does_not_delay_the_other_opt_outs(session, maria):
    body = {"opt_outs": [an_opt_out(id="call-16", phone="12"), an_opt_out()]}
    counts = register_opt_outs(session, body, now=NOW, region="US", strict=False)
    assert (counts.added, [each.field for each in counts.refused]) == (1, ["opt_outs[0].phone"])
    assert messages.the_list(session) == {maria.id: "opt_out"}


WRONG = {
    "no list": ({}, "opt_outs"),
    "not an object": ([], "opt_outs"),
    "a row that is no object": ({"opt_outs": [an_opt_out(), 7]}, "opt_outs[1]"),
    "no id": ({"opt_outs": [an_opt_out(id=None)]}, "opt_outs[0].id"),
    "no number": ({"opt_outs": [an_opt_out(phone="12")]}, "opt_outs[0].phone"),
    "no zone": ({"opt_outs": [an_opt_out(at="2026-11-23T15:04:05")]}, "opt_outs[0].at"),
    "far away": ({"opt_outs": [an_opt_out(at="2226-11-23T15:04:05Z")]}, "opt_outs[0].at"),
    "too many": ({"opt_outs": [an_opt_out()] * 10_001}, "opt_outs"),
}


@pytest.mark.parametrize(("body", "field"), WRONG.values(), ids=WRONG.keys())
def test_wrong_field_is_named_and_nothing_is_stored(session, maria, body, field):
    with pytest.raises(UserError) as refused:
        register_opt_outs(session, body, now=NOW, region="US")
    assert refused.value.field == field
    assert messages.the_list(session) == {}


def test_mexican_number_is_one_however_it_is_reported(session, district):
    rosa = people.contact(session, people.student(session, at=district.lincoln), phone="+525512345678")
    register(session, an_opt_out(phone="+5215512345678"))
    assert messages.the_list(session) == {rosa.id: "opt_out"}


def test_stop_of_a_mexican_number_reaches_its_contact():
    (stop,) = opt_out_messages("twilio", "SM1", sender="+5215512345678", text="ALTO")
    assert stop.phone == "+525512345678"


HOUR = timedelta(hours=1)


def record(session, key, *, opted_out, sent, now):
    record_opt_out(session, OptOutMessage("twilio", key, NUMBER, opted_out=opted_out), at=NOW + sent, now=NOW + now)


@pytest.mark.parametrize(
    ("texts", "status"),
    [
        # (opted out, sent, received) in hours, in the order in which they are received.
        ([(True, 0, 5), (False, 1, 5)], None),
        ([(True, 1, 5), (False, 0, 5)], "opt_out"),
        ([(False, 1, 5), (True, 0, 5)], None),
        ([(True, 0, 0), (True, 2, 5), (False, 1, 5)], "opt_out"),
    ],
)
def test_later_sent_text_counts_in_any_order(session, maria, texts, status):
    for number, (opted_out, sent, received) in enumerate(texts):
        record(session, f"SM{number}", opted_out=opted_out, sent=sent * HOUR, now=received * HOUR)
    assert messages.number(session, NUMBER).status == status
    assert set(messages.the_list(session).values()) == ({status} if status else set())


DAY = timedelta(days=1)


def a_text(words, at):
    return an_opt_out(id=f"{words} {at}", at=at.isoformat(), text=words)


@pytest.mark.usefixtures("maria")
def test_start_that_is_older_than_a_stop_does_not_lift_it(session):
    record_opt_out(session, OptOutMessage("twilio", "SM1", NUMBER, opted_out=True), now=NOW - DAY)
    register(session, a_text("START", NOW - 2 * DAY))
    record_opt_out(session, OptOutMessage("twilio", "SM2", NUMBER, opted_out=True), now=NOW)
    register(session, a_text("START", NOW - DAY / 2), now=NOW + DAY)
    assert messages.number(session, NUMBER).opted_out_at


@pytest.mark.usefixtures("maria")
def test_start_that_is_reported_late_does_not_outrank_a_later_stop(session):
    register(session, a_text("START", NOW - 3 * DAY))
    register(session, a_text("STOP", NOW - 2 * DAY), now=NOW + DAY)
    assert messages.number(session, NUMBER).opted_out_at


@pytest.mark.parametrize("last", ["STOP", "START"])
@pytest.mark.usefixtures("maria")
def test_last_text_of_a_batch_counts_in_any_order(session, last):
    first = "START" if last == "STOP" else "STOP"
    register(session, a_text(last, NOW - DAY), a_text(first, NOW - 2 * DAY))
    assert bool(messages.number(session, NUMBER).opted_out_at) == (last == "STOP")
