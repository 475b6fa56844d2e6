"""What is not understood comes back with whole filters it may have meant; the rest of the command is still understood."""

import pytest
from filters.test_parse import DISTRICT

from bot.filters.parsing import parse_filter


def asked(typed):
    """What was understood, and for each odd word the filters that are offered."""
    parsed = parse_filter(typed, DISTRICT)
    return str(parsed.filter), {one.word: [each.text for each in one.suggestions] for one in parsed.unknown}


MISSPELT = {
    "blokced": ("", {"blokced": ["blocked", 'student "blokced"']}),
    "blockd": ("", {"blockd": ["blocked", 'student "blockd"']}),
    "grade 5 blokced": ("grade 5", {"blokced": ["grade 5 blocked", 'grade 5 student "blokced"']}),
    "inactiv lincoln": (
        'school "Lincoln Elementary"',
        {"inactiv": ['inactive school "Lincoln Elementary"', 'student "inactiv" school "Lincoln Elementary"']},
    ),
    "landlin": ("", {"landlin": ["landline", 'student "landlin"']}),
    "yelow": ("", {"yelow": ["yellow", 'student "yelow"']}),
    "turnd off": ("", {"turnd off": ["turned-off", 'student "turnd off"']}),
    "turned of": ("", {"turned of": ["turned-off", 'student "turned of"']}),
    "optd out": ("", {"optd out": ["opt-out", 'student "optd out"']}),
    "lincon": ("", {"lincon": ['school "Lincoln Elementary"', 'student "lincon"']}),
    "roosvelt red": ("red", {"roosvelt": ['red school "Roosevelt High"', 'red student "roosvelt"']}),
    "school lincon": ("", {"school lincon": ['school "Lincoln Elementary"', 'student "school lincon"']}),
    "ms tannr": ("", {"ms tannr": ['teacher "Sara Tanner"', 'student "ms tannr"']}),
    "teacher garsia": ("", {"teacher garsia": ['teacher "Ana García"', 'student "teacher garsia"']}),
    "teachr tanner": (
        'student "tanner"',
        {"teachr": ['teacher "Sara Tanner"', 'student "teachr tanner"']},
    ),
}


@pytest.mark.parametrize(("typed", "answer"), MISSPELT.items())
def test_a_typo_is_asked_about_and_not_guessed_at(typed, answer):
    assert asked(typed) == answer


@pytest.mark.parametrize("typed", ["gradee 5", "graed 5", "grde 5", "garde 5th"])
def test_a_typo_that_changes_nothing_is_not_worth_a_question(typed):
    assert asked(typed) == ("grade 5", {})


NAMES_LIKE_WORDS = [
    "Grace",
    "Fred",
    "Reed",
    "Black",
    "Brock",
    "Dean",
    "Grady",
    "Grande",
    "Graves",
    "Blocker",
    "Tannor",
    "Garza",
]


@pytest.mark.parametrize("name", NAMES_LIKE_WORDS)
def test_a_name_that_looks_like_a_word_is_a_name(name):
    assert asked(name) == (f'student "{name}"', {})


MEANT_OTHERWISE = {
    "grade": ("", {"grade": []}),
    "student": ("", {"student": []}),
    "Teacher:": ("", {"Teacher": []}),
    "school": ("", {"school": []}),
    "grade 99": ("", {"grade 99": []}),
    "blocked 99": ("blocked", {"99": []}),
    "homeroom 5A": ("", {"5A": ["grade 5"]}),
    "room 12 red": ("red", {"room 12": []}),
    "red 312-555-0142": ("red", {"312-555-0142": []}),
    "maria@example.org": ("", {"maria@example.org": []}),
    "<@U0NOBODY|nobody> red": ("red", {"<@U0NOBODY|nobody>": []}),
    "&lt;!channel&gt; red": ("red", {"<!channel>": []}),
    "help me": ("", {"help": []}),
    "unsubscribe red": ("red", {"unsubscribe": []}),
    "not red": ("", {"not red": ["yellow", "red"]}),
    "grade 5 not blocked": (
        "grade 5",
        {
            "not blocked": [
                "grade 5 opt-out,inactive,no-number,landline,turned-off,unconfirmed",
                "grade 5 blocked",
            ]
        },
    ),
    "lincoln roosevelt": (
        'school "Lincoln Elementary"',
        {"roosevelt": ['school "Roosevelt High"', 'student "roosevelt" school "Lincoln Elementary"']},
    ),
    "martin": ("", {"martin": ['school "Martin Luther King Jr. Middle School"', 'student "martin"']}),
    "forest red": (
        "red",
        {"forest": ['red school "Oak Park & River Forest High School"', 'red student "forest"']},
    ),
    "ms tanner mr brown": (
        'teacher "Sara Tanner"',
        {"mr brown": ['teacher "Tom Brown"', 'student "mr brown" teacher "Sara Tanner"']},
    ),
}


@pytest.mark.parametrize(("typed", "answer"), MEANT_OTHERWISE.items())
def test_what_cannot_be_meant_as_it_stands_is_said_and_the_rest_is_understood(typed, answer):
    assert asked(typed) == answer


def test_several_odd_words_are_each_asked_about_with_the_rest_kept():
    understood, unknown = asked("blokced grade 5 lincon")
    assert understood == "grade 5"
    assert unknown["blokced"][0] == "grade 5 blocked"
    assert unknown["lincon"][0] == 'grade 5 school "Lincoln Elementary"'


def test_a_suggestion_says_what_it_leads_to_and_starts_at_the_first_page():
    suggestion = parse_filter("grade 5 blokced page 3", DISTRICT).unknown[0].suggestions[0]
    assert (suggestion.label, suggestion.text) == ("Grade 5 · Blocked", "grade 5 blocked")


@pytest.mark.parametrize("typed", [*MISSPELT, *MEANT_OTHERWISE])
def test_every_suggestion_is_understood_whole(typed):
    for unknown in parse_filter(typed, DISTRICT).unknown:
        for suggestion in unknown.suggestions:
            assert asked(suggestion.text) == (suggestion.text, {})
