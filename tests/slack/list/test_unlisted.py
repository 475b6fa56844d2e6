"""A student whose contacts can all be texted: not on the list, and found by name by staff who may see them."""

import pytest
from support import people, screens
from support.snapshots import draw

from bot.sandbox.slack.models import text_of
from bot.sandbox.slack.people import Person

NOT_LISTED = "is not on the list: their contacts can be texted"


@pytest.fixture
def leticia(session, office):
    """Leticia Peña, grade 5 at Lincoln in Ana's class; her father Raúl Ortiz gets every text."""
    leticia = people.student(session, "Leticia", "Peña", at=office.district.lincoln)
    people.school_class(session, office.district.ana, office.district.lincoln, leticia)
    people.contact(session, leticia, given="Raúl", family="Ortiz")
    session.commit()
    return leticia


@pytest.mark.parametrize("typed", ["leticia peña", "student Pena", "raul ortiz", "grade 5 leticia", "blocked peña"])
def test_unlisted_student_is_found_by_name_and_opened(office, leticia, typed):
    message = office.clara.command("/cleanup", typed).message
    assert screens.student_ids(message) == [leticia.id]
    assert f"*Leticia Peña* {NOT_LISTED}" in text_of(message)
    assert f"Leticia Peña {NOT_LISTED}" in message.text
    assert "No one named" not in text_of(message) + message.text
    screens.open_student(office.clara, message)
    assert "Raúl Ortiz" in text_of(office.clara.view)


def test_parent_who_phones_is_recorded_as_opted_out(office, leticia):
    message = office.clara.command("/cleanup", "leticia").message
    screens.open_student(office.clara, message)
    screens.choose_more(office.clara, "contact.spoken_stop")
    assert office.clara.fill(office.clara.view, {}).submit().ok
    redrawn = text_of(office.clara.current(message))
    assert "Opt-Out" in redrawn
    assert NOT_LISTED not in redrawn


def test_of_many_students_with_the_name_a_few_are_shown(office, leticia, session, snapshot):
    kim = people.student(session, "Kim", "Peña", at=office.district.lincoln)
    people.contact(session, kim, method="call")
    for number in range(7):
        people.student(session, f"Zoe{number}", "Peña", at=office.district.lincoln)
    session.commit()
    message = office.clara.command("/cleanup", "peña").message
    assert len(screens.student_ids(message)) == 5
    assert draw(message) == snapshot


def test_listed_student_with_the_name_is_shown_alone(office, leticia, session):
    mateo = people.student(session, "Mateo", "Peña", at=office.district.lincoln)
    people.list_contact(session, people.contact(session, mateo, family="Peña"))
    session.commit()
    assert screens.student_ids(office.clara.command("/cleanup", "peña").message) == [mateo.id]


@pytest.mark.parametrize("name", ["tom", "rosa"])
def test_hidden_student_looks_like_one_who_does_not_exist(office, leticia, session, name):
    staff = people.staff(session, "Rosa", "Reed", role="siteAdministrator", at=office.district.roosevelt)
    session.commit()
    office.people["rosa"] = Person(office.slack, office.slack.add_user("Rosa", email=staff.email).id)
    hidden, unknown = (office.people[name].command("/cleanup", typed).message for typed in ("leticia", "letizia"))
    assert _without_ids(unknown).replace("letizia", "leticia") == _without_ids(hidden)
    assert unknown.text.replace("letizia", "leticia") == hidden.text
    assert "Peña" not in str(hidden.blocks)


def _without_ids(message):
    return str([{**block, "block_id": None} for block in message.blocks])


def test_student_who_left_is_not_found(office, leticia, session):
    people.student(session, "Mia", at=office.district.lincoln)
    leticia.active = False
    people.student(session, "Sam", at=office.district.lincoln)
    session.commit()
    message = office.clara.command("/cleanup", "leticia").message
    assert screens.student_ids(message) == []
    assert "No one named *leticia*" in text_of(message)
