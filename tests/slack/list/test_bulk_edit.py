"""*Bulk edit…*: contacts of a whole list are changed together, each by itself; every refusal is named, and all can be undone."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, select, text, update
from support import edits, people, screens
from support.lock_waits import wait_for_blocked_connections
from support.snapshots import draw

from bot.access.rights import AccessLevel
from bot.contact_edits import bulk
from bot.db.models.bulk import BulkChange, BulkContact
from bot.db.models.edits import Edit, Removal
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.db.models.roster import Contact, Student, StudentSchool
from bot.sandbox.slack.models import text_of
from bot.slack.list import bulk_cards


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


def add_landlines(session, office, number):
    """Add students with a landline each, so that the list has several pages."""
    for index in range(number):
        student = people.student(session, f"Ida{index}", "Abel", at=office.district.lincoln)
        people.list_contact(session, people.contact(session, student, given=f"Adult{index}", family="Abel"), "landline")
    session.commit()


def open_dialog(person, filter_text="landline"):
    message = person.command("/cleanup", filter_text).message
    assert person.press(message, action_id="list.bulk").ok
    return person.view


def apply(person, view, action, only=None):
    chosen = {"which": "some", "who": [str(contact.id) for contact in only]} if only else {"which": "all"}
    return person.fill(view, {**chosen, "what": action}).submit()


def open_calls(person, filter_text=""):
    message = person.command("/cleanup", filter_text).message
    assert person.press(message, action_id="list.bulk_calls").ok
    return person.view


def switch_all(person):
    return person.fill(open_calls(person), {}).submit()


def undo_all(person):
    return person.press(person.view, action_id="list.bulk_undo")


def edited_methods(session):
    session.rollback()
    return session.scalars(select(Edit.value).where(Edit.state == "pending")).all()


def changed_contacts(session):
    session.rollback()
    return set(session.scalars(select(Edit.contact_id).where(Edit.state == "pending")))


def change_behind_the_dialog(session, contact):
    session.execute(update(Contact).where(Contact.id == contact.id).values(version=Contact.version + 1))
    session.commit()


# The dialogs.


def test_dialog_names_contacts_with_student_and_status(office, families, snapshot):
    assert draw(open_dialog(office.clara)) == snapshot


def test_confirmation_says_how_many_and_whom_else_it_touches(office, families, snapshot):
    """Dana sees Kai at Roosevelt, who shares a contact with Kim; Clara does not."""
    assert draw(open_calls(office.dana, "school Lincoln")) == snapshot(name="district")
    assert draw(open_calls(office.clara)) == snapshot(name="school")


def test_single_landline_has_no_button_for_all(office, families, session):
    session.execute(delete(ListEntry).where(ListEntry.contact_id != families["Sam"].id))
    session.commit()
    message = office.clara.command("/cleanup").message
    assert "list.bulk_calls" not in screens.action_ids(message)


def test_button_of_an_older_message_opens_the_whole_list(office, families, session):
    """Its value is the page that it stood on."""
    add_landlines(session, office, 9)
    message = office.clara.command("/cleanup", "landline page 2").message
    assert office.clara.press(message, action_id="list.bulk").ok
    assert "12 contacts" in draw(office.clara.view)


def test_list_that_is_too_long_says_how_to_narrow_it(office, families, monkeypatch, snapshot):
    monkeypatch.setattr("bot.cleanup_list.bulk_preview.MAX_CONTACTS", 2)
    assert draw(open_dialog(office.clara)) == snapshot


@pytest.mark.parametrize("settings_changed", [{"editor_roles": "principal"}])
def test_staff_who_may_only_look_get_no_dialog(office, families):
    message = office.clara.command("/cleanup", "landline").message
    for action_id in ("list.bulk", "list.bulk_calls"):
        assert office.clara.press(message, action_id=action_id).ok
        assert office.clara.views == []
        assert "changing contacts is for other roles" in text_of(office.clara.last())


@pytest.mark.parametrize("filled", [{"which": "all", "who": True}, {"which": "some"}])
def test_choice_that_contradicts_itself_changes_nothing(office, families, session, filled):
    view = open_dialog(office.clara)
    if "who" in filled:
        filled = filled | {"who": [str(families["Sam"].id)]}
    outcome = office.clara.fill(view, filled | {"what": "call"}).submit()
    assert list(outcome.errors) == ["who"]
    assert edited_methods(session) == []


# Changes.


def test_landlines_switch_to_autocalls_together(office, families, session, snapshot):
    message = office.clara.command("/cleanup").message
    assert office.clara.press(message, action_id="list.bulk_calls").ok
    assert office.clara.fill(office.clara.view, {}).submit().ok
    assert draw(office.clara.view) == snapshot
    assert edited_methods(session) == ["call"] * 3
    assert text_of(office.clara.current(message)).count("gets autocalls now") == 3
    assert draw(office.clara.last()) == snapshot(name="message")
    assert draw(open_dialog(office.clara)) == snapshot(name="everyone updated")


def test_chosen_contacts_are_changed_and_no_others(office, families, session):
    assert apply(office.clara, open_dialog(office.clara), "call", [families["Sam"], families["Kim"]]).ok
    assert changed_contacts(session) == {families["Sam"].id, families["Kim"].id}


def test_contact_of_hidden_students_stays_and_the_rest_is_removed(office, families, session, snapshot):
    assert apply(office.clara, open_dialog(office.clara), "remove asked").ok
    assert draw(office.clara.view) == snapshot
    assert draw(office.clara.last()) == snapshot(name="message")
    assert office.clara.press(office.clara.last(), action_id="list.bulk_stayed").ok
    assert "Kims Parent (Kim Rivera)" in draw(office.clara.view)
    session.rollback()
    removed = set(session.scalars(select(Removal.contact_id)))
    assert removed == {families["Sam"].id, families["Lea"].id}


def test_removal_has_the_chosen_reason(office, families, session):
    apply(office.clara, open_dialog(office.clara), "remove duplicate")
    assert set(session.scalars(select(Removal.reason))) == {"The same person is listed twice"}


def test_contact_changed_meanwhile_stays_as_it_is(office, families, session, snapshot):
    view = open_dialog(office.clara)
    change_behind_the_dialog(session, families["Sam"])
    assert apply(office.clara, view, "call").ok
    assert draw(office.clara.view) == snapshot
    assert changed_contacts(session) == {families["Lea"].id, families["Kim"].id}


def test_contact_that_joined_the_list_meanwhile_is_not_changed(office, families, session):
    view = open_dialog(office.clara)
    add_landlines(session, office, 1)
    assert apply(office.clara, view, "call").ok
    assert changed_contacts(session) == {contact.id for contact in families.values()}


def test_number_out_of_service_gets_no_autocalls(office, families, session, snapshot):
    view = open_dialog(office.clara)
    session.execute(update(PhoneNumber).values(status="inactive").where(PhoneNumber.phone == families["Lea"].sis_phone))
    session.commit()
    apply(office.clara, view, "call")
    assert draw(office.clara.view) == snapshot
    assert changed_contacts(session) == {families["Sam"].id, families["Kim"].id}


def test_dialog_submitted_twice_changes_contacts_once(office, families, session):
    filled = office.clara.fill(open_dialog(office.clara), {"which": "all", "what": "call"})
    filled.submit()
    messages = len(office.clara.messages())
    filled.submit_stale()
    assert edited_methods(session) == ["call"] * 3
    assert len(office.clara.messages()) == messages


def test_contacts_are_locked_in_the_order_of_their_ids(office, families, session):
    """While the first contact is locked by another person, the change holds no later one."""
    view = open_dialog(office.clara)
    first, *later = sorted(contact.id for contact in families.values())
    locked = select(Contact.id).with_for_update()
    session.execute(locked.where(Contact.id == first))
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(office.clara.fill(view, {"which": "all", "what": "call"}).submit)
        wait_for_blocked_connections(office.engine)
        free = session.scalars(locked.where(Contact.id.in_(later)).with_for_update(skip_locked=True)).all()
        session.rollback()
    assert sorted(free) == later
    assert outcome.result().ok
    assert edited_methods(session) == ["call"] * 3


def test_contacts_of_hidden_students_are_not_changed(office, families, session):
    """The person's rights ended after the dialog opened."""
    view = open_dialog(office.clara)
    session.execute(StudentSchool.__table__.delete().where(StudentSchool.school_id == office.district.lincoln.id))
    session.commit()
    assert "not on your list anymore" in apply(office.clara, view, "call").errors["which"]
    assert edited_methods(session) == []


