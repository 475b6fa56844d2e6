"""One cell of an SIS export, read: dates, yes and no, roles, telephone numbers. What cannot be read says why, never what.

Reasons are for reports that people share, so they hold nothing of the cell itself.
"""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from bot import names, phone
from bot.errors import UserError
from bot.sis import CONTACT_ROLES, STAFF_ROLES

LONGEST_ID = 255
LONGEST_EMAIL = 320

_ROLE_WORDS = {word.lower(): word for word in ("student", *CONTACT_ROLES, *STAFF_ROLES)}
_ISO_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ].*)?$")
_WRITTEN_DATE = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?: .*)?$")
_SCIENTIFIC = re.compile(r"\+?\d(?:\.\d+)?[eE]\+?\d{1,2}$")
_SEVERAL = re.compile(r"[/;,|&\n]| or | and ", re.IGNORECASE)


def tidy(cell: str) -> str:
    """The cell without padding, hidden characters, and the `="…"` with which spreadsheets keep leading zeros."""
    plain = cell.strip() if cell.isascii() and cell.isprintable() else names.clean(cell)
    return plain[2:-1].strip() if plain.startswith('="') and plain.endswith('"') else plain


def many(cell: str) -> list[str]:
    """The values of a list cell, each once, in their order."""
    return list(dict.fromkeys(value for part in cell.split(",") if (value := part.strip()))) if cell else []


def yes(cell: str) -> bool:
    return cell.lower() in {"true", "1", "yes", "y", "t"}


def no(cell: str) -> bool:
    return cell.lower() in {"false", "0", "no", "n", "f"}


def is_gone(status: str) -> bool:
    """`tobedeleted` of 1.1 and 1.2, `inactive` of 1.0."""
    return status.lower() in {"tobedeleted", "inactive", "deleted"}


def role(cell: str) -> str | None:
    """OneRoster's word for a role of either version, written in any case and with or without blanks, or None."""
    word = re.sub(r"[\s_-]", "", cell).lower()
    return _ROLE_WORDS.get(word.removeprefix("ext:"))


@lru_cache(maxsize=4096)
def day(cell: str, region: str) -> date | None:
    """A date written as ISO, with or without a time, or as people of `region` write it.

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
    month_first = second > 12 or (region == "US" and first <= 12)  # noqa: PLR2004
    month, number = (first, second) if month_first else (second, first)
    return date(year if year > 99 else 2000 + year, month, number)  # noqa: PLR2004


class Number(NamedTuple):
    """A telephone cell: E.164 when something textable was found, and what a report should say about the cell."""

    e164: str | None
    problem: str | None


@lru_cache(maxsize=4096)
def number(cell: str, region: str) -> Number:
    """Read a telephone cell. Two numbers in one cell: the first that can be read is kept, and that is said."""
    if not cell:
        return Number(None, None)
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
    parts = [part for part in _SEVERAL.split(cell) if part.strip()]
    for part in parts if len(parts) > 1 else []:
        try:
            return Number(
                phone.parse(part, region).e164, "holds more than one number; the first that can be read was kept"
            )
        except UserError:
            continue
    return None
