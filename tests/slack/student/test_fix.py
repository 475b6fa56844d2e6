"""*Fix…* on a row: the edit form itself where one contact is to fix, and back to the list with what changed and *Undo*."""

import pytest
from sqlalchemy import select
from support import edits, people, screens
from support.snapshots import draw
from support.surfaces import clerk

from bot.db.models import views
from bot.db.models.edits import Audit, Edit
from bot.sandbox.slack.models import text_of


@pytest.fixture
def sam(session, office):
    """Sam, in Ana's class, has two parents: Maria is blocked, and Otto gets every text."""
    sam = people.student(session, at=office.district.lincoln)
    people.school_class(session, office.district.ana, office.district.lincoln, sam)
    people.list_contact(session, people.contact(session, sam, phone="+13125550142"))
    people.contact(session, sam, given="Otto", phone="+13125550143", priority=2)
    session.commit()
    return sam


def show_list(person):
    return person.command("/cleanup", "grade 5").message


def press_fix(person, place):
    assert person.press(place, action_id="student.open").ok
    return person.view


def save(person, **values):
    return person.fill(person.view, values).submit()


def phones(session):
    session.rollback()
    reach = views.contact_reach.c
    return session.scalars(select(reach.phone).order_by(reach.contact_id)).all()


def test_one_contact_to_fix_opens_the_form_with_one_press(office, session, sam, snapshot):
    form = press_fix(office.clara, show_list(office.clara))
    assert form.body["callback_id"] == "contact.save"
    assert draw(form) == snapshot
    session.rollback()
    assert session.scalars(select(Audit.action)).all() == ["phone.shown"]


def test_save_returns_to_the_list_with_undo(office, session, sam, snapshot):
    message = show_list(office.clara)
    press_fix(office.clara, message)
    assert save(office.clara, phone="312.555.0199").ok
    assert office.clara.views == []
    assert phones(session)[0] == "+13125550199"
    redrawn = office.clara.current(message)
    assert draw(redrawn).splitlines()[:2] == snapshot
    assert office.clara.press(redrawn, action_id="edit.undo_on_list").ok
    assert phones(session)[0] == "+13125550142"
    redrawn = office.clara.current(message)
    assert "Undone." in text_of(redrawn)
    assert "edit.undo_on_list" not in screens.action_ids(redrawn)


def test_save_returns_to_the_home_tab_with_undo(office, session, sam):
    office.clara.open_home()
    press_fix(office.clara, office.clara.home)
    assert save(office.clara, phone="312.555.0199").ok
    assert "Saved: Maria Rivera" in text_of(office.clara.home)
    assert office.clara.press(office.clara.home, action_id="edit.undo_on_list").ok
    assert "Undone." in text_of(office.clara.home)
    assert phones(session)[0] == "+13125550142"


def test_save_returns_to_the_list_in_a_dialog_with_undo(office, session, sam):
    assert office.clara.shortcut("list.open").ok
    press_fix(office.clara, office.clara.view)
    assert save(office.clara, phone="312.555.0199").ok
    assert [view.body["callback_id"] for view in office.clara.views] == ["list.dialog"]
    assert "Saved: Maria Rivera" in text_of(office.clara.view)
    assert office.clara.press(office.clara.view, action_id="edit.undo_on_list").ok
    assert phones(session)[0] == "+13125550142"


def test_undo_on_a_list_after_a_later_change_is_refused(office, session, sam):
    message = show_list(office.clara)
    press_fix(office.clara, message)
    assert save(office.clara, phone="312.555.0199").ok
    maria = session.scalars(select(Edit.contact_id)).one()
    edits.change(session, session.get_one(people.Contact, maria), phone="+13125550150", actor=clerk(office))
    session.commit()
    office.clara.press(office.clara.current(message), action_id="edit.undo_on_list")
    assert phones(session)[0] == "+13125550150"
    assert "changed again since" in text_of(office.clara.last())


def test_two_contacts_to_fix_open_the_student(office, session, sam):
    people.list_contact(session, people.contact(session, sam, given="Ida", phone="+13125550144"), "inactive")
    session.commit()
    assert press_fix(office.clara, show_list(office.clara)).body["callback_id"] == "student.dialog"


def test_contact_who_only_waits_is_not_to_fix(office, session, sam):
    ida = people.list_contact(session, people.contact(session, sam, given="Ida", phone="+13125550144"), "inactive")
    edits.change(session, ida, phone="+13125550188", actor=clerk(office))
    session.commit()
    assert "Maria Rivera" in text_of(press_fix(office.clara, show_list(office.clara)))
    assert office.clara.view.body["callback_id"] == "contact.save"


@pytest.mark.parametrize("settings_changed", [{"editor_roles": "districtAdministrator"}])
def test_person_who_may_only_look_gets_the_student(office, sam):
    assert press_fix(office.clara, show_list(office.clara)).body["callback_id"] == "student.dialog"


def test_form_leads_to_the_student_and_its_dialogs(office, sam):
    press_fix(office.clara, show_list(office.clara))
    assert office.clara.press(office.clara.view, action_id="student.all_contacts").ok
    assert [view.body["callback_id"] for view in office.clara.views] == ["student.dialog"]
    assert "Otto Rivera" in text_of(office.clara.view)


def test_second_editor_of_the_form_sees_what_the_first_saved(office, session, sam):
    message = show_list(office.clara)
    press_fix(office.clara, message)
    press_fix(office.ana, show_list(office.ana))
    assert save(office.ana, phone="(312) 555-0150").ok
    save(office.clara, phone="(312) 555-0160")
    assert "changed this contact while you were editing" in text_of(office.clara.view)
    assert office.clara.fill(office.clara.view, {}).submit().ok
    assert office.clara.views == []
    assert phones(session)[0] == "+13125550160"
    assert "Saved: Maria Rivera" in text_of(office.clara.current(message))
