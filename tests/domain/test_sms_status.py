"""The six statuses and the lack of a number: colour, words, order."""

import pytest

from bot.domain.sms_status import SEVERITY, Color, Outcome, SmsStatus, meaning, statuses_with_color

COLOURS = {
    SmsStatus.LANDLINE: Color.YELLOW,
    SmsStatus.TURNED_OFF: Color.YELLOW,
    SmsStatus.UNCONFIRMED: Color.YELLOW,
    SmsStatus.BLOCKED: Color.RED,
    SmsStatus.INACTIVE: Color.RED,
    SmsStatus.OPT_OUT: Color.RED,
    SmsStatus.NO_NUMBER: Color.RED,
}


@pytest.mark.parametrize("status", SmsStatus)
def test_yellow_may_still_work_and_red_no_longer_does(status):
    assert meaning(status).colour is COLOURS[status]


@pytest.mark.parametrize("colour", Color)
def test_a_colour_means_all_its_statuses_worst_first(colour):
    assert statuses_with_color(colour) == tuple(one for one in SEVERITY if COLOURS[one] is colour)


def test_every_status_stands_once_in_the_order_every_red_one_above_every_yellow_one():
    assert sorted(SEVERITY) == sorted(SmsStatus)
    colours = [COLOURS[one] for one in SEVERITY]
    assert colours == sorted(colours, key=list(Color).index, reverse=True)


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
