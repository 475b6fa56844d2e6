"""The six statuses and the lack of a number: colour, words, order."""

import pytest

from bot.sms_status import SEVERITY, Colour, Outcome, SmsStatus, meaning, of_colour

COLOURS = {
    SmsStatus.LANDLINE: Colour.YELLOW,
    SmsStatus.TURNED_OFF: Colour.YELLOW,
    SmsStatus.UNCONFIRMED: Colour.YELLOW,
    SmsStatus.BLOCKED: Colour.RED,
    SmsStatus.INACTIVE: Colour.RED,
    SmsStatus.OPT_OUT: Colour.RED,
    SmsStatus.NO_NUMBER: Colour.RED,
}


@pytest.mark.parametrize("status", SmsStatus)
def test_yellow_may_still_work_and_red_no_longer_does(status):
    assert meaning(status).colour is COLOURS[status]


@pytest.mark.parametrize("colour", Colour)
def test_a_colour_means_all_its_statuses_worst_first(colour):
    assert of_colour(colour) == tuple(one for one in SEVERITY if COLOURS[one] is colour)


def test_every_status_stands_once_in_the_order_every_red_one_above_every_yellow_one():
    assert sorted(SEVERITY) == sorted(SmsStatus)
    colours = [COLOURS[one] for one in SEVERITY]
    assert colours == sorted(colours, key=list(Colour).index, reverse=True)


def test_every_status_has_its_own_word_explanation_and_next_step_in_whole_sentences():
    said = [meaning(status) for status in SmsStatus]
    for texts in zip(*((one.label, one.explanation, one.next_step) for one in said), strict=True):
        assert len(set(texts)) == len(SmsStatus)
    assert all(one.explanation.endswith(".") and one.next_step.endswith(".") for one in said)


def test_no_next_step_tells_staff_to_lift_an_opt_out():
    assert "They can text START" in meaning(SmsStatus.OPT_OUT).next_step


def test_a_delivery_can_end_in_every_status_but_the_lack_of_a_number():
    assert {str(one) for one in Outcome} >= {str(one) for one in SmsStatus} - {"no_number"}
    assert "no_number" not in {str(one) for one in Outcome}
