"""Opt-out words, and texts that resemble one, measured on a labeled list of texts."""

from collections import Counter
from pathlib import Path

import pytest

from bot.providers.opt_out_keywords import keyword
from bot.providers.unclear_texts import Topic, topic

_LABELS = ("opt_out", "near", "wrong_person", "neither")
_TOPICS = {Topic.OPT_OUT: "near", Topic.WRONG_PERSON: "wrong_person", None: "neither"}


def labeled_texts():
    """Return (text, label) of each line of the list; blanks around a text belong to it."""
    label, texts = "", []
    for line in Path(__file__).with_name("family_texts.txt").read_text(encoding="utf-8").splitlines():
        if line in {f"[{name}]" for name in _LABELS}:
            label = line[1:-1]
        elif line and not line.startswith("# "):
            texts.append((line, label))
    return texts


TEXTS = labeled_texts()


def sorted_as(text):
    found = keyword(text)
    if found:
        return str(found)
    return _TOPICS[topic(text)]


def misses(label, *accepted):
    return [f"{text!r} is {sorted_as(text)}" for text, of in TEXTS if of == label and sorted_as(text) not in accepted]


def test_the_list_has_enough_texts_of_each_label():
    counts = Counter(label for _, label in TEXTS)
    assert counts["opt_out"] >= 90
    assert min(counts["near"], counts["wrong_person"], counts["neither"]) >= 150


@pytest.mark.parametrize("text", [text for text, label in TEXTS if label == "opt_out"])
def test_every_opt_out_word_counts_at_once(text):
    assert sorted_as(text) == "opt_out"


def test_opt_out_words_are_never_read_into_another_text():
    assert [text for text, label in TEXTS if label != "opt_out" and sorted_as(text) == "opt_out"] == []


@pytest.mark.parametrize("label", ["near", "wrong_person"])
def test_nearly_every_text_that_needs_a_person_gets_one(label, capsys):
    total, missed = sum(of == label for _, of in TEXTS), misses(label, "near", "wrong_person")
    with capsys.disabled():
        print(f"\n{label}: recall {1 - len(missed) / total:.3f} of {total}", *missed, sep="\n  ")
    assert 1 - len(missed) / total >= 0.98


def test_ordinary_texts_seldom_bother_a_person(capsys):
    total, false_alarms = sum(of == "neither" for _, of in TEXTS), misses("neither", "neither", "opt_in")
    with capsys.disabled():
        print(f"\nneither: {len(false_alarms)} of {total} go to a person", *false_alarms, sep="\n  ")
    assert len(false_alarms) / total <= 0.03
