from datetime import timedelta

import pytest
from support.people import NOW

from bot.mass_messages.pulled_groups import GAP, group_texts
from bot.providers.message_log import SentText, body_key

CLOSED = body_key("School is closed.")


def a_text(minute, body=CLOSED, *, is_unprompted=True):
    number = f"+1312555{1000 + minute:04d}"
    return SentText(f"SM{minute}", number, NOW + timedelta(minutes=minute), body, is_unprompted, f"SM{minute}:", {})


@pytest.mark.parametrize(
    ("minutes", "groups"),
    [
        ([], []),
        ([0], [[0]]),
        ([0, 60, 120, 180], [[0, 60, 120, 180]]),  # A slow queue.
        ([0, 61], [[0], [61]]),
        ([1500, 0, 1], [[0, 1], [1500]]),  # The same words on the next day.
    ],
)
def test_texts_of_one_body_are_cut_at_pauses(minutes, groups):
    found = [[sent.provider_id for sent in group.texts] for group in group_texts(map(a_text, minutes), pause=GAP)]
    assert found == [[f"SM{minute}" for minute in group] for group in groups]


def test_other_bodies_are_other_groups():
    groups = group_texts([a_text(0), a_text(1, "other"), a_text(2)], pause=GAP)
    assert [len(group.texts) for group in groups] == [2, 1]


def test_answers_and_hidden_bodies_are_left_out():
    assert group_texts([a_text(0, is_unprompted=False), a_text(1, None)], pause=GAP) == []


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Closed today", " Closed  today\n", True),
        ("See https://twil.io/a1b2 today", "See https://twil.io/zz9 today", True),
        ("Sam was absent", "Lea was absent", False),
    ],
)
def test_body_key_ignores_blanks_and_links(one, other, is_same):
    assert (body_key(one) == body_key(other)) is is_same


def test_body_without_words_has_no_key():
    assert body_key(" \n") is None
    assert body_key("https://twil.io/a1b2") is None
