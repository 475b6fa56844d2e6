"""A filter says which part of the cleanup list someone asked for. It is always in canonical form, so equal lists are equal
filters, and its text is its only serialization: `parse_filter(str(f)).filter == f`.
"""

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any

from bot.domain import grade
from bot.domain.names import clean
from bot.domain.sms_status import MEANINGS, SEVERITY, STATUSES_BY_COLOR, Color, SmsStatus
from bot.filters.words import STATUS_SLUGS

_LAST_PAGE = 1_000_000
# Characters of names, of a teacher, and of a school: the whole filter is the value of a button, which Slack bounds.
_LONGEST_PART = 300
_SHORTEST_RANGE = 3
MOST_IDS = 20
EVERYONE = "all"
# The last digits of a phone, which are on screen wherever a number is masked.
LAST_DIGITS = 4
_LONGEST_NUMBER = 20
# A phone in one of its usual spellings, which blanks do not end. A country code of 1 stands apart only behind a plus: in
# `1 248 555 0142` it may be a grade.
PHONE = (
    r"(?<![\w.+-])(?:(?:\+1[ .-]?|1[.-]?)?(?:\(\d{3}\)[ .-]?|\d{3}[ .-]?)\d{3}[ .-]?\d{4}"
    r"|\+\d[\d ().-]{6,16}\d|\d{3}[.-]\d{4})(?![\w-])"
)
_PHONE = re.compile(PHONE)
_NORTH_AMERICAN = re.compile(r"1[2-9]\d{2}[2-9]\d{6}")
# Fields of a filter that are set or not: the word for each, and the heading of its list.
FLAGS = {
    "no_adult": ("no-adult", "No adult can be texted"),
    "waiting": ("waiting", "Waiting for the next message"),
    "mine": ("mine", "Claimed by me"),
}
_COLORS = {STATUSES_BY_COLOR[color]: color for color in Color}

# Slack makes links of addresses and numbers that people type: `<mailto:ana@district.example|ana@district.example>`.
_LINK = re.compile(r"<(?:mailto:|tel:|https?://)([^|<>\"\s]*)(?:\|([^<>\"]*))?>", re.IGNORECASE)
_SIGNS = {
    **dict.fromkeys(map(ord, "“”„‟«»〝〞＂"), '"'),
    **dict.fromkeys(map(ord, "‘’‚‛′´`"), "'"),
    **dict.fromkeys(map(ord, "‐‑‒–—―−"), "-"),
    **dict.fromkeys(range(0xD800, 0xE000)),  # Surrogates, which no database stores.
}
_REWRITTEN = frozenset("&`<")


def plain_text(text: str) -> str:
    """Return text as people typed it, with one kind of quote, dash and space, no hidden characters, no Slack escapes and links."""
    if text.isascii() and text.isprintable() and not _REWRITTEN.intersection(text):
        return " ".join(text.split())
    # Until nothing changes: an escape may hide another one.
    while (result := _without_escapes(text)) != text:
        text = result
    return text


def _without_escapes(text: str) -> str:
    text = unicodedata.normalize("NFKC", html.unescape(text)).translate(_SIGNS)
    return clean(_LINK.sub(lambda link: link[2] or link[1], text))


def quotable(text: str) -> str:
    """Return plain text that can stand between quotes in a filter."""
    text = plain_text(text)
    return plain_text(text.replace('"', " ")) if '"' in text else text


class Criterion(StrEnum):
    """A part of a filter that narrows the list, by the name of its field."""

    GRADES = "grades"
    STATUSES = "statuses"
    NAMES = "names"
    TEACHER = "teacher"
    SCHOOL = "school"
    CLASS = "class_title"
    LETTER = "letter"
    NO_ADULT = "no_adult"
    WAITING = "waiting"
    MINE = "mine"
    NUMBER = "number"
    STUDENT_IDS = "student_ids"


Criteria = frozenset[Criterion]
# Names and SMS statuses are criteria of contacts, too.
STUDENT_CRITERIA: Criteria = frozenset(
    {Criterion.GRADES, Criterion.TEACHER, Criterion.SCHOOL, Criterion.CLASS, Criterion.LETTER}
)


