"""The list as a workbook or a CSV, written row by row: memory holds one row, whatever the list.

No cell is ever a formula. Numbers come masked, except for whoever may take whole ones out.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter

from bot.cleanup_list.export_rows import ExportRow
from bot.db.models.downloads import DownloadForm
from bot.domain import phone, spreadsheet
from bot.domain.plural import plural
from bot.domain.sms_status import Color, meaning
from bot.domain.spreadsheet import escape_cell
from bot.wording import say

_COLUMNS = {
    "last_name": 18,
    "first_name": 16,
    "grade": 7,
    "school": 26,
    "teacher": 24,
    "contact": 24,
    "relationship": 13,
    "status": 13,
    "since": 12,
    "number": 16,
    "method": 15,
    "reached": 22,
    "next_step": 60,
}
"""The columns by the names of their titles, and how many characters wide each is."""
_GRADE, _STATUS, _SINCE = 2, 7, 8
_FILLS = {Color.RED: "#F8D7DA", Color.YELLOW: "#FFF3CD"}
_LONGEST = 32_000
"""A cell holds 32,767 characters."""


@dataclass(frozen=True)
class FileHeader:
    """What a file says of itself: which list, made when and for whom. `with_numbers`: whole ones may be in it."""

    title: str
    made_at: datetime
    made_by: str
    facts: tuple[str, ...]
    zone: ZoneInfo
    region: str
    with_numbers: bool


@dataclass(frozen=True)
class ListSize:
    """How much a file holds: a row for each student and listed contact of theirs, so that siblings share contacts, not rows."""

    rows: int
    contacts: int
    students: int

    def __str__(self) -> str:
        rows, contacts = plural(self.rows, "row"), plural(self.contacts, "contact")
        return f"{rows} ({contacts} of {plural(self.students, 'student')})"


def write_list(form: DownloadForm, path: Path, entries: Iterable[ExportRow], head: FileHeader) -> int:
    """Write the file at `path`; the folder it stands in is used for what is only needed meanwhile. Gives the number of rows."""
    return _WRITERS[form](path, entries, head)


def _csv(path: Path, entries: Iterable[ExportRow], head: FileHeader) -> int:
    number = 0
    with path.open("w", encoding="utf-8", newline="") as to:
        to.write(spreadsheet.BYTE_ORDER_MARK)
        table = csv.writer(to)
        table.writerow(_titles())
        for number, one in enumerate(entries, 1):  # noqa: B007 - how many there were.
            since = one.since.astimezone(head.zone).date().isoformat()
            words = list(_words(one, head))
            table.writerow([escape_cell(cell) for cell in (*words[:_SINCE], since, *words[_SINCE + 1 :])])
    return number


def _workbook(path: Path, entries: Iterable[ExportRow], head: FileHeader) -> int:
    options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        rows = _rows(book, entries, head)
        _about(book, head, rows)
    return rows


def _rows(book: Any, entries: Iterable[ExportRow], head: FileHeader) -> int:
    sheet = book.add_worksheet("Cleanup list")
    strong, day = book.add_format({"bold": True, "bottom": 1}), book.add_format({"num_format": "mmm d, yyyy"})
    fills = {colour: book.add_format({"bg_color": fill}) for colour, fill in _FILLS.items()}
    for place, (title, width) in enumerate(zip(_titles(), _COLUMNS.values(), strict=True)):
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, title, strong)
    sheet.freeze_panes(1, 2)
    number = 0
    for number, one in enumerate(entries, 1):
        for place, cell in enumerate(_words(one, head)):
            if place == _SINCE:
                since = one.since.astimezone(head.zone).replace(tzinfo=None)
                sheet.write_datetime(number, place, since, day)
            elif place == _GRADE and cell.isdecimal():
                sheet.write_number(number, place, int(cell))
            else:
                colour = fills[meaning(one.status).color] if place == _STATUS else None
                sheet.write_string(number, place, cell[:_LONGEST], colour)
    sheet.autofilter(0, 0, number, len(_COLUMNS) - 1)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    return number


def _about(book: Any, head: FileHeader, rows: int) -> None:
    sheet = book.add_worksheet("About this list")
    sheet.set_column(0, 0, 90)
    made = f"Made {head.made_at.astimezone(head.zone):%B %d, %Y, %H:%M %Z} for {head.made_by}"
    numbers = "Numbers are whole." if head.with_numbers else "Of each number only the last digits are shown."
    lines = [
        head.title,
        made,
        plural(rows, "row"),
        *head.facts,
        numbers,
        ("It holds names of students and families. Keep it as you keep student records, and delete it when it is old."),
    ]
    for line, said in enumerate(lines):
        sheet.write_string(line, 0, said[:_LONGEST])


def _titles() -> list[str]:
    return [say(f"downloads.column.{name}") for name in _COLUMNS]


def _words(one: ExportRow, head: FileHeader) -> Iterator[str]:
    """The cells of a row in the order of `_COLUMNS`, all as text; the day is written by each form in its own way."""
    said = meaning(one.status)
    yield from (one.family_name, one.given_name, one.grade or "", "; ".join(one.schools), "; ".join(one.teachers))
    yield from (one.contact, one.relationship or "", said.label, "", _number(one, head), say(f"method.{one.method}"))
    reached = "by_text" if one.textable else "by_other_ways" if one.other_ways else "unreached"
    yield say(f"downloads.reached.{reached}")
    yield (
        "Updated since; the status is of how it was before. Wait for the next mass message."
        if one.is_updated
        else said.next_step
    )


def _number(one: ExportRow, head: FileHeader) -> str:
    if one.phone is None:
        return "no number"
    return phone.format_number(one.phone, head.region) if head.with_numbers else phone.masked(one.phone)


_WRITERS = {DownloadForm.XLSX: _workbook, DownloadForm.CSV: _csv}
