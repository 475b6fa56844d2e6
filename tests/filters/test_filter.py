"""`parse(str(f)) == f` for every filter; no text makes parsing fail."""

import pytest
from filters.test_parse import DISTRICT, TYPED
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain import grade
from bot.domain.sms_status import SmsStatus
from bot.filters.filter import Filter, describe
from bot.filters.parse import parse_filter
from bot.filters.vocabulary import Vocabulary

BUTTON_VALUE = 2000
UGLY = [
    *(
        "O'Brien",
        "Núñez",
        "Grade",
        "Blocked",
        'Say "5th"',
        "“Ana”",
        "no number",
        "&amp;",
        "&lt;!channel&gt;",
        "<@U0ANA>",
        "<mailto:a@x.example|a@x.example>",
        "<mailto:a",
        "b>",
        "<<tel:1|mailto:a>>",
    ),
    *(
        "a\x00b",
        "\u200bK\u200b",
        "page 2",
        "school",
        "ﷺ",
        "e\u0301",
        "\u0301",
        "&amp;amp;lt;",
        "-",
        "=",
        "\ud800",
        "🎉",
    ),
]
words = st.one_of(st.text(), st.sampled_from([*UGLY, *TYPED]))
filters = st.builds(
    Filter,
    grades=st.lists(st.sampled_from(grade.LEVELS)).map(tuple),
    statuses=st.lists(st.sampled_from(SmsStatus)).map(tuple),
    names=st.lists(words, max_size=4).map(tuple),
    teacher=st.none() | words,
    school=st.none() | words,
    page=st.integers(),
    no_adult=st.booleans(),
    waiting=st.booleans(),
    mine=st.booleans(),
    class_title=st.none() | words,
    letter=st.none() | st.sampled_from("ABKZ"),
    number=st.none() | st.from_regex(r"[0-9]{1,25}", fullmatch=True) | words,
    student_ids=st.lists(st.integers(0, 10**18 - 1)).map(tuple),
)
vocabularies = st.sampled_from(
    [None, DISTRICT, Vocabulary(schools=("Grade 5 Academy", "School"), teachers=("Page Two",))]
)


@given(which=filters, vocabulary=vocabularies)
@example(which=Filter(names=tuple(UGLY), teacher='"Red"', school="grade 5"), vocabulary=DISTRICT)
def test_text_of_a_filter_parses_to_the_same_filter(which, vocabulary):
    parsed = parse_filter(str(which), vocabulary)
    assert (parsed.filter, parsed.unknown) == (which, ())


@given(which=filters)
def test_text_fits_into_a_button_and_heading_is_not_empty(which):
    assert len(str(which)) < BUTTON_VALUE - 100
    assert describe(which)


@given(which=filters)
@example(which=Filter(names=tuple(UGLY)))
def test_filter_has_no_hidden_or_control_characters(which):
    assert not {"\x00", "\n", "\u200b"} & set(str(which))
    str(which).encode()


typed_texts = st.lists(words | st.sampled_from(['"', "grade", "-", "to", "not", "ms", "teacher", "school", ","])).map(
    " ".join
)


@given(typed=typed_texts, vocabulary=vocabularies)
def test_any_text_parses_and_every_suggestion_is_a_filter(typed, vocabulary):
    parsed = parse_filter(typed, vocabulary)
    assert parse_filter(str(parsed.filter), vocabulary).filter == parsed.filter
    for unknown in parsed.unknown:
        assert unknown.word
        for suggestion in unknown.suggestions:
            assert str(parse_filter(suggestion.text, vocabulary).filter) == suggestion.text


HOSTILE = [
    "a" * 4000,
    "blokced " * 500,
    '"' * 4000,
    "&amp;" * 800,
    "3-" * 2000,
    "ﷺ" * 4000,
    "not " * 1000 + "red",
    "'; DROP TABLE students; --",
    "*_~`>```x```",
    "<!channel> <!here> <!everyone> @channel",
    "<https://example.org|grade 5>",
    "\x00\x00",
    "🎉" * 1000,
    "\u202egrade 5",
    "٥",
    "grade " + "9" * 3000,
    "page " + "9" * 3000,
]


@pytest.mark.parametrize("typed", HOSTILE, ids=lambda typed: typed[:12].encode("unicode_escape").decode())
def test_hostile_input_becomes_a_small_filter(typed):
    parsed = parse_filter(typed, DISTRICT)
    assert len(str(parsed.filter)) < BUTTON_VALUE - 100
    assert sum(len(unknown.suggestions) for unknown in parsed.unknown) <= 20


def test_limit_counts_characters_after_normalization():
    assert parse_filter("ﷺ" * 150 + " grade 5").filter.grades == ("5",)
    assert parse_filter("ﷺ" * 200 + " grade 5").filter.grades == ()


def test_filters_of_the_same_list_are_equal():
    typed = parse_filter('red grade 5,3,5 "Maria  Lopez"').filter
    built = Filter(
        ("3", "5"),
        (SmsStatus.NO_NUMBER, SmsStatus.WRONG_PERSON, SmsStatus.OPT_OUT, SmsStatus.BLOCKED, SmsStatus.INACTIVE),
        ("Maria Lopez",),
        page=-4,
    )
    assert typed == built
    assert hash(typed) == hash(built)


HEADINGS = {
    "": "Everyone on the list",
    "grade 5 blocked teacher García school lincoln": "Grade 5 · Blocked · Teacher García · School lincoln",
    "grades k-2,5 red": "Grades K–2, 5 · All red",
    "grades 3,4 landline,opt-out": "Grades 3, 4 · Opt-Out, Landline",
    "kinder maria page 2": "Kindergarten · “maria”",
    "no number": "No number",
}


@pytest.mark.parametrize(("typed", "heading"), HEADINGS.items())
def test_heading_describes_the_filter(typed, heading):
    assert describe(parse_filter(typed).filter) == heading


def test_another_page_keeps_the_other_parts():
    assert str(parse_filter("grade 5 blocked page 2").filter.with_page(3)) == "grade 5 blocked page 3"


@pytest.mark.parametrize(
    ("number", "text", "heading"),
    [
        ("312-555-0142", "all", "Number ••• 0142"),
        ("900017", "all", "Number 900017"),
        ("0142", 'number "0142"', "Number 0142"),
    ],
)
def test_no_more_than_four_digits_of_a_number_are_in_a_button(number, text, heading):
    which = Filter(number=number)
    assert (which.text, describe(which)) == (text, heading)
