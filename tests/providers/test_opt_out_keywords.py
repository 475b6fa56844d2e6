import pytest

from bot.providers.opt_out_keywords import opt_out_messages
from bot.providers.receipt import OptOutMessage

PHONE = "+13125550142"


@pytest.mark.parametrize("text", ["STOP", "stopall", " Stop\n all ", "Unsubscribe", "cancel", "END", "quit"])
def test_stop_is_recognized_in_any_case_and_spacing(text):
    assert opt_out_messages("twilio", "SM1", sender=PHONE, text=text) == [
        OptOutMessage("twilio", "SM1", PHONE, opted_out=True)
    ]


@pytest.mark.parametrize("text", ["START", "unstop "])
def test_start_is_recognized(text):
    assert opt_out_messages("twilio", "SM1", sender=PHONE, text=text) == [
        OptOutMessage("twilio", "SM1", PHONE, opted_out=False)
    ]


@pytest.mark.parametrize("text", ["YES", "Please stop by at noon", "STOP.", "", None, 7, {"text": "STOP"}])
def test_other_texts_are_neither_opt_out_nor_opt_in(text):
    assert opt_out_messages("twilio", "SM1", sender=PHONE, text=text) == []


@pytest.mark.parametrize("sender", ["72345", "SCHOOL", "", None])
def test_sender_without_a_number_is_ignored(sender):
    assert opt_out_messages("twilio", "SM1", sender=sender, text="STOP") == []