def test_contact_of_a_student_who_moved_away_stays(office, families, session, snapshot):
    view = open_dialog(office.clara)
    sam = session.scalar(select(Student.id).where(Student.given_name == "Sam"))
    session.execute(StudentSchool.__table__.delete().where(StudentSchool.student_id == sam))
    session.commit()
    assert apply(office.clara, view, "call").ok
    assert draw(office.clara.view) == snapshot
    assert changed_contacts(session) == {families["Lea"].id, families["Kim"].id}


def test_dialog_of_another_person_is_refused(office, families, session):
    """The draft's id was forged."""
    open_dialog(office.dana)
    view = open_dialog(office.clara)
    session.execute(update(BulkChange).values(user_id=office.dana.id))
    session.commit()
    apply(office.clara, view, "call")
    assert edited_methods(session) == []


def test_contacts_claimed_together_cannot_be_claimed_by_a_colleague(office, families, session, snapshot):
    assert apply(office.clara, open_dialog(office.clara), "claim").ok
    assert draw(office.clara.view) == snapshot
    message = office.ana.command("/cleanup", "landline").message
    assert f"🙋 <@{office.clara.id}>" in text_of(message)
    assert apply(office.ana, open_dialog(office.ana), "claim").ok
    assert draw(office.ana.view) == snapshot(name="claimed already")
    session.rollback()
    assert set(session.scalars(select(ListEntry.claimed_by))) == {office.clara.id}


