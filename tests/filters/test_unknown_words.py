"""Words that are not understood are returned with the whole filters they may have meant; the rest is still understood."""

import pytest
from filters.test_parse import DISTRICT

from bot.filters.parse import parse_filter


def parse_line(typed):
    """Return the text of the filter, and the suggested filters by unknown word."""
    parsed = parse_filter(typed, DISTRICT)
    return str(parsed.filter), {
        unknown.word: [suggestion.text for suggestion in unknown.suggestions] for unknown in parsed.unknown
    }


MISSPELLED = {
    "blokced": ("", {"blokced": ["blocked", 'student "blokced"']}),
    "blockd": ("", {"blockd": ["blocked", 'student "blockd"']}),
    "grade 5 blokced": ("grade 5", {"blokced": ["grade 5 blocked", 'grade 5 student "blokced"']}),
    "inactiv lincoln": (
        'school "Lincoln Elementary"',
        {"inactiv": ['inactive school "Lincoln Elementary"', 'student "inactiv" school "Lincoln Elementary"']},
    ),
    "landlin": ("", {"landlin": ["landline", 'student "landlin"']}),
    "waitng": ("", {"waitng": ["waiting", 'student "waitng"']}),
    "no adlut grade 5": ("grade 5", {"no adlut": ["grade 5 no-adult", 'grade 5 student "no adlut"']}),
    "dowload grade 5": ("grade 5", {"dowload": ['grade 5 student "dowload"']}),
    "yelow": ("", {"yelow": ["yellow", 'student "yelow"']}),
    "turnd off": ("", {"turnd off": ["turned-off", 'student "turnd off"']}),
    "turned of": ("", {"turned of": ["turned-off", 'student "turned of"']}),
    "optd out": ("", {"optd out": ["opt-out", 'student "optd out"']}),
    "lincon": ("", {"lincon": ['school "Lincoln Elementary"', 'student "lincon"']}),
    "roosvelt red": ("red", {"roosvelt": ['red school "Roosevelt High"', 'red student "roosvelt"']}),
    "school lincon": ("", {"school lincon": ['school "Lincoln Elementary"', 'student "lincon"']}),
    "ms tannr": ("", {"ms tannr": ['teacher "Sara Tanner"', 'student "tannr"']}),
    "teacher garsia": ("", {"teacher garsia": ['teacher "Ana García"', 'student "garsia"']}),
    "teachr tanner": (
        'student "tanner"',
        {"teachr": ['teacher "Sara Tanner"', 'student "teachr tanner"']},
    ),
}


@pytest.mark.parametrize(("typed", "answer"), MISSPELLED.items())
def test_typo_is_asked_about_and_not_corrected(typed, answer):
    assert parse_line(typed) == answer


@pytest.mark.parametrize("typed", ["gradee 5", "graed 5", "grde 5", "garde 5th"])
def test_typo_that_changes_nothing_is_not_asked_about(typed):
    assert parse_line(typed) == ("grade 5", {})


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
def test_name_that_resembles_a_word_is_a_name(name):
    assert parse_line(name) == (f'student "{name}"', {})


NOT_A_FILTER = {
    "grade": ("", {"grade": []}),
    "student": ("", {"student": []}),
    "Teacher:": ("", {"Teacher": []}),
    "school": ("", {"school": []}),
    "grade 99": ("", {"grade 99": ["grade 12", "grade 11", "grade 5"]}),
    "grade 14": ("", {"grade 14": ["grade 12", "grade 11", "grade 5"]}),
    "14th": ("", {"14th": ["grade 12", "grade 11", "grade 5"]}),
    "grade 142": ("", {"grade 142": []}),
    "blocked 99": ("blocked", {"99": ["grade 12 blocked", "grade 11 blocked", "grade 5 blocked"]}),
    "homeroom 5A": ("", {"5A": ["grade 5", 'class "5B"', 'class "5C"']}),
    "5B 5C": ('class "5B"', {"5C": ['class "5C"']}),
    "room 12 red": ("red", {"room 12": []}),
    "maria@example.org": ("", {"maria@example.org": []}),
    "<mailto:maria@example.org|maria@example.org> red": ("red", {"maria@example.org": []}),
    "red &lt;mailto:maria@example.org&gt;": ("red", {"maria@example.org": []}),
    "class of 2030 red": ("red", {"2030": ['red number "2030"']}),
    "312-555-0142 0199": ('number "3125550142"', {"0199": []}),
    "<@U0NOBODY|nobody> red": ("red", {"<@U0NOBODY|nobody>": []}),
    "&lt;!channel&gt; red": ("red", {"<!channel>": []}),
    "help me": ("", {"help": []}),
    "unsubscribe red": ("red", {"unsubscribe": []}),
    "not red": ("", {"not red": ["yellow", "red"]}),
    "grade 5 not blocked": (
        "grade 5",
        {
            "not blocked": [
                "grade 5 opt-out,wrong-person,inactive,no-number,landline,turned-off,unconfirmed",
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
        {"mr brown": ['teacher "Tom Brown"', 'student "brown" teacher "Sara Tanner"']},
    ),
}


@pytest.mark.parametrize(("typed", "answer"), NOT_A_FILTER.items())
def test_words_that_no_filter_has_are_unknown(typed, answer):
    assert parse_line(typed) == answer


def test_each_of_several_unknown_words_is_asked_about():
    understood, unknown = parse_line("blokced grade 5 lincon")
    assert understood == "grade 5"
    assert unknown["blokced"][0] == "grade 5 blocked"
    assert unknown["lincon"][0] == 'grade 5 school "Lincoln Elementary"'


def test_suggestion_has_a_heading_and_starts_at_page_one():
    suggestion = parse_filter("grade 5 blokced page 3", DISTRICT).unknown[0].suggestions[0]
    assert (suggestion.label, suggestion.text) == ("Grade 5 · Blocked", "grade 5 blocked")


@pytest.mark.parametrize("typed", [*MISSPELLED, *NOT_A_FILTER])
def test_every_suggestion_is_understood_completely(typed):
    for unknown in parse_filter(typed, DISTRICT).unknown:
        for suggestion in unknown.suggestions:
            assert parse_line(suggestion.text) == (suggestion.text, {})
