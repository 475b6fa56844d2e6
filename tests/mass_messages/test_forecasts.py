"""The forecast of a mass message: stored once before it settles, from what was known before its results."""

from datetime import timedelta

import pytest
from support import edits, people
from support import mass_messages as messages

from bot.access.rights import AccessLevel
from bot.db.models.messages import MassMessage
from bot.digests.report import load_digest
from bot.filters.parse import parse_filter
from bot.mass_messages.forecasts import store_forecasts
from bot.mass_messages.opt_outs import apply_opt_out
from bot.mass_messages.settle import settle_message

DAY = timedelta(days=1)
OUTCOMES = ("blocked", "inactive", "delivered", "delivered")


@pytest.fixture
def contacts(session):
    return [people.contact(session, people.student(session)) for _ in OUTCOMES]


@pytest.fixture
def first(session, contacts, now):
    """Two of four numbers fail in the first message."""
    messages.send(session, dict(zip(contacts, OUTCOMES, strict=True)), now=now - 7 * DAY, message_id="first")
    return contacts


def store(session, now):
    return store_forecasts(session, now=now, settle_after=DAY)


def forecast(session, message_id):
    session.expire_all()
    message = session.get_one(MassMessage, message_id)
    return message.forecast_texts, message.forecast_missed


def send(session, contacts, outcomes, now, message_id="m"):
    return messages.send(
        session, dict(zip(contacts, outcomes, strict=False)), now=now, message_id=message_id, settled=False
    )


def test_forecast_is_what_was_known_before_the_results(session, first, now):
    send(session, first, ["delivered", "blocked", "blocked", "blocked"], now)
    assert store(session, now + DAY) == 1
    assert forecast(session, "m") == (4, 2)


def test_forecast_is_stored_once(session, first, now):
    send(session, first, OUTCOMES, now)
    assert (store(session, now + DAY), store(session, now + DAY)) == (1, 0)


def test_settled_message_gets_no_forecast(session, first, now):
    send(session, first, OUTCOMES, now)
    settle_message(session, "m", now=now + DAY)
    assert store(session, now + DAY) == 0
    assert forecast(session, "m") == (None, None)


def test_first_message_has_nothing_to_expect(session, contacts, now):
    send(session, contacts, OUTCOMES, now)
    assert store(session, now + DAY) == 0


def test_stop_in_answer_to_the_message_was_not_expected(session, first, now):
    send(session, first, OUTCOMES, now)
    apply_opt_out(session, first[2].sis_phone, by="twilio", now=now + timedelta(hours=1))
    store(session, now + DAY)
    assert forecast(session, "m") == (4, 2)


def test_opt_out_that_a_receipt_reports_was_not_expected(session, first, now):
    send(session, first, ["blocked", "inactive", "opt_out", "delivered"], now)
    store(session, now + DAY)
    assert forecast(session, "m") == (4, 2)


def test_typed_number_is_expected_to_work_until_it_was_texted(session, first, now):
    dana = people.actor_of(people.staff(session, "Dana", role="districtAdministrator"), level=AccessLevel.DISTRICT)
    edits.change(session, first[2], phone=first[0].sis_phone, actor=dana)
    delivery = messages.a_delivery(first[2], to=first[0].sis_phone)
    messages.register(session, messages.a_message(delivery, sent_at=now, message_id="m"), now=now)
    messages.report(session, delivery["provider_id"], now=now)
    store(session, now + DAY)
    assert forecast(session, "m") == (1, 0)


def loaded(session, message_id, text=""):
    return load_digest(session, message_id, list_filter=parse_filter(text).filter, today=people.TODAY)


@pytest.fixture
def settled(session, first, now, every_group_counts):
    send(session, first, ["delivered", "blocked", "blocked", "blocked"], now)
    store(session, now + DAY)
    settle_message(session, "m", now=now + DAY)
    return first


def test_digest_compares_it_with_the_result(session, settled):
    digest = loaded(session, "m")
    assert (digest.forecast_missed, digest.not_delivered) == (2, 3)
    assert loaded(session, "first").forecast_missed is None


def test_digest_of_a_part_has_no_forecast(session, settled):
    people.student(session, grade="7")
    assert loaded(session, "m", "grade 7").forecast_missed is None
    assert loaded(session, "m", "blocked").forecast_missed is None


def test_texts_added_later_have_no_forecast(session, settled, now):
    late = people.contact(session, people.student(session))
    message = messages.a_message(messages.a_delivery(late), sent_at=now, message_id="m")
    messages.register(session, message, now=now + DAY)
    assert loaded(session, "m").forecast_missed is None
