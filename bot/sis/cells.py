"""One cell of an SIS export, read: dates, yes and no, roles, telephone numbers. What cannot be read says why, never what.

Reasons are for reports that people share, so they hold nothing of the cell itself.
"""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import phonenumbers

from bot.domain import names, phone
from bot.errors import UserError
from bot.sis.rows import CONTACT_ROLES, STAFF_ROLES

LONGEST_ID = 255
LONGEST_EMAIL = 320

_ROLE_WORDS = {word.lower(): word for word in ("student", *CONTACT_ROLES, *STAFF_ROLES)}
_ISO_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ].*)?$")
_WRITTEN_DATE = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?: .*)?$")
_SCIENTIFIC = re.compile(r"\+?\d(?:\.\d+)?[eE]\+?\d{1,2}$")
_SEVERAL = re.compile(r"[/\\;,|&\n•]| or | and ", re.IGNORECASE)
_NORTH_AMERICAN = re.compile(r"(?<!\d)(?:\+?1[\s.-]*)?\(?\d{3}\)?[\s.-]*\d{3}[\s.-]*\d{4}(?!\d)")
_HEAD = re.compile(r"(?<![\d\s.-])[\s.-]*\d{1,6}[\s.-]*$")
_TAIL = re.compile(r"[\s.-]*\d{1,6}(?![\d\s.-]*\d)")
_LONGEST_NOTE = 3


def tidy(cell: str) -> str:
    """The cell without padding, hidden characters, and the `="…"` with which spreadsheets keep leading zeros."""
    plain = cell.strip() if cell.isascii() and cell.isprintable() else names.clean(cell)
    return plain[2:-1].strip() if plain.startswith('="') and plain.endswith('"') else plain


def all_tidy(some: tuple[str, ...]) -> tuple[str, ...]:
    """Each cell `tidy`. Most columns are so from the start, which is seen at one glance."""
    whole = f"|{'|'.join(some)}|"
    is_tidy = whole.isascii() and whole.isprintable() and not any(_holds(whole, sign) for sign in ("| ", " |", '|="'))
    return some if is_tidy else tuple(map(tidy, some))


def _holds(whole: str, sign: str) -> bool:
    """One character is found many times as fast as two, and most columns have no blank at all."""
    return sign.strip("|") in whole and sign in whole


def many(cell: str) -> list[str]:
    """The values of a list cell, each once, in their order."""
    if "," not in cell:
        return [value] if (value := cell.strip()) else []
    return list(dict.fromkeys(filter(None, map(str.strip, cell.split(",")))))


def yes(cell: str) -> bool:
    return cell.lower() in {"true", "1", "yes", "y", "t"}


def no(cell: str) -> bool:
    return cell.lower() in {"false", "0", "no", "n", "f"}


def is_gone(status: str) -> bool:
    """`tobedeleted` of 1.1 and 1.2, `inactive` of 1.0."""
    return bool(status) and status.lower() in {"tobedeleted", "inactive", "deleted"}


@lru_cache(maxsize=4096)
def role(cell: str) -> str | None:
    """OneRoster's word for a role of either version, written in any case and with or without blanks, or None."""
    word = re.sub(r"[\s_-]", "", cell).lower()
    return _ROLE_WORDS.get(word.removeprefix("ext:"))


@lru_cache(maxsize=4096)
def day(cell: str, *, month_first: bool) -> date | None:
    """A date written as ISO, with or without a time, or as people write it; `month_first` decides what fits both ways.

    Raises:
        ValueError: it is not a date.
    """
    if not cell:
        return None
    if found := _ISO_DATE.match(cell):
        year, month, number = (int(part) for part in found.groups())
        return date(year, month, number)
    found = _WRITTEN_DATE.match(cell)
    if not found:
        raise ValueError
    first, second, year = (int(part) for part in found.groups())
    is_month_first = second > 12 or (month_first and first <= 12)  # noqa: PLR2004
    month, number = (first, second) if is_month_first else (second, first)
    return date(year if year > 99 else 2000 + year, month, number)  # noqa: PLR2004


def is_written_date(cell: str) -> bool:
    """Whether the order of day and month matters."""
    return bool(_WRITTEN_DATE.match(cell))


class Number(NamedTuple):
    """A telephone cell: E.164 when something textable was found, and what a report should say about the cell."""

    e164: str | None
    problem: str | None


@lru_cache(maxsize=4096)
def number(cell: str, region: str) -> Number:
    """Read a telephone cell. Two numbers in one cell: the first that can be read is kept, and that is said."""
    if not cell:
        return Number(None, None)
    if e164 := phone.parse_usual(cell, region):
        return Number(e164, None)
    whole = _whole(cell)
    if whole is None:
        return Number(None, "cannot be read: a spreadsheet has rounded the number and its last digits are lost")
    try:
        return Number(phone.parse(whole, region).e164, None)
    except UserError as problem:
        return _first_of_several(whole, region) or Number(None, f"cannot be read: {problem.sentence}")


def _whole(cell: str) -> str | None:
    """The digits of a number that went through a spreadsheet (`3125550142.0`, `3.125550142E+09`); None if some are lost."""
    if re.fullmatch(r"\d+\.0+", cell):
        return cell.split(".", maxsplit=1)[0]
    if not _SCIENTIFIC.match(cell):
        return cell
    value = Decimal(cell)
    return (
        str(int(value))
        if value == value.to_integral_value() and len(value.as_tuple().digits) > value.adjusted()
        else None
    )


def _first_of_several(cell: str, region: str) -> Number | None:
    """The first number among several, or before an extension or a note that only people understand."""
    for part in (part for part in _SEVERAL.split(cell) if part.strip()):
        for candidate in (part, *_numbers_in(part, region)):
            try:
                e164 = phone.parse(candidate, region).e164
            except UserError:
                continue
            others = _digits(cell) - _digits(candidate)
            return Number(
                e164,
                "holds more than one number; the first that can be read was kept" if others > _LONGEST_NOTE else None,
            )
    return None


def _numbers_in(part: str, region: str) -> list[str]:
    """Numbers of North America that stand in a text. A few more digits before or behind one, and no sign between, make it a
    mistyped number or one from abroad.
    """
    if phonenumbers.country_code_for_region(region) != 1 or re.search(r"\+[02-9]", part):
        return []
    return [
        found.group()
        for found in _NORTH_AMERICAN.finditer(part)
        if not _HEAD.search(part[: found.start()]) and not _TAIL.match(part, found.end())
    ]


def _digits(text: str) -> int:
    return sum(character.isdecimal() for character in text)
