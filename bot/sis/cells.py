"""Cells of an SIS export: dates, yes and no, roles, phone numbers.

A problem says why a cell cannot be read, never what it holds: reports are shared.
"""

import re
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import phonenumbers

from bot.domain import names, phone
from bot.domain.phone import Doubt
from bot.domain.phone_note import NoteKind, kind_of, note_beside
from bot.errors import UserError
from bot.sis.rows import CONTACT_ROLES, STAFF_ROLES

LONGEST_ID = 255
LONGEST_EMAIL = 320

_ROLES = {role.lower(): role for role in ("student", *CONTACT_ROLES, *STAFF_ROLES)}
_ISO_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ].*)?$")
_WRITTEN_DATE = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?: .*)?$")
_MONTHS = 12
_SCIENTIFIC = re.compile(r"\+?\d(?:\.\d+)?[eE]\+?\d{1,2}$")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.0+)?$")
_SEPARATORS = re.compile(r"[/\\;,|&\n•]| or | and ", re.IGNORECASE)
_NORTH_AMERICAN = re.compile(r"(?<!\d)(?:\+?1[\s.-]*)?\(?\d{3}\)?[\s.-]*\d{3}[\s.-]*\d{4}(?!\d)")
# A few digits right before or after a number, with only blanks and dashes between.
_DIGITS_BEFORE = re.compile(r"(?<![\d\s.-])[\s.-]*\d{1,6}[\s.-]*$")
_DIGITS_AFTER = re.compile(r"[\s.-]*\d{1,6}(?![\d\s.-]*\d)")
_DOUBTS = {
    Doubt.PLACEHOLDER: "is a placeholder, not a phone number",
    Doubt.UNASSIGNABLE: "is a number that no US phone can have; it was kept",
    Doubt.TOLL_FREE: "is a toll-free number, which belongs to a company; it was kept",
}
_NOTE_PROBLEMS = {
    NoteKind.REFUSED: "says that the contact must not be texted; the number was kept, and gets no texts until staff allow them",
    NoteKind.DEAD: "says that the number does not work; it was kept, and gets no texts until staff allow them",
}
# More digits than an extension has.
_SECOND_NUMBER = 4
_LOCAL_NUMBER = 7


def tidy(cell: str) -> str:
    """Return the cell without padding, hidden characters, and the `="…"` with which spreadsheets keep leading zeros."""
    plain = cell.strip() if cell.isascii() and cell.isprintable() else names.clean(cell)
    return plain[2:-1].strip() if plain.startswith('="') and plain.endswith('"') else plain


def tidy_all(column: tuple[str, ...]) -> tuple[str, ...]:
    """Return each cell `tidy`. Most columns are, which one look at the joined text shows."""
    text = f"|{'|'.join(column)}|"
    # One character is found many times as fast as two, and most columns have no blank at all.
    has_padding = " " in text and ("| " in text or " |" in text)
    is_tidy = text.isascii() and text.isprintable() and not has_padding and not ('="' in text and '|="' in text)
    return column if is_tidy else tuple(map(tidy, column))


def split_list(cell: str) -> list[str]:
    """Return the values of a list, each once, in their order."""
    if "," not in cell:
        return [value] if (value := cell.strip()) else []
    return list(dict.fromkeys(filter(None, map(str.strip, cell.split(",")))))


def is_yes(cell: str) -> bool:
    return cell.lower() in {"true", "1", "yes", "y", "t"}


def is_no(cell: str) -> bool:
    return cell.lower() in {"false", "0", "no", "n", "f"}


def is_gone(status: str) -> bool:
    """Return whether a status says deleted: `tobedeleted` in OneRoster 1.1 and 1.2, `inactive` in 1.0."""
    return bool(status) and status.lower() in {"tobedeleted", "inactive", "deleted"}


def parse_role(cell: str) -> str | None:
    """Return OneRoster's word for a role of either version, in any case and with or without blanks, or None."""
    word = re.sub(r"[\s_-]", "", cell).lower()
    return _ROLES.get(word.removeprefix("ext:"))


def parse_date(cell: str, *, month_first: bool) -> date | None:
    """Return the date, written as ISO or as people write it; `month_first` decides if both orders are possible.

    Raises:
        ValueError: it is not a date.
    """
    if not cell:
        return None
    if match := _ISO_DATE.match(cell):
        year, month, day = map(int, match.groups())
        return date(year, month, day)
    match = _WRITTEN_DATE.match(cell)
    if not match:
        raise ValueError
    first, second, year = map(int, match.groups())
    is_month_first = second > _MONTHS or (month_first and first <= _MONTHS)
    month, day = (first, second) if is_month_first else (second, first)
    return date(year if year > 99 else 2000 + year, month, day)  # noqa: PLR2004


