"""*Log a call*, and the scripts for one."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from support import people, screens
from support.snapshots import draw

from bot.db.models.messages import ListEntry, PhoneNumber
from bot.sandbox.slack.models import text_of


@pytest.fixture
def sam(session, office):
    """Sam's mother Maria is blocked, and his father Otto is inactive."""
    sam = people.student(session, at=office.district.lincoln)
    people.list_contact(session, people.contact(session, sam, phone="+13125550142"))
    otto = people.contact(session, sam, given="Otto", phone="+13125550143", priority=2)
    people.list_contact(session, otto, "inactive")
    session.commit()
    return sam


def open_student(person):
    message = person.command("/cleanup", "grade 5").message
    screens.open_student(person, message)
    return message


def open_call(person):
    message = open_student(person)
    button = {"block_id": f"contact.{first_contact(person)}"}
    assert person.press(person.view, action_id="contact.show_number", **button).ok
    assert person.press(person.view, action_id="contact.log_call", **button).ok
    return message


def first_contact(person):
    return next(block["block_id"] for block in person.view.blocks if block["block_id"].startswith("contact."))[8:]


def log(person, **values):
    return person.fill(person.view, values).submit()


def entry(session):
    session.rollback()
    return session.scalars(select(ListEntry).order_by(ListEntry.contact_id)).first()


def test_call_is_logged_from_the_shown_number(office, session, sam, snapshot):
    message = open_call(office.clara)
    assert draw(office.clara.view) == snapshot
    assert log(office.clara, outcome="voicemail").ok
    assert "Logged for Maria Rivera: left voicemail." in text_of(office.clara.view)
    taken = f"<@{office.clara.id}> left voicemail today, and takes care of this contact."
    assert taken in text_of(office.clara.view)
    assert f"📞 <@{office.clara.id}> left voicemail today" in text_of(office.clara.current(message))
    assert entry(session).claimed_by == office.clara.id
    screens.choose_more(office.clara, "history", entry(session).contact_id)
    assert "Called: left voicemail" in text_of(office.clara.view)


def test_call_is_logged_from_the_form_that_the_list_opened(office, session, sam):
    session.delete(session.scalars(select(ListEntry).order_by(ListEntry.contact_id.desc())).first())
    session.commit()
    message = office.clara.command("/cleanup", "grade 5").message
    assert office.clara.press(message, action_id="student.open").ok
    assert office.clara.press(office.clara.view, action_id="contact.log_call").ok
    assert log(office.clara, outcome="asked").ok
    assert office.clara.views == []
    assert "Logged for Maria Rivera: asked for the new number." in text_of(office.clara.current(message))


def test_logged_call_is_undone_where_it_was_logged(office, session, sam):
    message = open_call(office.clara)
    assert log(office.clara, outcome="voicemail").ok
    assert office.clara.press(office.clara.view, action_id="call.undo").ok
    assert (entry(session).call_outcome, entry(session).claimed_by) == (None, None)
    assert "Undone." in text_of(office.clara.view)
    assert "left voicemail" not in text_of(office.clara.current(message))


def test_call_logged_from_the_form_is_undone_on_the_list(office, session, sam):
    session.delete(session.scalars(select(ListEntry).order_by(ListEntry.contact_id.desc())).first())
    session.commit()
    message = office.clara.command("/cleanup", "grade 5").message
    assert office.clara.press(message, action_id="student.open").ok
    assert office.clara.press(office.clara.view, action_id="contact.log_call").ok
    assert log(office.clara, outcome="asked").ok
    assert office.clara.press(office.clara.current(message), action_id="call.undo_on_list").ok
    assert entry(session).call_outcome is None
    assert "asked for the new number today" not in text_of(office.clara.current(message))


def test_number_confirmed_in_a_call_is_shown_and_undone(office, session, sam):
    message = open_call(office.clara)
    assert log(office.clara, outcome="confirmed").ok
    shown = text_of(office.clara.view)
    assert "they confirmed the number. That does not show that texts arrive: the contact stays on the list." in shown
    assert "Last verified" in shown
    assert "the family confirmed it in a call" in shown
    assert f"<@{office.clara.id}> confirmed the number with them today" in text_of(office.clara.current(message))
    assert office.clara.press(office.clara.view, action_id="call.undo").ok
    assert "Last verified" not in text_of(office.clara.view)
    assert "confirmed the number" not in text_of(office.clara.current(message))