# Undo.


def test_all_is_undone_together(office, families, session, snapshot):
    switch_all(office.clara)
    assert undo_all(office.clara).ok
    assert edited_methods(session) == []
    assert draw(office.clara.view) == snapshot
    assert draw(office.clara.last()) == snapshot(name="message")


def test_undo_from_the_message_changes_that_message(office, families, session):
    switch_all(office.clara)
    message = office.clara.last()
    assert office.clara.press(message, action_id="list.bulk_undo").ok
    assert edited_methods(session) == []
    assert "3 contacts are as before" in text_of(office.clara.current(message))
    assert "list.bulk_undo" not in screens.action_ids(office.clara.current(message))


def test_contact_changed_since_is_left_and_named(office, families, session, snapshot):
    switch_all(office.clara)
    edits.change(
        session,
        families["Sam"],
        phone="+13125557999",
        actor=people.actor_of(office.district.dana, level=AccessLevel.DISTRICT),
    )
    session.commit()
    undo_all(office.clara)
    assert draw(office.clara.view) == snapshot
    assert changed_contacts(session) == {families["Sam"].id}


def test_removals_and_claims_are_undone(office, families, session):
    apply(office.clara, open_dialog(office.clara), "claim")
    undo_all(office.clara)
    session.rollback()
    assert set(session.scalars(select(ListEntry.claimed_by))) == {None}
    apply(office.clara, open_dialog(office.clara), "remove asked")
    undo_all(office.clara)
    session.rollback()
    assert session.scalars(select(Removal.id).where(Removal.undone_at.is_(None))).all() == []


def test_second_undo_and_late_undo_are_refused(office, families, session):
    switch_all(office.clara)
    dialog, message = office.clara.view, office.clara.last()
    office.advance(hours=25)
    office.clara.press(message, action_id="list.bulk_undo")
    assert edited_methods(session) == ["call"] * 3
    office.advance(hours=-2)
    office.clara.press(message, action_id="list.bulk_undo")
    office.clara.press_stale(dialog, action_id="list.bulk_undo")
    assert edited_methods(session) == []
    session.rollback()
    assert session.scalars(select(BulkContact.outcome)).all() == ["undone"] * 3


