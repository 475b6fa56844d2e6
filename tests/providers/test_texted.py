import pytest

from bot.providers.receipt import OptOutMessage
from bot.providers.texted import heard

PHONE = "+13125550142"


@pytest.mark.parametrize("text", ["STOP", "stopall", " Stop\n all ", "Unsubscribe", "cancel", "END", "quit"])
def test_a_stop_is_heard_in_any_case_and_with_any_space(text):
    assert heard("twilio", "SM1", sender=PHONE, text=text) == [OptOutMessage("twilio", "SM1", PHONE, opted_out=True)]


@pytest.mark.parametrize("text", ["START", "unstop "])
def test_a_start_is_heard(text):
    assert heard("twilio", "SM1", sender=PHONE, text=text) == [OptOutMessage("twilio", "SM1", PHONE, opted_out=False)]


@pytest.mark.parametrize("text", ["YES", "Please stop by at noon", "STOP.", "", None, 7, {"text": "STOP"}])
def test_other_words_lift_no_opt_out_and_make_none(text):
    assert heard("twilio", "SM1", sender=PHONE, text=text) == []


@pytest.mark.parametrize("sender", ["72345", "SCHOOL", "", None])
def test_whoever_writes_without_a_number_is_not_heard(sender):
    assert heard("twilio", "SM1", sender=sender, text="STOP") == []
