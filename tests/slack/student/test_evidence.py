"""Why a contact has its status: which mass message, and what the provider answered, in the student dialog."""

from functools import partial

import pytest
from support import mass_messages as messages
from support import people
from support.people import NOW

from bot.sandbox.slack.reading import text_of


@pytest.fixture
def maria(session, office):
    sam = people.student(session, at=office.district.lincoln)
    return people.contact(session, sam, phone="+13125550142")


def dialog_after(office, session, maria, *outcomes):
    for outcome in outcomes:
        messages.sent(session, {maria: outcome}, now=NOW)
    session.commit()
    answer = office.clara.command("/cleanup", "grade 5").message
    assert office.clara.press(answer, action_id="student.open").ok
    return text_of(office.clara.view)


def failed(outcome, code):
    return partial(messages.a_receipt, outcome=outcome, code=code)


def test_the_answer_of_the_provider_is_said_in_our_words(office, session, maria):
    said = dialog_after(office, session, maria, failed("turned_off", "30003"))
    assert "Why: “Early dismissal today”" in said
    assert "Twilio 30003: The phone was off, out of range or roaming." in said


def test_a_refusal_without_a_code_and_one_that_is_new_to_us(office, session, maria):
    assert "Twilio: No reason was given." in dialog_after(office, session, maria, failed("unconfirmed", None))
    assert "Twilio 39999: A reason that is new to us." in dialog_after(
        office, session, maria, failed("unconfirmed", "39999")
    )


def test_silence_until_the_window_closed_is_said_to_be_silence(office, session, maria):
    assert "Twilio: No answer came in time." in dialog_after(office, session, maria, None)


def test_a_stop_is_the_reason_whatever_carriers_said_before(office, session, maria):
    said = dialog_after(office, session, maria, failed("turned_off", "30003"), failed("opt_out", "21610"))
    assert "Opt-Out" in said
    assert "Why:" not in said
