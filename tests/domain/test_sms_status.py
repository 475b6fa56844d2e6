"""The SMS statuses, "no number", and "wrong person": color, words, order."""

import pytest

from bot.domain.sms_status import (
    GROUP_WORDS,
    MEANINGS,
    SEVERITY,
    STATUSES_BY_COLOR,
    WORK_ORDER,
    Color,
    Outcome,
    SmsStatus,
)

COLORS = {
    SmsStatus.LANDLINE: Color.YELLOW,
    SmsStatus.TURNED_OFF: Color.YELLOW,
    SmsStatus.UNCONFIRMED: Color.YELLOW,
    SmsStatus.BLOCKED: Color.RED,
    SmsStatus.INACTIVE: Color.RED,
    SmsStatus.OPT_OUT: Color.RED,
    SmsStatus.NO_NUMBER: Color.RED,
    SmsStatus.WRONG_PERSON: Color.RED,
}


@pytest.mark.parametrize("status", SmsStatus)
def test_color_of_each_status(status):
    assert MEANINGS[status].color is COLORS[status]


@pytest.mark.parametrize("color", Color)
def test_statuses_with_a_color_are_listed_worst_first(color):
    assert STATUSES_BY_COLOR[color] == tuple(status for status in SEVERITY if COLORS[status] is color)


def test_severity_has_each_status_once_red_before_yellow():
    assert sorted(SEVERITY) == sorted(SmsStatus)
    colors = [COLORS[status] for status in SEVERITY]
    assert colors == sorted(colors, key=list(Color).index, reverse=True)


def test_order_of_the_work_has_each_status_once():
    assert sorted(WORK_ORDER) == sorted(SmsStatus)
    assert set(GROUP_WORDS) == set(SmsStatus)


def test_every_status_has_its_own_words():
    meanings = [MEANINGS[status] for status in SmsStatus]
    for texts in zip(*((each.label, each.explanation, each.next_step) for each in meanings), strict=True):
        assert len(set(texts)) == len(SmsStatus)
    assert all(each.explanation.endswith(".") and each.next_step.endswith(".") for each in meanings)


def test_opt_out_is_lifted_only_by_the_contact():
    assert "They can text START" in MEANINGS[SmsStatus.OPT_OUT].next_step


def test_outcome_has_every_status_that_a_receipt_can_show():
    shown = {str(outcome) for outcome in Outcome} & {str(status) for status in SmsStatus}
    assert {str(status) for status in SmsStatus} - shown == {"no_number", "wrong_person"}
