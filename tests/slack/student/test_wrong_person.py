"""A wrong person in Slack: recorded and taken back in the student dialog, and told to the editors of other students."""

import pytest
from sqlalchemy import select
from support import mass_messages as messages
from support import people, screens
from support.snapshots import draw

from bot.db.models.notices import WrongPersonNotice
from bot.db.models.roster import Student
from bot.sandbox.slack.models import text_of

NUMBER = "+13125550142"
NOTICE = "belongs to someone else"


@pytest.fixture
def maria(session, office):
    """Maria of Sam at Roosevelt shares her number with Lee of Kim at Lincoln, where Clara is the clerk."""
    sam = people.student(session, at=office.district.roosevelt)
    maria = people.contact(session, sam, phone=NUMBER)
    kim = people.student(session, "Kim", "Oduya", at=office.district.lincoln)
    people.contact(session, kim, given="Lee", family="Oduya", phone=NUMBER)
    messages.send(session, {maria: "turned_off"}, now=people.NOW)
    session.commit()
    return maria


def open_student(person, name="sam"):
    message = person.command("/cleanup", name).message
    screens.open_student(person, message)
    return message


def record(person, contact, name="sam"):
    message = open_student(person, name)
    assert screens.choose_more(person, "contact.wrong_person", contact.id).ok
    assert person.fill(person.view, {}).submit().ok
    return message


def notices(person):
    return [text_of(message) for message in person.messages() if NOTICE in text_of(message)]


def test_dialog_says_who_is_affected(office, maria, snapshot):
    open_student(office.dana)
    assert screens.choose_more(office.dana, "contact.wrong_person", maria.id).ok
    assert draw(office.dana.view) == snapshot


def test_recorded_wrong_person_is_shown_and_can_be_undone(office, session, maria, snapshot):
    message = record(office.dana, maria)
    assert draw(office.dana.view) == snapshot
    assert "Wrong person" not in screens.menu_choices(office.dana.view)
    assert "Wrong person" in text_of(office.dana.current(message))
    assert office.dana.press(office.dana.view, action_id="contact.verified").ok
    assert "is no longer recorded as Wrong person" in text_of(office.dana.view)
    assert set(messages.the_list(session).values()) == {"turned_off"}


def test_wrong_number_lists_it(office, maria):
    record(office.dana, maria)
    for words in ("wrong number", "wrong person"):
        listed = text_of(office.dana.command("/cleanup", words).message)
        assert "Wrong person" in listed
        assert "Maria Rivera" in listed
    assert "Rivera" not in text_of(office.dana.command("/cleanup", "inactive").message)


def test_clerk_of_the_other_student_is_told_once_without_the_first(office, session, maria, snapshot):
    record(office.dana, maria)
    for _ in range(3):
        assert office.tick().failed == ()
        office.advance(minutes=5)
    (told,) = notices(office.clara)
    assert told == snapshot
    assert "Sam" not in told
    assert "Oduya" not in office.clara.messages()[-1].text
    assert [notices(person) for person in (office.ana, office.tom, office.dana)] == [[], [], []]
    session.expire_all()
    assert [row.state for row in session.scalars(select(WrongPersonNotice))] == ["sent"]


def test_no_one_is_told_of_what_was_undone_before(office, session, maria):
    record(office.dana, maria)
    office.dana.press(office.dana.view, action_id="contact.verified")
    assert office.tick().failed == ()
    assert notices(office.clara) == []


def test_person_who_recorded_it_is_not_told(office, session, maria):
    lee = session.scalars(select(people.Contact).where(people.Contact.given_name == "Lee")).one()
    people.contact(session, people.student(session, "Una", at=office.district.lincoln), given="Otto", phone=NUMBER)
    session.commit()
    record(office.clara, lee, "kim")
    assert office.tick().failed == ()
    assert notices(office.clara) == []


def test_student_who_left_is_not_named(office, session, maria):
    record(office.dana, maria)
    for student in session.scalars(select(Student).where(Student.given_name == "Kim")):
        student.active = False
    session.commit()
    assert office.tick().failed == ()
    assert notices(office.clara) == []