def has_day_and_month(cell: str) -> bool:
    """Return whether the order of day and month matters."""
    return bool(_WRITTEN_DATE.match(cell))


class PhoneCell(NamedTuple):
    """E.164 if the cell holds a textable number, what a report should say about the cell, the note beside the number, and why
    the number is not texted until staff allow it.
    """

    e164: str | None
    problem: str | None
    note: str | None = None
    kind: NoteKind | None = None

    @property
    def is_doubtful(self) -> bool:
        """Whether the number does not work by its note, or no phone can have it."""
        return self.kind in {NoteKind.DEAD, NoteKind.IMPOSSIBLE}


def parse_phone(cell: str, region: str) -> PhoneCell:
    """Read a phone cell. Of two numbers the first readable one is kept, and reported."""
    if not cell:
        return PhoneCell(None, None)
    if e164 := phone.parse_usual(cell, region):
        return _checked(e164)
    exact = restore_digits(cell)
    if exact is None:
        return PhoneCell(None, "cannot be read: a spreadsheet has rounded the number and its last digits are lost")
    return _with_note(_parse_exact(exact, region), cell, is_rewritten=exact != cell)


def _parse_exact(cell: str, region: str) -> PhoneCell:
    try:
        return _checked(phone.parse(cell, region).e164)
    except UserError as error:
        return _first_of_several(cell, region) or PhoneCell(None, f"cannot be read: {error.sentence}")


def _with_note(read: PhoneCell, cell: str, *, is_rewritten: bool) -> PhoneCell:
    """Add the words beside the number, and what follows from them or from a number that no one can have."""
    note = None if is_rewritten else note_beside(cell, read.e164)
    kind = kind_of(note) if note else None
    if kind:
        return read._replace(problem=_NOTE_PROBLEMS[kind] if read.e164 else read.problem, note=note, kind=kind)
    is_impossible = read.e164 is None and _count_digits(cell) >= _LOCAL_NUMBER
    return read._replace(note=note, kind=NoteKind.IMPOSSIBLE if is_impossible else read.kind)


def _checked(e164: str) -> PhoneCell:
    """Return a number with what is odd about it. A placeholder is no number; any other is kept, as only a receipt proves it dead."""
    doubt = phone.doubt_about(e164)
    if doubt is None:
        return PhoneCell(e164, None)
    kind = None if doubt is Doubt.TOLL_FREE else NoteKind.IMPOSSIBLE
    return PhoneCell(None if doubt is Doubt.PLACEHOLDER else e164, _DOUBTS[doubt], kind=kind)


def plain_number(cell: str) -> str:
    """Return a student number as digits without leading zeros, whatever a spreadsheet made of it (`9000.0`, `9,000`,
    `1.2345E+04`); blank if it is no number, or if digits are lost.
    """
    digits = restore_digits(cell.replace(",", "") if _THOUSANDS.match(cell) else cell) or ""
    return digits.lstrip("0") if digits.isdecimal() and digits.isascii() else ""


def restore_digits(cell: str) -> str | None:
    """Return a number that a spreadsheet rewrote (`3125550142.0`, `3.125550142E+09`) as digits; None if some are lost."""
    if cell.isdecimal():
        return cell
    if re.fullmatch(r"\d+\.0+", cell):
        return cell.split(".", maxsplit=1)[0]
    if not _SCIENTIFIC.match(cell):
        return cell
    value = Decimal(cell)
    is_exact = value == value.to_integral_value() and len(value.as_tuple().digits) > value.adjusted()
    return str(int(value)) if is_exact else None


def _first_of_several(cell: str, region: str) -> PhoneCell | None:
    """Return the first number among several, or before an extension or a note."""
    for part in _SEPARATORS.split(cell):
        if not part.strip():
            continue
        for candidate in (part, *_find_numbers(part, region)):
            try:
                e164 = phone.parse(candidate, region).e164
            except UserError:
                continue
            if phone.doubt_about(e164) is Doubt.PLACEHOLDER:
                continue
            others = _count_digits(cell) - _count_digits(candidate)
            problem = "holds more than one number; the first that can be read was kept"
            return PhoneCell(e164, problem if others >= _SECOND_NUMBER else None)
    return None


def _find_numbers(text: str, region: str) -> list[str]:
    """Return the North American numbers in a text. Digits right before or after one, without a sign between, make it a
    mistyped or foreign number.
    """
    if phonenumbers.country_code_for_region(region) != 1 or re.search(r"\+[02-9]", text):
        return []
    return [
        match.group()
        for match in _NORTH_AMERICAN.finditer(text)
        if not _DIGITS_BEFORE.search(text[: match.start()]) and not _DIGITS_AFTER.match(text, match.end())
    ]


def _count_digits(text: str) -> int:
    return sum(map(str.isdecimal, text))
