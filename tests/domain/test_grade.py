"""Grades in every spelling that an SIS or a clerk uses, and texts that are not one grade."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import grade

READ = {
    "5": "5",
    "05": "5",
    " 5 ": "5",
    "5.0": "5",
    "5th": "5",
    "5TH": "5",
    "5°": "5",
    "5.": "5",
    "\u200b5\ufeff": "5",
    "\u202a5th\u202c": "5",
    "５": "5",
    "５ｔｈ": "5",
    "Grade 5": "5",
    "grade5": "5",
    "GRADE: 05": "5",
    "Grade-5": "5",
    "Gr 5": "5",
    "Gr. 5": "5",
    "gr5": "5",
    "g5": "5",
    "5th Grade": "5",
    "fifth": "5",
    "Fifth Grade": "5",
    "five": "5",
    "2th": "2",
    "1st": "1",
    "11st": "11",
    "13": "13",
    "0": "K",
    "00": "K",
    "K": "K",
    "KG": "K",
    "kinder": "K",
    "Kinder.": "K",
    "Kindergarten": "K",
    "kindergarteners": "K",
    "-1": "PK",
    "-02": "PK",
    "PK": "PK",
    "Pre-K": "PK",
    "pre k": "PK",
    "Pre-Kindergarten": "PK",
    "PK3": "PK",
    "4K": "PK",
    "IT": "PK",
    "T-K": "TK",
    "Transitional Kindergarten": "TK",
    "freshman": "9",
    "Seniors": "12",
    "UG": "UG",
    "ungraded": "UG",
    "OTHER": "Other",
}

NOT_ONE_GRADE = [
    "",
    " ",
    "grade",
    "1-2",
    "1/2",
    "1,2",
    "10-12",
    "K-5",
    "14",
    "99",
    "100",
    "5A",
    "-5.5",
    "12+1",
    "H",
    "adult",
    "n/a",
    "🎉",
]


@pytest.mark.parametrize(("written", "level"), READ.items())
def test_every_spelling_of_a_grade_is_parsed(written, level):
    assert grade.parse(written) == level


@pytest.mark.parametrize("written", NOT_ONE_GRADE)
def test_text_that_is_not_one_grade_is_none(written):
    assert grade.parse(written) is None


@pytest.mark.parametrize("level", grade.LEVELS)
def test_levels_and_their_labels_are_parsed(level):
    assert grade.parse(level) == level
    assert level == "Other" or grade.parse(grade.label(level)) == level


@given(st.text())
def test_no_text_makes_parsing_fail(written):
    assert grade.parse(written) in {None, *grade.LEVELS}
    assert grade.from_roster(written) in {None, *grade.LEVELS}


ROSTER = {
    "05": "5",
    "KG": "K",
    "PS": "Other",
    "05,06": "5",
    " 05 , 06": "5",
    "KG,05": "K",
    "14": "Other",
    "Post-Secondary": "Other",
    "1-2": "Other",
    "": None,
    "  ": None,
}


@pytest.mark.parametrize(("cell", "level"), ROSTER.items())
def test_roster_cell_gives_its_first_grade_or_other(cell, level):
    assert grade.from_roster(cell) == level


def test_levels_are_ordered_by_age():
    mixed = ["12", "Other", "K", "2", "10", "PK", "TK"]
    assert sorted(mixed, key=grade.order) == ["PK", "TK", "K", "2", "10", "12", "Other"]


def test_labels_and_titles():
    assert [grade.label(level) for level in ("5", "K", "PK", "Other")] == [
        "grade 5",
        "kindergarten",
        "pre-K",
        "other grade",
    ]
    assert [grade.title(level) for level in ("5", "K", "PK", "UG")] == ["Grade 5", "Kindergarten", "Pre-K", "Ungraded"]