def test_confirmed_number_of_a_wrong_person_is_theirs_again(office, session, sam):
    number = session.get_one(PhoneNumber, "+13125550142")
    number.wrong_person_at, number.wrong_person_by, number.status = people.NOW, "twilio", "wrong_person"
    session.commit()
    open_call(office.clara)
    assert log(office.clara, outcome="confirmed").ok
    assert "It is no longer recorded as Wrong person for them" in text_of(office.clara.view)
    assert "call.undo" not in str(office.clara.view.blocks)
    session.refresh(number)
    assert number.wrong_person_at is None


def test_call_back_without_a_day_is_asked_for_under_its_field(office, session, sam):
    open_call(office.clara)
    assert set(log(office.clara, outcome="call_back").errors) == {"back_on"}
    next_year, tomorrow = ((office.now() + timedelta(days=days)).date().isoformat() for days in (365, 1))
    assert set(log(office.clara, outcome="call_back", back_on=next_year).errors) == {"back_on"}
    assert entry(session).call_outcome is None
    assert log(office.clara, outcome="call_back", back_on=tomorrow).ok
    assert entry(session).call_back_on.isoformat() == tomorrow


def test_day_to_call_back_is_kept_with_every_outcome(office, session, sam):
    message = open_call(office.clara)
    tomorrow = office.now().date() + timedelta(days=1)
    assert log(office.clara, outcome="voicemail", back_on=tomorrow.isoformat()).ok
    assert entry(session).call_back_on == tomorrow
    assert "Your Home tab brings it back on" in text_of(office.clara.view)
    assert f"left voicemail today, will call back {tomorrow:%a}" in text_of(office.clara.current(message))


def test_wrong_person_leads_to_the_dialog_that_says_who_is_affected(office, session, sam):
    open_call(office.clara)
    assert not log(office.clara, outcome="wrong_person").errors
    assert [view.body["callback_id"] for view in office.clara.views] == [
        "student.dialog",
        "contact.wrong_person_confirmed",
    ]
    assert entry(session).call_outcome == "wrong_person"
    assert log(office.clara).ok
    session.rollback()
    assert session.get_one(PhoneNumber, "+13125550142").wrong_person_by == office.clara.id
    assert "no more texts" in text_of(office.clara.view)


def test_script_fits_the_status_and_names_no_one(office, session, sam, snapshot):
    open_student(office.clara)
    screens.choose_more(office.clara, "contact.script")
    view = office.clara.view
    fields = [block["element"]["initial_value"] for block in view.blocks if block["type"] == "input"]
    assert "\n---\n".join(fields) == snapshot(name="new number")
    assert not any(name in text for text in fields for name in ("Sam", "Maria", "Rivera"))
    for action_id in ("contact.script.start", "contact.script.verify"):
        assert office.clara.press(office.clara.view, action_id=action_id).ok
        view = office.clara.view
        fields = [block["element"]["initial_value"] for block in view.blocks if block["type"] == "input"]
        assert "\n---\n".join(fields) == snapshot(name=action_id.rpartition(".")[2])
    assert log(office.clara).ok
    assert office.clara.view.body["callback_id"] == "student.dialog"


def test_script_after_stop_asks_for_start(office, session, sam):
    number = session.get_one(PhoneNumber, "+13125550142")
    number.opted_out_at, number.opted_out_by, number.status = people.NOW, "twilio", "opt_out"
    session.commit()
    open_student(office.clara)
    screens.choose_more(office.clara, "contact.script", first_contact(office.clara))
    assert "text START to (312) 555-0100" in str(office.clara.view.blocks)


@pytest.mark.parametrize("settings_changed", [{"editor_roles": "districtAdministrator"}])
def test_person_who_may_only_look_logs_no_call(office, session, sam):
    open_student(office.clara)
    button = {"block_id": f"contact.{first_contact(office.clara)}"}
    assert office.clara.press(office.clara.view, action_id="contact.show_number", **button).ok
    office.clara.press(office.clara.view, action_id="contact.log_call", **button)
    assert "changing contacts is for other roles" in text_of(office.clara.view)
