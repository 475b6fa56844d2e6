"""The reachability score of a group of students on a day: how many have an adult who can be reached, and how."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class GroupKind(StrEnum):
    """`grade` and `teacher` groups are those of one school."""

    DISTRICT = "district"
    SCHOOL = "school"
    GRADE = "grade"
    TEACHER = "teacher"


@dataclass(frozen=True)
class Group:
    """Students who are counted together. `school_id`, `grade`, and `staff_id` are None where the kind does not need them."""

    kind: GroupKind
    school_id: int | None = None
    grade: str | None = None
    staff_id: int | None = None


@dataclass(frozen=True)
class Score:
    """Numbers of students: `delivered` have an adult who got a text in the last days (a setting), `textable` an adult
    who can be texted, `reachable` an adult who can be texted, called, or emailed, `unreachable` none.

    Numbers of contacts: `to_fix` are on the list and not fixed, `fixed` wait for the next message, `confirmed` were fixed by staff and
    then reached by a message of that day.
    """

    students: int
    delivered: int
    textable: int
    reachable: int
    unreachable: int
    to_fix: int
    fixed: int
    confirmed: int


def percent(part: int, whole: int) -> int:
    """Return a rounded share of 0 to 100, which is 100 only for all of them and 0 only for none; 100 of an empty group."""
    if part in {0, whole}:
        return 100 if part == whole else 0
    return min(max(round(100 * part / whole), 1), 99)


@dataclass(frozen=True)
class DayScore:
    day: date
    score: Score


@dataclass(frozen=True)
class GroupScore:
    """A group with the name that people know it by, its score, and the score some weeks before, None if there is none.

    `school` is the name of the school of a grade or teacher.
    """

    group: Group
    name: str
    score: Score
    before: Score | None
    school: str | None = None
