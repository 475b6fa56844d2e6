"""Removing a contact from one student or from all, and bringing it back; no one decides for a student they may not see."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from support import edits, people
from support.errors import refused

from bot.contact_edits.locking import VersionConflict
from bot.contact_edits.remove import undo_removal
from bot.db.models import views
from bot.db.models.edits import Audit, Removal
from bot.db.models.roster import Contact, Student, StudentContact

LATER = people.NOW + timedelta(minutes=5)


@pytest.fixture
def sam(session, district):
    return people.student(session, at=district.lincoln)


@pytest.fixture
def eva(session, district):
    return people.student(session, "Eva", grade="2", at=district.lincoln)


@pytest.fixture
def tom(session, district, eva):
    """Tom, who teaches Eva but not Sam."""
    people.school_class(session, district.tom, district.lincoln, eva)
    return people.actor_of(district.tom)


@pytest.fixture
def lee(session, district):
    """A student at Roosevelt, of whose students Clara sees none."""
    return people.student(session, "Lee", grade="10", at=district.roosevelt)


@pytest.fixture
def maria(session, sam, eva):
    return people.list_contact(session, people.contact(session, sam, eva))


def children(session, one):
    """The given names of the students who have this contact, with removals applied."""
    read = views.effective_contacts.c
    session.flush()
    found = select(Student.given_name).join(views.effective_contacts, read.student_id == Student.id)
    return set(session.scalars(found.where(read.contact_id == one.id)))


def test_a_contact_removed_from_one_student_stays_with_the_other(session, maria, sam, clara):
    removal = edits.remove(session, maria, sam, actor=clara)
    assert children(session, maria) == {"Eva"}
    assert (removal.reason, removal.made_by, removal.made_at) == (
        "The same person is listed twice",
        clara.user_id,
        people.NOW,
    )


def test_a_contact_removed_from_all_students_has_none_and_stays_active(session, maria, clara):
    edits.remove(session, maria, None, actor=clara)
    assert children(session, maria) == set()
    assert session.get_one(Contact, maria.id).active


def test_a_contact_that_also_has_hidden_students_cannot_be_removed_from_all(session, maria, lee, clara, dana):
    session.add(StudentContact(student_id=lee.id, contact_id=maria.id))
    session.flush()
    with refused("removal.hidden_students") as no:
        edits.remove(session, maria, None, actor=clara)
    assert no.value.field == "scope"
    assert children(session, maria) == {"Sam", "Eva", "Lee"}
    edits.remove(session, maria, None, actor=dana)
    assert children(session, maria) == set()


def test_a_hidden_student_who_left_does_not_prevent_removing_from_all(session, maria, lee, clara):
    session.add(StudentContact(student_id=lee.id, contact_id=maria.id))
    lee.active = False
    session.flush()
    edits.remove(session, maria, None, actor=clara)
    assert children(session, maria) == set()


def test_a_second_removal_returns_the_first_and_is_refused_for_another_person(session, maria, sam, clara, dana):
    removal = edits.remove(session, maria, sam, actor=clara)
    assert edits.remove(session, maria, sam, actor=clara) is removal
    with refused("access.no_contact"):
        edits.remove(session, maria, sam, actor=dana)
    assert len(session.scalars(select(Removal)).all()) == 1


def test_a_contact_cannot_be_removed_from_a_student_it_does_not_belong_to(session, maria, lee, dana):
    with refused("access.no_contact"):
        edits.remove(session, maria, lee, actor=dana)
    assert session.scalars(select(Removal)).all() == []


def test_removing_a_contact_that_was_changed_meanwhile_names_who_changed_it(session, maria, sam, clara, dana):
    seen = edits.version_of(session, maria)
    edits.change(session, maria, phone="+13125559901", actor=dana)
    with pytest.raises(VersionConflict) as late:
        edits.remove(session, maria, sam, actor=clara, version=seen, now=LATER)
    assert late.value.by == dana.user_id
    assert children(session, maria) == {"Sam", "Eva"}


def test_a_contact_is_brought_back_and_may_be_removed_again(session, maria, sam, clara, dana):
    removal = edits.remove(session, maria, sam, actor=clara)
    undo_removal(session, removal.id, actor=dana, now=LATER)
    assert children(session, maria) == {"Sam", "Eva"}
    assert (removal.undone_by, removal.undone_at) == (dana.user_id, LATER)
    edits.remove(session, maria, sam, actor=clara)
    assert children(session, maria) == {"Eva"}


def test_bringing_back_again_changes_nothing_and_is_refused_for_another_person(session, maria, sam, clara, dana):
    removal = edits.remove(session, maria, sam, actor=clara)
    undo_removal(session, removal.id, actor=clara, now=LATER)
    undo_removal(session, removal.id, actor=clara, now=LATER + timedelta(minutes=1))
    assert removal.undone_at == LATER
    with refused("removal.undone"):
        undo_removal(session, removal.id, actor=dana, now=LATER)


def test_a_person_who_sees_only_some_of_the_students_cannot_bring_back_for_all(session, maria, lee, clara, dana):
    session.add(StudentContact(student_id=lee.id, contact_id=maria.id))
    session.flush()
    removal = edits.remove(session, maria, None, actor=dana)
    with refused("removal.hidden_students"):
        undo_removal(session, removal.id, actor=clara, now=LATER)
    assert children(session, maria) == set()


def test_a_person_who_sees_only_the_sister_cannot_bring_back_for_the_brother(session, tom, maria, sam, dana):
    removal = edits.remove(session, maria, sam, actor=dana)
    with refused("access.no_contact"):
        undo_removal(session, removal.id, actor=tom, now=LATER)
    assert children(session, maria) == {"Eva"}


def test_undoing_a_removal_from_all_keeps_a_removal_from_one_student(session, maria, sam, clara):
    edits.remove(session, maria, sam, actor=clara)
    everywhere = edits.remove(session, maria, None, actor=clara)
    undo_removal(session, everywhere.id, actor=clara, now=LATER)
    assert children(session, maria) == {"Eva"}


def test_an_edit_is_in_force_again_when_its_contact_is_brought_back(session, sam, clara):
    otto = people.contact(session, sam, given="Otto")
    edits.change(session, otto, phone="+13125559901", actor=clara)
    removal = edits.remove(session, otto, sam, actor=clara)
    undo_removal(session, removal.id, actor=clara, now=LATER)
    assert edits.effective(session, otto)[0] == "+13125559901"


def test_removing_and_bringing_back_are_recorded_without_a_name(session, maria, sam, clara, dana):
    removal = edits.remove(session, maria, sam, actor=clara)
    undo_removal(session, removal.id, actor=dana, now=LATER)
    edits.remove(session, maria, None, actor=clara, now=LATER)
    assert edits.audit_log(session) == [
        ("contact.removed", clara.user_id, None, f"student {sam.id}"),
        ("contact.brought_back", dana.user_id, None, f"student {sam.id}"),
        ("contact.removed", clara.user_id, None, "all students"),
    ]
    reasons = session.scalars(select(Audit.reason).order_by(Audit.id)).all()
    assert reasons == ["The same person is listed twice", None, "The same person is listed twice"]
