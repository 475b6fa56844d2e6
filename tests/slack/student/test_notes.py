"""A note of the SIS beside a number: shown in the student dialog, and overruled by staff with one button."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from support import mass_messages as messages
from support import people, screens
from support.snapshots import draw

from bot.cleanup_list.noted_numbers import refresh_noted_numbers
from bot.db.models.edits import Audit
from bot.sandbox.slack.models import text_of

NUMBER = "+13125550142"


@pytest.fixture
def maria(session, office):
    sam = people.student(session, at=office.district.roosevelt)
    maria = people.contact(session, sam, phone=NUMBER)
    maria.sis_phone_note, maria.sis_note_kind = "DO NOT TEXT, use 312-555-0199", "refused"
    session.flush()
    refresh_noted_numbers(session, now=people.NOW)
    session.commit()
    return maria


def test_note_is_shown_and_overruled(office, session: Session, maria, snapshot):
    assert set(messages.the_list(session).values()) == {"opt_out"}
    message = office.dana.command("/cleanup", "sam").message
    screens.open_student(office.dana, message)
    assert draw(office.dana.view) == snapshot
    assert office.dana.press(office.dana.view, action_id="note.overrule").ok
    assert "note.overrule" not in screens.action_ids(office.dana.view)
    assert messages.the_list(session) == {}
    entry = session.scalars(select(Audit).where(Audit.action == "note.overruled")).one()
    assert (entry.subject_id, entry.actor) == (maria.id, office.dana.id)


def test_confirmed_call_says_what_ends_the_note(office, maria):
    screens.open_student(office.dana, office.dana.command("/cleanup", "sam").message)
    for button in ("contact.show_number", "contact.log_call"):
        assert office.dana.press(office.dana.view, action_id=button).ok
    assert office.dana.fill(office.dana.view, {"outcome": "confirmed"}).submit().ok
    shown = text_of(office.dana.view)
    assert "A note in the student information system asks not to text them" in shown
    assert "START" not in shown


def test_script_does_not_claim_a_stop_that_was_not_texted(office, maria):
    screens.open_student(office.dana, office.dana.command("/cleanup", "sam").message)
    screens.choose_more(office.dana, "contact.script", maria.id)
    assert "May I check the number" in str(office.dana.view.blocks)


def test_form_of_a_refused_number_warns_that_a_new_one_is_texted(office, maria):
    message = office.dana.command("/cleanup", "sam").message
    screens.open_student(office.dana, message)
    office.dana.press(office.dana.view, action_id="contact.edit")
    said = text_of(office.dana.view)
    assert "A note in the student information system asks not to text this number" in said
    assert "START" not in said
