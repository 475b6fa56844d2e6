"""`/cleanup unverified`: contacts who are not on the list, and whose number nothing has verified for twelve months."""

from datetime import timedelta

import pytest
from support import edits, people
from support import mass_messages as messages
from support.snapshots import draw
from support.surfaces import clerk

from bot.cleanup_list import unverified
from bot.db.models.messages import PhoneNumber
from bot.sandbox.slack.models import text_of

YEAR = timedelta(days=365)


@pytest.fixture
def families(session, office):
    """Sam's mother Maria got no text for a year, and the others of grade 5 are verified, on the list, or get no texts."""
    lincoln, now = office.district.lincoln, office.now()
    sam, eva = (people.student(session, name, at=lincoln) for name in ("Sam", "Eva"))
    people.student(session, "Una", grade="2", at=lincoln)
    maria = people.contact(session, sam, phone="+13125557301")
    pia = people.contact(session, eva, given="Pia", phone="+13125557302")
    messages.send(session, {maria: "delivered"}, now=now - YEAR - timedelta(days=2))
    messages.send(session, {pia: "delivered"}, now=now - YEAR + timedelta(days=2))
    called = people.contact(session, sam, given="Called")
    session.add(PhoneNumber(phone=called.sis_phone, verified_at=now - timedelta(days=3), verified_how="call"))
    people.list_contact(session, people.contact(session, eva, given="Listed"))
    people.contact(session, eva, given="Autocall", method="call")
    people.contact(session, eva, given="Nonumber", phone=None)
    stopped = people.contact(session, eva, given="Stopped")
    session.add(PhoneNumber(phone=stopped.sis_phone, status="opt_out", opted_out_at=now, opted_out_by="twilio"))
    session.commit()
    return maria


def show(person, typed="unverified"):
    return person.command("/cleanup", typed).message


def test_worklist_shows_who_was_not_verified_for_a_year(office, families, snapshot):
    assert draw(show(office.clara)) == snapshot


@pytest.mark.parametrize(
    "typed",
    [
        "unverified",
        "not verified",
        "Not verified for 12 months",
        "grade 5 not-verified in the last year",
        "unverified 5th",
    ],
)
def test_words_for_it(office, families, typed):
    assert "Maria Rivera" in text_of(show(office.clara, typed))


def test_filter_narrows_it(office, families):
    assert "within 12 months" in text_of(show(office.clara, "unverified grade 2"))


def test_entered_number_counts_as_verified(office, session, families):
    edits.change(session, families, phone="+13125557303", actor=clerk(office), now=office.now())
    session.commit()
    assert "Maria" not in text_of(show(office.clara))


def test_contact_of_two_students_stands_once(office, session, families):
    kim = people.student(session, "Kim", "Abbot", at=office.district.lincoln)
    people.contact(session, kim, people.student(session, "Lu", "Zed", at=office.district.lincoln), given="Lee")
    session.commit()
    shown = text_of(show(office.clara))
    assert shown.count("Lee Rivera") == 1
    assert "Zed" not in shown


def test_pages_go_on(office, session, families):
    for number in range(12):
        people.contact(
            session, people.student(session, f"Kid{number:02}", "Zed", at=office.district.lincoln), given="Zoe"
        )
    session.commit()
    first = show(office.clara)
    assert text_of(first).count("Open…") <= 10
    assert office.clara.press(first, text="Next ▶").ok
    assert "Page 2 of 2" in text_of(office.clara.last())


def test_too_many_students_are_asked_to_be_fewer(office, session, families, monkeypatch):
    monkeypatch.setattr(unverified, "MAX_STUDENTS", 1)
    assert "Name a school" in text_of(show(office.clara))


def test_student_opens_and_list_is_redrawn_after_a_change(office, session, families):
    message = show(office.clara)
    assert office.clara.press(message, action_id="student.show").ok
    value = str(families.id)
    assert office.clara.press(office.clara.view, action_id="contact.edit", value=value).ok
    assert office.clara.fill(office.clara.view, {"phone": "(312) 555-7309"}).submit().ok
    assert "Maria" not in text_of(office.clara.current(message))
