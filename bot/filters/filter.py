"""Which part of the list somebody wants: a value that is always in canonical form, so that equal lists are equal filters."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.domain import grade
from bot.domain.sms_status import SEVERITY, Color, SmsStatus, meaning, statuses_with_color
from bot.filters.tokens import cleaned
from bot.filters.words import STATUS_SLUGS
from bot.wording import say

_LAST_PAGE = 1_000_000
_LONGEST = 300
"""Characters of names, of a teacher and of a school: the whole filter is a button's value, which Slack bounds."""
_RUN = 3


class Criterion(StrEnum):
    """What a filter may narrow by; each is named after its part."""

    GRADES = "grades"
    STATUSES = "statuses"
    NAMES = "names"
    TEACHER = "teacher"
    SCHOOL = "school"
    ALONE = "alone"


Criteria = frozenset[Criterion]
OF_STUDENTS: Criteria = frozenset({Criterion.GRADES, Criterion.TEACHER, Criterion.SCHOOL})
"""What is of students; names and SMS statuses are of contacts, too."""


@dataclass(frozen=True)
class Filter:
    """All parts must hold; several grades or statuses mean any of them. The empty filter is the whole list.

    `grades` are levels of `bot.domain.grade.LEVELS`; `names` are words that the student's (or a contact's) name must all hold;
    `teacher` and `school` are words of theirs; `alone` means students of whom no adult can be texted. Duplicates, order, quotes
    and stray spaces are put right on the way in.
    """

    grades: tuple[str, ...] = ()
    statuses: tuple[SmsStatus, ...] = ()
    names: tuple[str, ...] = ()
    teacher: str | None = None
    school: str | None = None
    page: int = 1
    alone: bool = False

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "grades", tuple(level for level in grade.LEVELS if level in self.grades))
        put(self, "statuses", tuple(status for status in SEVERITY if status in self.statuses))
        put(self, "names", tuple(_bounded(" ".join(self.names)).split()) if self.names else ())
        put(self, "teacher", (_bounded(self.teacher) or None) if self.teacher else None)
        put(self, "school", (_bounded(self.school) or None) if self.school else None)
        put(self, "page", min(max(self.page, 1), _LAST_PAGE))

    @property
    def criteria(self) -> Criteria:
        """What it narrows by, whatever each of them says."""
        return frozenset(one for one in Criterion if getattr(self, one))

    def of_students(self) -> "Filter":
        """The same page of whom it means by what is of students."""
        return Filter(page=self.page, **{str(one): getattr(self, one) for one in OF_STUDENTS})

    def with_page(self, page: int) -> "Filter":
        return self if page == self.page else replace(self, page=page)

    def __str__(self) -> str:
        parts = [
            f"grade {','.join(_runs(self.grades))}" if self.grades else "",
            _status_words(self.statuses),
            "no-adult" if self.alone else "",
            f'student "{" ".join(self.names)}"' if self.names else "",
            f'teacher "{self.teacher}"' if self.teacher else "",
            f'school "{self.school}"' if self.school else "",
            f"page {self.page}" if self.page > 1 else "",
        ]
        return " ".join(part for part in parts if part)


def page_count(total: int, page_size: int) -> int:
    """How many pages so many make; where nobody is, one that says so."""
    return max(1, -(-total // page_size))


def _bounded(text: str) -> str:
    return cleaned(cleaned(text)[:_LONGEST])


def describe(which: Filter) -> str:
    """The heading people read above a list: `Grade 5 · Blocked · Teacher García · Lincoln Elementary`."""
    parts = [
        _grades_in_words(which.grades),
        _statuses_in_words(which.statuses),
        "No adult can be texted" if which.alone else "",
        f"“{' '.join(which.names)}”" if which.names else "",
        f"Teacher {which.teacher}" if which.teacher else "",
        f"School {which.school}" if which.school else "",
    ]
    return " · ".join(part for part in parts if part) or "Everybody on the list"


def _grades_in_words(levels: tuple[str, ...]) -> str:
    if len(levels) <= 1:
        return grade.title(levels[0]) if levels else ""
    return f"Grades {', '.join(run.replace('-', '–') for run in _runs(levels))}"


def _statuses_in_words(statuses: tuple[SmsStatus, ...]) -> str:
    for colour in Color:
        if statuses == statuses_with_color(colour):
            return say(f"filters.all.{colour}")
    return ", ".join(meaning(status).label for status in statuses)


def _status_words(statuses: tuple[SmsStatus, ...]) -> str:
    for colour in Color:
        if statuses == statuses_with_color(colour):
            return str(colour)
    return ",".join(STATUS_SLUGS[status] for status in statuses)


def _runs(levels: Iterable[str]) -> list[str]:
    """Neighbouring levels as one: 3, 4, 5 and 8 are `3-5` and `8`."""
    runs: list[list[str]] = []
    for level in levels:
        if runs and grade.order(level) == grade.order(runs[-1][-1]) + 1:
            runs[-1].append(level)
        else:
            runs.append([level])
    return [part for run in runs for part in ([f"{run[0]}-{run[-1]}"] if len(run) >= _RUN else run)]
