"""*Several at once…*: contacts of a page are changed together, each by itself, and every refusal is named."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text, update
from support import people
from support.snapshots import draw

from bot.db.models.edits import Edit, Removal
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.db.models.roster import Contact, StudentSchool
from bot.sandbox.slack.models import text_of


@pytest.fixture
def families(session, office):
    """Sam, Lea, and Kim at Lincoln, each with a landline; Kim's contact is also Kai's, of another school."""
    lincoln = office.district.lincoln
    kai = people.student(session, "Kai", at=office.district.roosevelt)
    contacts = {}
    for name, siblings in (("Sam", ()), ("Lea", ()), ("Kim", (kai,))):
        student = people.student(session, name, at=lincoln)
        contacts[name] = people.contact(session, student, *siblings, given=f"{name}s", family="Parent")
        people.list_contact(session, contacts[name], "landline")
    people.school_class(session, office.district.ana, lincoln, student)
    session.commit()
    return contacts


def open_dialog(person):
    message = person.command("/cleanup", "landline").message
    assert person.press(message, action_id="list.bulk").ok
    return person.view


def all_values(view):
    return [option["value"] for option in view.body["blocks"][0]["element"]["options"]]


def apply(person, view, action):
    return person.fill(view, {"who": all_values(view), "what": action}).submit()


def edited_methods(session):
    session.rollback()
    return session.scalars(select(Edit.value).where(Edit.state == "pending")).all()


def test_dialog_names_contacts_with_student_and_status(office, families, snapshot):
    assert draw(open_dialog(office.clara)) == snapshot


def test_landlines_switch_to_autocalls_together(office, families, session, snapshot):
    assert apply(office.clara, open_dialog(office.clara), "call").ok
    assert draw(office.clara.view) == snapshot
    assert edited_methods(session) == ["call"] * 3
    assert text_of(office.clara.last()).count("gets calls now") == 3
    assert draw(open_dialog(office.clara)) == snapshot(name="everyone updated")


def test_contact_of_hidden_students_stays_and_the_rest_is_removed(office, families, session, snapshot):
    assert apply(office.clara, open_dialog(office.clara), "remove asked").ok
    assert draw(office.clara.view) == snapshot
    session.rollback()
    removed = set(session.scalars(select(Removal.contact_id)))
    assert removed == {families["Sam"].id, families["Lea"].id}


def test_removal_has_the_chosen_reason(office, families, session):
    apply(office.clara, open_dialog(office.clara), "remove duplicate")
    assert set(session.scalars(select(Removal.reason))) == {"The same person is listed twice"}


def test_contact_changed_meanwhile_stays_as_it_is(office, families, session, snapshot):
    view = open_dialog(office.clara)
    session.execute(update(Contact).where(Contact.id == families["Sam"].id).values(version=2))
    session.commit()
    assert apply(office.clara, view, "call").ok
    assert draw(office.clara.view) == snapshot
    session.rollback()
    assert set(session.scalars(select(Edit.contact_id))) == {families["Lea"].id, families["Kim"].id}


def test_number_out_of_service_gets_no_autocalls(office, families, session, snapshot):
    view = open_dialog(office.clara)
    session.execute(update(PhoneNumber).values(status="inactive").where(PhoneNumber.phone == families["Lea"].sis_phone))
    session.commit()
    apply(office.clara, view, "call")
    assert draw(office.clara.view) == snapshot
    session.rollback()
    assert set(session.scalars(select(Edit.contact_id))) == {families["Sam"].id, families["Kim"].id}


def test_dialog_submitted_twice_changes_contacts_once(office, families, session):
    view = open_dialog(office.clara)
    filled = office.clara.fill(view, {"who": all_values(view), "what": "call"})
    filled.submit()
    filled.submit_stale()
    assert edited_methods(session) == ["call"] * 3


def test_contacts_are_locked_in_the_order_of_their_ids(office, families, session):
    """While the first contact is locked by another person, the dialog holds no later one, whatever the order of the ticks."""
    view = open_dialog(office.clara)
    ticked = sorted(all_values(view), key=lambda value: int(value.split()[0]), reverse=True)
    first, *later = sorted(contact.id for contact in families.values())
    locked = select(Contact.id).with_for_update()
    session.execute(locked.where(Contact.id == first))
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(office.clara.fill(view, {"who": ticked, "what": "call"}).submit)
        _wait_for_a_blocked_lock(office)
        free = session.scalars(locked.where(Contact.id.in_(later)).with_for_update(skip_locked=True)).all()
        session.rollback()
    assert sorted(free) == later
    assert outcome.result().ok
    assert edited_methods(session) == ["call"] * 3


def _wait_for_a_blocked_lock(office):
    blocked = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    deadline = time.monotonic() + 10
    with office.engine.connect() as connection:
        while not connection.scalar(blocked):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_contacts_of_hidden_students_are_not_changed(office, families, session, snapshot):
    """The dialog was forged, or the person's rights ended after it opened."""
    view = open_dialog(office.clara)
    session.execute(StudentSchool.__table__.delete().where(StudentSchool.school_id == office.district.lincoln.id))
    session.commit()
    assert apply(office.clara, view, "call").ok
    assert draw(office.clara.view) == snapshot
    assert edited_methods(session) == []


@pytest.mark.parametrize("settings_changed", [{"editor_roles": "principal"}])
def test_staff_who_may_only_look_get_no_dialog(office, families):
    message = office.clara.command("/cleanup", "landline").message
    assert office.clara.press(message, action_id="list.bulk").ok
    assert office.clara.views == []
    assert "changing contacts is for other roles" in text_of(office.clara.last())


def test_contacts_claimed_together_cannot_be_claimed_by_a_colleague(office, families, session, snapshot):
    assert apply(office.clara, open_dialog(office.clara), "take").ok
    assert draw(office.clara.view) == snapshot
    message = office.ana.command("/cleanup", "landline").message
    assert f"🙋 <@{office.clara.id}>" in text_of(message)
    assert apply(office.ana, open_dialog(office.ana), "take").ok
    assert draw(office.ana.view) == snapshot(name="claimed already")
    session.rollback()
    assert set(session.scalars(select(ListEntry.claimed_by))) == {office.clara.id}
