"""A student whose contacts can all be texted: not on the list, and found by name by whoever may see them."""

import pytest
from support import people

from bot.sandbox.slack.reading import text_of

FINE = "is not on the list: their contacts can be texted, as far as we know."


@pytest.fixture
def leticia(session, office):
    """Leticia Peña, grade 5 at Lincoln in Ana's class; her father Raúl Ortiz gets every text."""
    leticia = people.student(session, "Leticia", "Peña", at=office.district.lincoln)
    people.school_class(session, office.district.ana, office.district.lincoln, leticia)
    people.contact(session, leticia, given="Raúl", family="Ortiz")
    session.commit()
    return leticia


@pytest.mark.parametrize("typed", ["leticia peña", "student Pena", "raul ortiz", "grade 5 leticia", "blocked peña"])
def test_a_student_who_is_fine_is_found_by_name_and_opened(office, leticia, typed):
    message = office.clara.command("/cleanup", typed).message
    assert f"*Leticia Peña* {FINE}\ngrade 5 · Ana García · Lincoln Elementary" in text_of(message)
    assert f"Leticia Peña {FINE}" in message.text
    assert "Nobody named" not in text_of(message) + message.text
    assert office.clara.press(message, action_id="student.open").ok
    assert "Raúl Ortiz" in text_of(office.clara.view)


def test_a_parent_who_phones_is_recorded_as_told_us_to_stop(office, leticia, session):
    message = office.clara.command("/cleanup", "leticia").message
    office.clara.press(message, action_id="student.open")
    office.clara.press(office.clara.view, action_id="contact.spoken_stop")
    assert office.clara.fill(office.clara.view, {}).submit().ok
    office.settled()
    said = text_of(office.clara.again(message))
    assert "Opt-Out" in said
    assert FINE not in said


def test_of_many_with_the_name_a_few_are_shown(office, leticia, session):
    for number in range(7):
        people.student(session, f"Kid{number}", "Peña", at=office.district.lincoln)
    session.commit()
    said = text_of(office.clara.command("/cleanup", "peña").message)
    assert "*Kid4 Peña* is not on the list, and no adult of theirs can be texted now." in said
    assert "Kid5" not in said
    assert "… and more students: type more of the name." in said


def test_of_somebody_whose_adults_get_calls_it_is_said(office, session):
    kim = people.student(session, "Kim", "Peña", at=office.district.lincoln)
    people.contact(session, kim, method="call")
    session.commit()
    said = text_of(office.clara.command("/cleanup", "peña").message)
    assert "*Kim Peña* is not on the list: no adult of theirs gets texts, but one can be called or e-mailed." in said


def test_somebody_on_the_list_with_the_name_is_what_was_asked_for(office, leticia, session):
    mateo = people.student(session, "Mateo", "Peña", at=office.district.lincoln)
    people.listed(session, people.contact(session, mateo, family="Peña"))
    session.commit()
    said = text_of(office.clara.command("/cleanup", "peña").message)
    assert "Mateo" in said
    assert "Leticia" not in said


@pytest.mark.parametrize("name", ["tom", "rosa"])
def test_a_hidden_student_looks_as_one_who_does_not_exist(office, leticia, session, name):
    staff = people.staff(session, "Rosa", "Reed", role="siteAdministrator", at=office.district.roosevelt)
    session.commit()
    office.who["rosa"] = office.slack.person(office.slack.add_user("Rosa", email=staff.email).id)
    hidden, nobody = (office.who[name].command("/cleanup", typed).message for typed in ("leticia", "letizia"))
    assert _without_ids(nobody).replace("letizia", "leticia") == _without_ids(hidden)
    assert nobody.text.replace("letizia", "leticia") == hidden.text
    assert "Peña" not in str(hidden.blocks)


def _without_ids(message):
    return str([{**block, "block_id": None} for block in message.blocks])


def test_a_student_who_left_is_not_found(office, leticia, session):
    leticia.active = False
    session.commit()
    assert "Nobody named *leticia* is on your list." in text_of(office.clara.command("/cleanup", "leticia").message)