@dataclass(frozen=True)
class Filter:
    """Conditions that must all hold; of several grades or statuses any one. The empty filter is the whole list.

    `grades` are levels of `bot.domain.grade.LEVELS`; `names` are words that must all be in the name of the student or of one contact;
    `teacher` and `school` are words of their names, and `class_title` is a whole word of a class's title (`5B`); `no_adult` means
    students with no adult who can be texted; `waiting`: contacts that were fixed and wait for the next mass message; `mine`:
    contacts claimed by the person who asks; `letter` (`B`) begins the student's last name. `number` are digits of a phone or a student
    number, which `page.load` replaces by the `student_ids` of those that the reader may see. The constructor removes duplicates,
    quotes, and extra blanks, and sorts.
    """

    grades: tuple[str, ...] = ()
    statuses: tuple[SmsStatus, ...] = ()
    names: tuple[str, ...] = ()
    teacher: str | None = None
    school: str | None = None
    page: int = 1
    no_adult: bool = False
    class_title: str | None = None
    waiting: bool = False
    mine: bool = False
    letter: str | None = None
    number: str | None = None
    student_ids: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        canonical = {
            "grades": tuple(level for level in grade.LEVELS if level in self.grades) if self.grades else (),
            "statuses": tuple(status for status in SEVERITY if status in self.statuses) if self.statuses else (),
            "names": tuple(_shortened(" ".join(self.names)).split()) if self.names else (),
            "teacher": (_shortened(self.teacher) or None) if self.teacher else None,
            "school": (_shortened(self.school) or None) if self.school else None,
            "class_title": (_shortened(self.class_title) or None) if self.class_title else None,
            "letter": self.letter.upper() if self.letter else None,
            "number": canonical_number(self.number) or None if self.number else None,
            "student_ids": tuple(sorted(set(self.student_ids))[:MOST_IDS]),
            "page": min(max(self.page, 1), _LAST_PAGE),
        }
        vars(self).update(canonical)  # The class is frozen.

    @cached_property
    def criteria(self) -> Criteria:
        return frozenset([criterion for criterion in Criterion if getattr(self, criterion)])

    @property
    def names_students(self) -> bool:
        """Whether it is about certain students, which is nothing for a channel."""
        return bool(self.names or self.number or self.student_ids)

    def student_part(self) -> "Filter":
        """Return a filter with the same grade, teacher, school, class, letter, and page only."""
        return Filter(
            self.grades,
            teacher=self.teacher,
            school=self.school,
            class_title=self.class_title,
            letter=self.letter,
            page=self.page,
        )

    def storable(self) -> "Filter":
        """Return the filter without a number of which more than the last four digits would be sent or stored."""
        return replace(self, number=None) if self.number and len(self.number) > LAST_DIGITS else self

    @property
    def text(self) -> str:
        """The filter as the value of a button, which Slack does not accept empty: `all` is the empty filter."""
        return str(self.storable()) or EVERYONE

    def with_page(self, page: int) -> "Filter":
        return self if page == self.page else replace(self, page=page)

    def __str__(self) -> str:
        parts = []
        if self.grades:
            levels = _grade_ranges(self.grades) if len(self.grades) > 1 else self.grades
            parts.append(f"grade {','.join(levels)}")
        if self.statuses:
            parts.append(_COLORS.get(self.statuses) or ",".join(STATUS_SLUGS[status] for status in self.statuses))
        parts += [word for name, (word, _) in FLAGS.items() if getattr(self, name)]
        quoted = {
            "student": " ".join(self.names),
            "teacher": self.teacher,
            "school": self.school,
            "class": self.class_title,
            "number": self.number,
            "ids": " ".join(map(str, self.student_ids)),
        }
        parts += [f'{key} "{value}"' for key, value in quoted.items() if value]
        if self.letter:
            parts.append(f"letter {self.letter}")
        if self.page > 1:
            parts.append(f"page {self.page}")
        return " ".join(parts)


@lru_cache(4_000)  # A card leads to thirty other lists. Making their filters took a sixth of a command.
def link_text(which: Filter, **changed: Any) -> str:
    """Return the text of the first page of a filter with these fields changed, for the button or option that leads there."""
    return replace(which, page=1, **changed).text


def command_text(command: str, which: Filter) -> str:
    """Return a command followed by a filter, as people type it."""
    return f"{command} {which}".strip()


def describe(which: Filter) -> str:
    """Return the heading above a list: `Grade 5 · Blocked · Teacher García · School Lincoln`."""
    parts = []
    if len(which.grades) == 1:
        parts.append(grade.title(which.grades[0]))
    elif which.grades:
        parts.append(f"Grades {', '.join(_grade_ranges(which.grades)).replace('-', '–')}")
    if color := _COLORS.get(which.statuses):
        parts.append(f"All {color}")
    elif which.statuses:
        parts.append(", ".join(MEANINGS[status].label for status in which.statuses))
    parts += [heading for name, (_, heading) in FLAGS.items() if getattr(which, name)]
    if which.names:
        parts.append(f"“{' '.join(which.names)}”")
    labeled = (
        *(("Teacher", which.teacher), ("School", which.school), ("Class", which.class_title)),
        ("Last name", f"{which.letter}…" if which.letter else None),
        ("Number", shown_number(which.number) if which.number else None),
    )
    parts += [f"{label} {value}" for label, value in labeled if value]
    if which.student_ids:
        parts.append("Found by number")
    return " · ".join(parts) or "Everyone on the list"


def page_count(total: int, page_size: int) -> int:
    """Return the number of pages; an empty list has one, which says that it is empty."""
    return max(1, -(-total // page_size))


def number_in(text: str) -> str:
    """Return the digits of a word that is a phone, or a number of at least four digits; empty for any other."""
    is_digits = text.isascii() and text.isdecimal() and LAST_DIGITS <= len(text) <= _LONGEST_NUMBER
    return canonical_number(text) if is_digits or _PHONE.fullmatch(text) else ""


def canonical_number(text: str) -> str:
    """Return the digits, at most twenty, without the country code of North America: a number is found by its end."""
    digits = "".join(re.findall(r"[0-9]", text))[:_LONGEST_NUMBER]
    return digits[1:] if _NORTH_AMERICAN.fullmatch(digits) else digits


def shown_number(number: str) -> str:
    """Return a number for a heading: one that may be a whole phone is masked."""
    return number if len(number) < 7 else f"••• {number[-LAST_DIGITS:]}"  # noqa: PLR2004


def _shortened(text: str) -> str:
    text = quotable(text)
    return quotable(text[:_LONGEST_PART]) if len(text) > _LONGEST_PART else text


def _grade_ranges(levels: Sequence[str]) -> list[str]:
    """Return sorted levels with three or more neighbors as a range: 3, 4, 5 and 8 are `3-5` and `8`."""
    ranges: list[list[str]] = []
    for level in levels:
        if ranges and grade.order(level) == grade.order(ranges[-1][-1]) + 1:
            ranges[-1].append(level)
        else:
            ranges.append([level])
    return [text for run in ranges for text in ([f"{run[0]}-{run[-1]}"] if len(run) >= _SHORTEST_RANGE else run)]
