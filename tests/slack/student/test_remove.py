"""Removing a contact: of one student or all, with a reason, and brought back with one click."""

import pytest
from sqlalchemy import select
from support import people

from bot.db.models.edits import Removal
from bot.sandbox.slack.reading import text_of


@pytest.fixture
def family(session, office):
    """Sam in grade 5 and Eva in grade 2, both at Lincoln; Maria is the mother of both, Otto an uncle of Sam's."""
    sam = people.student(session, at=office.district.lincoln)
    people.school_class(session, office.district.ana, office.district.lincoln, sam)
    eva = people.student(session, "Eva", grade="2", at=office.district.lincoln)
    people.listed(session, people.contact(session, sam, eva))
    people.contact(session, sam, given="Otto", priority=2, relationship="uncle")
    session.commit()
    return sam, eva


def ask(person, text="grade 5"):
    message = person.command("/cleanup", text).message
    person.press(message, action_id="student.open")
    person.press(person.view, action_id="contact.remove", value="1")
    return message


def test_a_contact_is_removed_from_one_student_and_stays_with_the_other(office, session, family):
    message = ask(office.clara)
    assert office.clara.fill(office.clara.view, {"reason": "wrong_person"}).submit().ok
    said = text_of(office.clara.view)
    assert "~Maria Rivera~ removed by <@UCLARA>" in said
    assert "Wrong person or wrong number" in said
    office.settled()
    assert "Nobody here" in text_of(office.clara.again(message))
    assert "Eva Rivera" in text_of(office.clara.command("/cleanup", "grade 2").message)


def test_a_contact_is_removed_from_all_its_students(office, session, family):
    ask(office.clara)
    assert office.clara.fill(office.clara.view, {"scope": "all", "reason": "asked"}).submit().ok
    assert "Rivera" not in text_of(office.clara.command("/cleanup").message)


def test_whoever_sees_only_one_of_the_students_removes_of_that_one_and_reads_that_another_keeps_it(
    office, session, family
):
    ask(office.ana)
    said = text_of(office.ana.view)
    assert "Remove from" not in said
    assert "will get no more messages about Sam Rivera." in said
    assert "Also a contact of 1 student of another class or school: nothing changes there." in said
    assert "Eva" not in said
    assert office.ana.fill(office.ana.view, {"reason": "asked"}).submit().ok
    assert session.scalars(select(Removal.student_id)).all() == [family[0].id]


def test_where_there_is_no_other_student_there_is_nothing_to_choose_but_why(office, family):
    message = office.clara.command("/cleanup", "grade 5").message
    office.clara.press(message, action_id="student.open")
    office.clara.press(office.clara.view, action_id="contact.remove", value="2")
    said = text_of(office.clara.view)
    assert "*Otto Rivera* will get no more messages about Sam Rivera." in said
    assert "Remove from" not in said
    assert "Also a contact" not in said


def test_of_two_students_both_are_offered_and_the_sentence_leaves_open_who(office, family):
    ask(office.clara)
    said = text_of(office.clara.view)
    assert "Both students of this contact" in said
    assert "will get no more messages about the students chosen here." in said


def test_a_reason_is_needed(office, session, family):
    ask(office.clara)
    assert not office.clara.fill(office.clara.view, {}).submit().ok
    assert not session.scalars(select(Removal)).all()


def test_undo_brings_the_contact_back(office, session, family):
    message = ask(office.clara)
    office.clara.fill(office.clara.view, {"reason": "duplicate"}).submit()
    assert office.clara.press(office.clara.view, action_id="removal.undo").ok
    assert "The contact is back" in text_of(office.clara.view)
    office.settled()
    assert "Maria Rivera" in text_of(office.clara.again(message))


def test_the_second_of_two_who_remove_is_told(office, session, family):
    for one in (office.clara, office.ana):
        ask(one)
    assert office.ana.fill(office.ana.view, {"reason": "duplicate"}).submit().ok
    late = office.clara.fill(office.clara.view, {"reason": "duplicate"}).submit()
    assert late.errors
    assert len(session.scalars(select(Removal)).all()) == 1


def test_removing_the_only_contact_warns(office, session, family):
    ask(office.clara, "grade 2")
    assert "has no other contact" in text_of(office.clara.view)
