"""Direct messages to administrators about refused requests and mass messages without receipts."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from support import mass_messages as messages
from support import people

from bot.db.models.notices import AdminNotice
from bot.operations.refusals import Burst, add_refusals
from bot.sandbox.slack.models import text_of

URL = "the signed URL differs; set PUBLIC_URL=https://cleanup.district.example"
REFUSED, SILENT = "Requests from twilio are refused", "No delivery receipts"


def refuse(session, office, count, *, source="twilio", reason=URL):
    add_refusals(session, {(source, reason): Burst(count, office.now(), office.now())})
    session.commit()


def told(person, words):
    return [text_of(message) for message in person.messages() if words in text_of(message)]


def test_admin_is_told_once_why_receipts_are_refused(office, session):
    minutes = [office.now()]
    refuse(session, office, 212)
    minutes.append(office.now())
    for _ in range(3):
        assert office.tick().failed == ()
    (text,) = told(office.adam, REFUSED)
    local = [minute.astimezone(office.settings.zone) for minute in minutes]
    assert any(f"212 receipts from twilio refused since {t.hour}:{t:%M}: {URL}." in text for t in local)
    assert told(office.clara, REFUSED) == []


@pytest.mark.parametrize(
    ("count", "reason", "messages_sent"), [(9, "no signature", 0), (10, "no signature", 1), (1, URL, 1)]
)
def test_few_refusals_may_be_a_strangers(office, session, count, reason, messages_sent):
    refuse(session, office, count, reason=reason)
    office.tick()
    assert len(told(office.adam, REFUSED)) == messages_sent


def test_refusals_that_go_on_are_reported_once_and_new_ones_again(office, session):
    for _ in range(4):
        refuse(session, office, 20)
        office.tick()
        office.advance(hours=20)
    assert len(told(office.adam, REFUSED)) == 1
    office.advance(days=2)
    refuse(session, office, 20)
    office.tick()
    assert len(told(office.adam, REFUSED)) == 2


def test_two_episodes_of_a_day_are_reported_once(office, session):
    for _ in range(2):
        refuse(session, office, 20)
        office.tick()
        office.advance(hours=10)
    assert len(told(office.adam, REFUSED)) == 1


def test_each_source_is_reported(office, session):
    refuse(session, office, 20)
    refuse(session, office, 20, source="slack", reason="the signature does not match")
    office.tick()
    assert len(told(office.adam, "are refused")) == 2


def test_admin_is_told_once_of_a_message_without_receipts(office, session):
    student = people.student(session)
    contacts = [people.contact(session, student) for _ in range(12)]
    messages.send(session, {**dict.fromkeys(contacts), contacts[0]: "delivered"}, now=office.now() - timedelta(days=1))
    session.commit()
    for _ in range(2):
        office.tick()
    (text,) = told(office.adam, SILENT)
    assert "has a final receipt for 1 of 12 texts" in text
    assert told(office.clara, SILENT) == []
    office.advance(days=31)
    office.tick()
    session.expire_all()
    assert session.scalars(select(AdminNotice)).all() == []
