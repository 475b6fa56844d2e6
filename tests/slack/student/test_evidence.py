"""Why a contact has its status, in the student dialog: which mass message, and what the provider answered."""

from datetime import timedelta
from functools import partial

import pytest
from support import mass_messages as messages
from support import people, screens
from support.people import NOW

from bot.mass_messages.opt_outs import record_opt_out
from bot.providers.receipt import OptOutMessage
from bot.sandbox.slack.models import text_of


@pytest.fixture
def maria(session, office):
    sam = people.student(session, at=office.district.lincoln)
    return people.contact(session, sam, phone="+13125550142")


def dialog_after(office, session, maria, *outcomes):
    """Return the text of the student dialog after one message for each outcome, which reached another family."""
    other = people.contact(session, people.student(session, "Kim", at=office.district.roosevelt))
    for outcome in outcomes:
        messages.send(session, {maria: outcome, other: "delivered"}, now=NOW)
    session.commit()
    message = office.clara.command("/cleanup", "grade 5").message
    screens.open_student(office.clara, message)
    return text_of(office.clara.view)


def failed(outcome, code):
    return partial(messages.a_receipt, outcome=outcome, code=code)


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (failed("turned_off", "30003"), " · The phone was off"),
        (failed("unconfirmed", None), " · No reason"),
        (failed("unconfirmed", "39999"), " · An unknown reason"),
        (None, " · No answer"),
    ],
    ids=["known code", "no code", "unknown code", "no receipt"],
)
def test_answer_of_the_provider_is_explained(office, session, maria, outcome, answer):
    text = dialog_after(office, session, maria, outcome)
    assert "Why: “Early dismissal today”" in text
    assert answer in text


def test_opt_out_is_the_reason_whatever_carriers_reported_before(office, session, maria):
    text = dialog_after(office, session, maria, failed("turned_off", "30003"), failed("opt_out", "21610"))
    assert "Opt-Out" in text
    assert "Why:" not in text


def test_delivery_after_a_stop_is_shown_with_what_to_ask(office, session, maria):
    stop = OptOutMessage("twilio", "SM1", maria.sis_phone, opted_out=True)
    messages.send(session, {maria: "delivered"}, now=NOW - timedelta(hours=1))
    record_opt_out(session, stop, now=NOW)
    assert "arrived all the same" not in dialog_after(office, session, maria)
    messages.send(session, {maria: "delivered"}, now=NOW + timedelta(hours=1))
    text = dialog_after(office, session, maria)
    assert "arrived all the same" in text
    assert "they text START" in text
