"""Removing a contact: from one student or all, with a reason, and brought back with one press."""

import pytest
from sqlalchemy import select
from support import people, screens
from support.snapshots import draw

from bot.db.models.edits import Removal
from bot.db.models.roster import Contact
from bot.sandbox.slack.models import text_of


@pytest.fixture
def family(session, office):
    """Sam in grade 5 and Eva in grade 2, both at Lincoln; Maria is the mother of both, Otto an uncle of Sam."""
    sam = people.student(session, at=office.district.lincoln)
    people.school_class(session, office.district.ana, office.district.lincoln, sam)
    eva = people.student(session, "Eva", grade="2", at=office.district.lincoln)
    people.list_contact(session, people.contact(session, sam, eva))
    people.contact(session, sam, given="Otto", priority=2, relationship="uncle")
    session.commit()
    return sam, eva


def open_dialog(person, text="grade 5", contact="1"):
    message = person.command("/cleanup", text).message
    screens.open_student(person, message)
    screens.choose_more(person, "contact.remove", contact)
    return message


def confirm(person, **values):
    return person.fill(person.view, values).submit()


def removed_from(session):
    """Return the student ids of all removals; None stands for all students."""
    session.rollback()
    return session.scalars(select(Removal.student_id)).all()


def input_ids(view):
    return [block["block_id"] for block in view.blocks if block["type"] == "input"]


def test_contact_removed_from_one_student_stays_with_the_other(office, session, family, snapshot):
    sam, eva = family
    message = open_dialog(office.clara)
    assert confirm(office.clara, reason="wrong_person").ok
    assert removed_from(session) == [sam.id]
    assert draw(office.clara.view) == snapshot
    assert screens.student_ids(office.clara.current(message)) == []
    assert screens.student_ids(office.clara.command("/cleanup", "grade 2").message) == [eva.id]


def test_contact_is_removed_from_all_students(office, session, family):
    open_dialog(office.clara)
    assert confirm(office.clara, scope="all", reason="asked").ok
    assert removed_from(session) == [None]
    assert screens.student_ids(office.clara.command("/cleanup").message) == []


def test_staff_who_see_one_student_can_remove_from_that_one_only(office, session, family, snapshot):
    open_dialog(office.ana)
    assert input_ids(office.ana.view) == ["reason"]
    assert "Eva" not in text_of(office.ana.view)
    assert draw(office.ana.view) == snapshot
    assert confirm(office.ana, reason="asked").ok
    assert removed_from(session) == [family[0].id]


def test_contact_of_one_student_offers_no_choice_of_students(office, session, family, snapshot):
    otto = session.scalars(select(Contact.id).where(Contact.given_name == "Otto")).one()
    open_dialog(office.clara, contact=str(otto))
    assert input_ids(office.clara.view) == ["reason"]
    assert draw(office.clara.view) == snapshot


def test_contact_of_two_students_offers_both(office, family, snapshot):
    open_dialog(office.clara)
    assert input_ids(office.clara.view) == ["scope", "reason"]
    assert draw(office.clara.view) == snapshot


def test_reason_is_required(office, session, family):
    open_dialog(office.clara)
    assert not confirm(office.clara).ok
    assert removed_from(session) == []


def test_undo_brings_the_contact_back(office, session, family):
    message = open_dialog(office.clara)
    confirm(office.clara, reason="duplicate")
    assert office.clara.press(office.clara.view, block_id="student.done", action_id="removal.undo").ok
    assert "The contact is back" in text_of(office.clara.view)
    assert session.scalars(select(Removal)).one().undone_by == office.clara.id
    assert screens.student_ids(office.clara.current(message)) == [family[0].id]


def test_second_person_to_remove_gets_an_error(office, session, family):
    for person in (office.clara, office.ana):
        open_dialog(person)
    assert confirm(office.ana, reason="duplicate").ok
    assert confirm(office.clara, reason="duplicate").errors
    assert len(removed_from(session)) == 1


def test_removing_the_only_contact_warns(office, family, snapshot):
    open_dialog(office.clara, "grade 2")
    assert draw(office.clara.view) == snapshot