def test_undo_of_a_colleague_is_refused(office, families, session):
    switch_all(office.clara)
    session.execute(update(BulkChange).values(user_id=office.dana.id))
    session.commit()
    undo_all(office.clara)
    assert edited_methods(session) == ["call"] * 3


def test_undo_does_not_lift_an_opt_out(office, families, session):
    switch_all(office.clara)
    phone = families["Sam"].sis_phone
    session.execute(update(PhoneNumber).values(opted_out_at=office.now()).where(PhoneNumber.phone == phone))
    session.commit()
    undo_all(office.clara)
    session.rollback()
    assert session.get(PhoneNumber, phone, populate_existing=True).opted_out_at
    assert session.get(ListEntry, families["Sam"].id, populate_existing=True).status == "opt_out"
    opted_out = text("SELECT bool_and(opted_out) FROM effective_contacts WHERE contact_id = :id")
    assert session.scalar(opted_out, {"id": families["Sam"].id})


# Batches.


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(bulk, "BATCH", 2)


def test_long_change_shows_progress_and_then_the_answer(office, families, session, small_batches):
    view = open_calls(office.clara)
    office.show_answers_first()
    assert office.clara.fill(view, {}).submit().ok
    assert "2 of 3" in draw(office.clara.view)
    office.wait_for_lazy_listeners()
    assert "3 contacts get autocalls" in draw(office.clara.view)
    assert "3 contacts get autocalls" in text_of(office.clara.last())
    assert edited_methods(session) == ["call"] * 3


def test_clock_continues_after_a_crash_without_changing_twice(office, families, session, small_batches, monkeypatch):
    def crash(*_args, **_options):
        raise KeyboardInterrupt

    view = open_calls(office.clara)
    with monkeypatch.context() as patched:
        patched.setattr("bot.slack.list.bulk_worker.finish", crash)
        office.show_answers_first()
        office.clara.fill(view, {}).submit()
        office.lazy.wait()
    versions = dict(session.execute(select(Contact.id, Contact.version)).all())
    assert edited_methods(session) == ["call"] * 2
    assert office.tick().counts["bulk_changes"] == 0  # The lease of the crashed process still holds.
    office.advance(minutes=3)
    assert office.tick().counts["bulk_changes"] == 1
    assert edited_methods(session) == ["call"] * 3
    assert sorted(dict(session.execute(select(Contact.id, Contact.version)).all()).values()) == [2, 2, 2], versions
    assert "3 contacts get autocalls" in text_of(office.clara.last())
    assert office.tick().counts["bulk_changes"] == 0


def test_rights_that_end_between_batches_leave_the_rest(office, families, session, small_batches, monkeypatch):
    view = open_calls(office.clara)
    run_batch = bulk.run_batch

    def then_leave(*args, **options):
        has_more = run_batch(*args, **options)
        args[0].execute(StudentSchool.__table__.delete())
        return has_more

    monkeypatch.setattr(bulk, "run_batch", then_leave)
    office.show_answers_first()
    office.clara.fill(view, {}).submit()
    office.wait_for_lazy_listeners()
    assert edited_methods(session) == ["call"] * 2
    assert "1 contact stayed as it was" in text_of(office.clara.last())


def test_old_changes_are_deleted(office, families, session):
    switch_all(office.clara)
    open_dialog(office.dana)
    office.advance(days=2)
    office.tick()
    assert session.scalars(select(BulkChange.state)).all() == ["done"]
    office.advance(days=31)
    office.tick()
    session.rollback()
    assert session.scalars(select(BulkChange.state)).all() == []


def test_answers_of_a_large_change_fit(office, families, session):
    """More contacts than a menu's hundred options become groups."""
    add_landlines(session, office, 101)
    view = open_dialog(office.clara)
    groups = next(block for block in view.body["blocks"] if block.get("block_id") == "who")["element"]["option_groups"]
    assert [len(group["options"]) for group in groups] == [100, 4]
    assert bulk_cards.ALL in str(view.body)
