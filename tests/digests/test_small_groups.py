"""Counts never point at a child: groups of fewer than ten students are hidden or counted together."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import mass_messages as messages
from support import people

from bot.digests.report import GradeCounts, Tally, load_digest
from bot.digests.small_groups import group_grades, is_too_small
from bot.domain.grade import LEVELS
from bot.filters.parse import parse_filter

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("students", "groups"),
    [
        ({}, []),
        ({"5": 9}, []),
        ({"5": 10}, [("5",)]),
        ({"K": 4, "5": 5}, []),
        ({"K": 12, "4": 30, "5": 3}, [("4",), ("K", "5")]),
        ({"K": 12, "1": 6, "2": 4}, [("K",), ("1", "2")]),
        ({"K": 12, "1": 6, "2": 3}, [("K", "1", "2")]),
        ({"10": 20, "9": 20, "K": 20}, [("K",), ("9",), ("10",)]),
    ],
)
def test_small_grades_are_counted_together(students, groups):
    assert group_grades(students, LEVELS) == groups


@given(st.dictionaries(st.sampled_from(LEVELS), st.integers(0, 40)))
def test_no_group_is_too_small_and_none_is_lost(students):
    groups = group_grades(students, LEVELS)
    assert not any(is_too_small(sum(students[level] for level in group)) for group in groups)
    counted = {level for group in groups for level in group}
    assert counted == {level for level in students if students[level]} or not groups
    assert groups or is_too_small(sum(students.values())) or not sum(students.values())


def families(session, number, *, grade):
    return [people.contact(session, people.student(session, grade=grade)) for _ in range(number)]


def load(session, message_id, filter_text=""):
    session.flush()
    return load_digest(session, message_id, list_filter=parse_filter(filter_text).filter, today=people.TODAY)


def test_grade_of_one_student_is_not_named(session, now):
    few, many, more = (families(session, number, grade=grade) for number, grade in ((1, "K"), (10, "4"), (11, "5")))
    outcomes = dict.fromkeys([*few, *many, *more], "inactive")
    sent, _ = messages.send(session, outcomes, now=now)
    assert load(session, sent).by_grade == (
        GradeCounts(("5",), Tally(11, new=11)),
        GradeCounts(("K", "4"), Tally(11, new=11)),
    )


def test_digest_of_few_students_has_no_counts(session, now):
    few, many = families(session, 9, grade="K"), families(session, 10, grade="5")
    sent, _ = messages.send(session, dict.fromkeys([*few, *many], "inactive"), now=now)
    hidden, shown = load(session, sent, "grade K"), load(session, sent, "grade 5")
    assert (hidden.is_hidden, hidden.sent, hidden.to_fix, hidden.students_without_adult) == (True, 0, {}, 0)
    assert (shown.is_hidden, shown.sent, shown.students_without_adult) == (False, 10, 10)


def test_message_to_few_contacts_has_no_counts_and_is_not_compared(session, now):
    many = families(session, 12, grade="5")
    first, _ = messages.send(session, dict.fromkeys(many, "delivered"), now=now)
    small, _ = messages.send(session, dict.fromkeys(many[:9], "inactive"), now=now + DAY)
    last, _ = messages.send(session, dict.fromkeys(many, "delivered"), now=now + 2 * DAY)
    assert (load(session, first).is_hidden, load(session, small).is_hidden) == (False, True)
    assert [message.sent for message in load(session, last).earlier] == [12]


def test_preliminary_digest_of_few_contacts_has_no_counts(session, now):
    many = families(session, 12, grade="5")
    small, _ = messages.send(session, dict.fromkeys(many[:9], "inactive"), now=now, settled=False)
    digest = load(session, small)
    assert (digest.is_hidden, digest.sent) == (True, 0)
