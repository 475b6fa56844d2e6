"""*Verify now*: the code in the dialog, and what the dialog shows after the text, or without one."""

import pytest
from sqlalchemy import select
from support import people, screens
from support.snapshots import draw

from bot.access.identity import AccessRules
from bot.cleanup_list.noted_numbers import refresh_noted_numbers
from bot.contact_edits.counter import take_code
from bot.db.models.counter import CounterCode
from bot.mass_messages.opt_outs import apply_opt_out
from bot.providers.counter_codes import CounterText
from bot.sandbox.slack.models import text_of

OLD, NEW = "+13125550142", "+13125559901"


@pytest.fixture
def maria(session, office):
    """Sam's mother Maria is inactive, and his father Otto blocked."""
    sam = people.student(session, at=office.district.lincoln)
    maria = people.list_contact(session, people.contact(session, sam, phone=OLD), "inactive")
    people.list_contact(session, people.contact(session, sam, given="Otto", priority=2))
    session.commit()
    return maria


def open_edit(person, contact):
    message = person.command("/cleanup", "grade 5").message
    screens.open_student(person, message)
    assert person.press(person.view, action_id="contact.edit", value=str(contact.id)).ok
    return message


def verify(person, contact):
    message = open_edit(person, contact)
    assert person.press(person.view, action_id="contact.verify_now").ok
    return message


def code(session):
    session.rollback()
    return session.scalars(select(CounterCode.code).order_by(CounterCode.id.desc())).first()


def send(office, session, sent, phone):
    key = f"SM{phone}{sent}"
    received = CounterText("twilio", key, phone, sent)
    taken = take_code(session, received, rules=AccessRules(), today=office.now().date(), now=office.now())
    session.commit()
    return taken


def text(office, session, phone=NEW):
    assert send(office, session, code(session), phone)
    assert office.tick().failed == ()


def test_dialog_shows_a_code_and_our_number(office, session, maria):
    verify(office.clara, maria)
    shown = draw(office.clara.view)
    assert code(session) in shown
    assert "(312) 555-0100" in shown


def test_dialog_student_and_list_show_the_verified_number(office, session, maria, snapshot):
    message = verify(office.clara, maria)
    text(office, session)
    assert draw(office.clara.view) == snapshot
    student = office.clara.views[-2]
    assert "Verified at the counter." in text_of(student)
    assert "with a code at the counter" in text_of(student)
    assert "edit.undo" in screens.action_ids(student)
    assert "••• 9901" in text_of(office.clara.current(message))


def test_form_of_the_list_is_replaced_by_the_outcome(office, session, maria):
    kim = people.student(session, "Kim", at=office.district.lincoln)
    lee = people.list_contact(session, people.contact(session, kim, given="Lee"))
    session.commit()
    message = office.clara.command("/cleanup", "kim").message
    assert office.clara.press(message, action_id="student.open").ok
    assert office.clara.press(office.clara.view, action_id="contact.verify_now", text="Verify now").ok
    text(office, session, lee.sis_phone)
    assert "Verified at the counter: Lee Rivera has" in text_of(office.clara.view)
    assert "Verified at the counter" in text_of(office.clara.current(message))


def test_opted_out_number_says_what_to_ask(office, session, maria, snapshot):
    apply_opt_out(session, NEW, by="twilio", now=office.now())
    session.commit()
    verify(office.clara, maria)
    text(office, session)
    assert draw(office.clara.view) == snapshot


def test_number_with_a_note_says_what_to_ask(office, session, maria):
    maria.sis_phone_note, maria.sis_note_kind = "DO NOT TEXT", "refused"
    session.flush()
    refresh_noted_numbers(session, now=office.now())
    session.commit()
    verify(office.clara, maria)
    text(office, session, OLD)
    shown = text_of(office.clara.view)
    assert "A note in the student information system asks not to text this number" in shown
    assert "START" not in shown


def test_dialog_offers_a_new_code_at_the_end(office, session, maria, snapshot):
    verify(office.clara, maria)
    first = code(session)
    office.advance(minutes=11)
    assert office.tick().counts["counter_dialogs"] == 1
    assert draw(office.clara.view) == snapshot
    assert office.clara.press(office.clara.view, action_id="contact.verify_now").ok
    assert code(session) != first
    assert code(session) in draw(office.clara.view)


def test_dialog_offers_a_new_code_at_once_where_wrong_ones_were_texted(office, session, maria):
    verify(office.clara, maria)
    guessed = code(session)
    for sender in range(20):
        send(office, session, "2099", f"+1312555{8000 + sender}")
    assert not send(office, session, guessed, NEW)
    assert office.tick().counts["counter_dialogs"] == 1
    assert "The code came, but was not taken" in text_of(office.clara.view)
    assert office.clara.press(office.clara.view, action_id="contact.verify_now").ok
    assert send(office, session, code(session), NEW)


def test_closed_dialog_fails_nothing(office, session, maria):
    message = verify(office.clara, maria)
    assert office.clara.close(everything=True).ok
    text(office, session)
    assert "••• 9901" in text_of(office.clara.current(message))
    assert office.tick().counts["counter_dialogs"] == 0


def test_confirmed_in_a_call(office, session, maria):
    verify(office.clara, maria)
    assert office.clara.press(office.clara.view, action_id="contact.number_confirmed").ok
    assert "Confirmed: Maria Rivera has ••• 0142." in text_of(office.clara.view)
    assert "the family confirmed it in a call" in text_of(office.clara.views[-2])


@pytest.mark.parametrize(
    "settings_changed", [{"opt_in_number": None}, {"twilio_auth_token": None}], ids=["no number", "no provider"]
)
def test_button_is_absent_where_no_text_can_come_in(office, maria):
    open_edit(office.clara, maria)
    assert "contact.verify_now" not in screens.action_ids(office.clara.view)
