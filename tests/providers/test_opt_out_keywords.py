import pytest

from bot.providers.opt_out_keywords import Keyword, keyword, normal_form, opt_out_messages
from bot.providers.receipt import FamilyText, OptOutMessage

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


@pytest.mark.parametrize("text", ["YES", "Please stop by at noon", "7"])
def test_other_texts_are_returned_as_they_are(text):
    assert opt_out_messages("twilio", "SM1", sender=PHONE, text=text) == [FamilyText("twilio", "SM1", PHONE, text)]


@pytest.mark.parametrize("text", ["", " ", None, {"text": "STOP"}])
def test_message_without_a_text_is_ignored(text):
    assert opt_out_messages("twilio", "SM1", sender=PHONE, text=text) == []


def test_text_of_a_family_is_not_shown_where_it_may_be_logged():
    assert "noon" not in repr(opt_out_messages("twilio", "SM1", sender=PHONE, text="Please stop by at noon"))


@pytest.mark.parametrize("written", ["STOP", "Ｓｔｏｐ．", "“opt‑out” 🙏", "No MÁS!", "s.t.o.p", "don't"])
def test_normal_form_is_idempotent(written):
    assert normal_form(normal_form(written)) == normal_form(written)


@pytest.mark.parametrize("text", ["dejar", "¡Dejar!", "do not send", "DO-NOT-SEND."])
def test_a_district_has_words_of_its_own(text):
    assert keyword(text) is None
    assert keyword(text, own_words=["Dejar", "do not send"]) is Keyword.OPT_OUT


@pytest.mark.parametrize("sender", ["72345", "SCHOOL", "", None])
def test_sender_without_a_number_is_ignored(sender):
    assert opt_out_messages("twilio", "SM1", sender=sender, text="STOP") == []
