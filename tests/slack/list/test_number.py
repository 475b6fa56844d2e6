"""`/cleanup` with a phone or a student number: who has it, among the students that the reader may see, on the list or not."""

import pytest
from sqlalchemy import select
from support import edits, people, screens
from support.snapshots import draw
from support.surfaces import clerk

from bot.db.models.roster import Contact, OtherNumber
from bot.db.models.slack import OpenView, Subscription
from bot.sandbox.slack.models import text_of
from bot.sandbox.slack.people import Person

PHONE = "+12485550142"
NO_ONE = "None of your students has the number"


@pytest.fixture
def rivera(session, office):
    """Sam Rivera, number 900017, grade 5 at Lincoln: Maria, who is listed, and Otto, who gets every text."""
    sam = people.student(session, at=office.district.lincoln)
    sam.identifier = "900017"
    people.list_contact(session, people.contact(session, sam, phone=PHONE))
    people.contact(session, sam, given="Otto", phone="+12485550188", priority=2)
    session.commit()
    return sam


@pytest.fixture
def ortiz(session, office):
    """Leticia Peña, grade 4 at Lincoln, who is not on the list; her father Raúl gets every text."""
    leticia = people.student(session, "Leticia", "Peña", grade="4", at=office.district.lincoln)
    people.contact(session, leticia, given="Raúl", family="Ortiz", phone="+12485557700")
    session.commit()
    return leticia


@pytest.mark.parametrize(
    "typed",
    [
        *("(248) 555-0142", "248.555.0142", "+1 248 555 0142", "<tel:+12485550142|248-555-0142>", "555-0142", "0142"),
        *("900017", "student 900017", "grade 5 0142", "blocked 900017", "0188"),
    ],
)
def test_number_finds_a_listed_student(office, rivera, ortiz, typed):
    message = office.clara.command("/cleanup", typed).message
    assert screens.student_ids(message) == [rivera.id]
    assert "Not on the list" not in text_of(message)


@pytest.mark.parametrize("typed", ["(248) 555-7700", "7700", "grade 4 7700"])
def test_number_finds_a_student_who_is_not_listed(office, rivera, ortiz, typed):
    message = office.clara.command("/cleanup", typed).message
    assert screens.student_ids(message) == [ortiz.id]
    assert "is not on the list" in text_of(message)


def test_answer_names_the_owner_and_both_kinds_of_students(office, rivera, ortiz, session, snapshot):
    people.contact(session, ortiz, given="Eva", phone="+13125550142", priority=2)
    session.commit()
    message = office.clara.command("/cleanup", "0142").message
    assert screens.student_ids(message) == [rivera.id, ortiz.id]
    assert draw(message) == snapshot


def test_number_before_and_after_an_edit_and_others_of_the_sis_are_found(office, rivera, session):
    maria, otto = session.scalars(select(Contact).order_by(Contact.id))
    edits.change(session, maria, phone="+12485550111", actor=clerk(office))
    session.add(OtherNumber(contact_id=otto.id, phone="+12485550122", position=1))
    session.commit()
    for typed in ("0142", "0111", "0122"):
        assert screens.student_ids(office.clara.command("/cleanup", typed).message) == [rivera.id]
    assert "now ••• 0111" in text_of(office.clara.command("/cleanup", "0142").message)


@pytest.mark.parametrize(("typed", "unknown"), [("2485550142", "2489990177"), ("0142", "0177"), ("900017", "900018")])
@pytest.mark.usefixtures("rivera")
@pytest.mark.parametrize("name", ["tom", "rosa"])
def test_hidden_number_looks_like_one_that_does_not_exist(office, session, name, typed, unknown):
    rosa = people.staff(session, "Rosa", "Reed", role="siteAdministrator", at=office.district.roosevelt)
    kim = people.student(session, "Kim", "Young", at=office.district.roosevelt)
    people.school_class(session, office.district.tom, office.district.roosevelt, kim)
    session.commit()
    office.people["rosa"] = Person(office.slack, office.slack.add_user("Rosa", email=rosa.email).id)
    hidden, missing = (office.people[name].command("/cleanup", number).message for number in (typed, unknown))
    assert NO_ONE in text_of(hidden)
    assert _without_ids(missing).replace(unknown[-4:], typed[-4:]) == _without_ids(hidden)
    assert missing.text.replace(unknown[-4:], typed[-4:]) == hidden.text
    assert "Rivera" not in str(hidden.blocks)


def _without_ids(message):
    return str([{**block, "block_id": None} for block in message.blocks])


def test_contact_of_a_hidden_student_is_shown_under_the_visible_one_only(office, rivera, session):
    hidden = people.student(session, "Zoe", "Hidden", at=office.district.roosevelt)
    people.contact(session, rivera, hidden, given="Eva", phone="+12485550133", priority=3)
    session.commit()
    message = office.clara.command("/cleanup", "0133").message
    assert screens.student_ids(message) == [rivera.id]
    assert "Zoe" not in str(message.blocks)


def test_no_button_and_no_stored_view_has_the_number(office, rivera, session):
    message = office.clara.command("/cleanup", "grade 5 248-555-0142").message
    assert "5550142" not in str(message.blocks).replace("-", "")
    office.clara.press(message, action_id="student.open")
    assert session.scalars(select(OpenView.filter_text)).all() == [f'grade 5 ids "{rivera.id}"']


def test_list_is_drawn_again_with_the_same_student_after_an_edit(office, rivera):
    message = office.clara.command("/cleanup", "248-555-0142").message
    office.clara.press(message, action_id="student.open")
    assert office.clara.fill(office.clara.view, {"phone": "2485550199"}).submit().ok
    assert screens.student_ids(office.clara.current(message)) == [rivera.id]


def test_of_many_students_ten_are_shown(office, session):
    for number in range(12):
        kim = people.student(session, f"Kim{number:02}", "Peña", at=office.district.lincoln)
        people.contact(session, kim, phone=f"+12485{number:02}0142")
    session.commit()
    message = office.clara.command("/cleanup", "0142").message
    assert len(screens.student_ids(message)) == 10
    assert "These are the first 10 students found" in text_of(message)


@pytest.mark.parametrize("typed", ["subscribe 0142", "subscribe (248) 555-0142", 'subscribe ids "1"'])
def test_number_goes_to_no_channel(office, rivera, session, typed):
    answer = office.clara.command("/cleanup", typed, channel=office.channel)
    assert "A digest cannot be about" in text_of(answer.message)
    assert session.scalar(select(Subscription)) is None
