"""The cleanup list as an Excel workbook or a CSV file, written row by row: memory holds one row, however long the list is.

No cell is ever a formula. Phone numbers are masked unless the reader's role may export whole ones.
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
from bot.db.models.base import ContactMethod
from bot.db.models.downloads import DownloadForm
from bot.domain import display, phone, spreadsheet
from bot.domain.display import day_and_time, plural
from bot.domain.phone_note import masked_note
from bot.domain.sms_status import MEANINGS, Color
from bot.domain.spreadsheet import escape_cell

# Titles of the columns, and their widths in characters.
_COLUMNS = {
    "Last name": 18,
    "First name": 16,
    "Grade": 7,
    "School": 26,
    "Teacher": 24,
    "Contact": 24,
    "Relationship": 13,
    "SMS status": 13,
    "Since": 12,
    "Number": 16,
    "Contact method": 15,
    "Student can be reached": 22,
    "Next step": 60,
    "Note in the SIS": 30,
}
_GRADE, _STATUS, _SINCE = (list(_COLUMNS).index(title) for title in ("Grade", "SMS status", "Since"))
_METHODS = {ContactMethod.TEXT: "Text", ContactMethod.CALL: "Call", ContactMethod.EMAIL: "Email"}
_FILLS = {Color.RED: "#F8D7DA", Color.YELLOW: "#FFF3CD"}
# Excel takes 32,767 characters in a cell.
_MAX_CELL = 32_000


@dataclass(frozen=True)
class FileHeader:
    """Describes a file: its list, when it was made, and who asked for it. `facts` are sentences about the age of its data."""

    title: str
    made_at: datetime
    made_by: str
    facts: tuple[str, ...]
    zone: ZoneInfo
    region: str
    with_numbers: bool


@dataclass(frozen=True)
class ListSize:
    """The size of a file: one row for each student and listed contact, so siblings share contacts but not rows."""

    rows: int
    contacts: int
    students: int

    def __str__(self) -> str:
        rows, contacts = plural(self.rows, "row"), plural(self.contacts, "contact")
        return f"{rows} ({contacts} of {plural(self.students, 'student')})"


def write_list(form: DownloadForm, path: Path, rows: Iterable[ExportRow], header: FileHeader) -> int:
    """Write the file at `path`, with temporary files in the same folder, and return the number of rows."""
    write = _write_workbook if form == DownloadForm.XLSX else _write_csv
    return write(path, rows, header)


def _write_csv(path: Path, rows: Iterable[ExportRow], header: FileHeader) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(spreadsheet.BYTE_ORDER_MARK)
        table = csv.writer(file)
        table.writerow(_COLUMNS)
        for count, row in enumerate(rows, 1):  # noqa: B007 - the number of rows is returned.
            cells = list(_cells(row, header))
            cells[_SINCE] = row.since.astimezone(header.zone).date().isoformat()
            table.writerow(map(escape_cell, cells))
    return count


def _write_workbook(path: Path, rows: Iterable[ExportRow], header: FileHeader) -> int:
    options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as workbook:
        count = _write_rows(workbook, rows, header)
        _write_about(workbook, header, count)
    return count


def _write_rows(workbook: Any, rows: Iterable[ExportRow], header: FileHeader) -> int:
    sheet = workbook.add_worksheet("Cleanup list")
    bold = workbook.add_format({"bold": True, "bottom": 1})
    date = workbook.add_format({"num_format": "mmm d, yyyy"})
    fills = {color: workbook.add_format({"bg_color": fill}) for color, fill in _FILLS.items()}
    for column, (title, width) in enumerate(_COLUMNS.items()):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, bold)
    sheet.freeze_panes(1, 2)
    count = 0
    for count, row in enumerate(rows, 1):
        for column, cell in enumerate(_cells(row, header)):
            if column == _SINCE:
                sheet.write_datetime(count, column, row.since.astimezone(header.zone).replace(tzinfo=None), date)
            elif column == _GRADE and cell.isdecimal():
                sheet.write_number(count, column, int(cell))
            else:
                fill = fills[MEANINGS[row.status].color] if column == _STATUS else None
                sheet.write_string(count, column, cell[:_MAX_CELL], fill)
    sheet.autofilter(0, 0, count, len(_COLUMNS) - 1)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    return count


def _write_about(workbook: Any, header: FileHeader, count: int) -> None:
    sheet = workbook.add_worksheet("About this list")
    sheet.set_column(0, 0, 90)
    made_at = header.made_at.astimezone(header.zone)
    lines = [
        header.title,
        f"Made {day_and_time(made_at)} {made_at:%Z} for {header.made_by}",
        plural(count, "row"),
        *header.facts,
        "Phone numbers are whole." if header.with_numbers else "Only the last digits of each phone number are shown.",
        "This file holds names of students and families.",
        "Protect it like other student records, and delete it when you no longer need it.",
    ]
    for number, line in enumerate(lines):
        sheet.write_string(number, 0, line[:_MAX_CELL])


def _cells(row: ExportRow, header: FileHeader) -> Iterator[str]:
    """Yield the cells of a row in the order of `_COLUMNS`, as text; *Since* is left empty, as each format writes dates its own way."""
    status = MEANINGS[row.status]
    yield from (row.family_name, row.given_name, row.grade or "", "; ".join(row.schools), "; ".join(row.teachers))
    yield from (row.contact, row.relationship or "", status.label, "")
    if row.phone is None:
        yield "no number"
    else:
        yield phone.format_number(row.phone, header.region) if header.with_numbers else display.masked(row.phone)
    yield _METHODS[row.method]
    yield "yes, by text" if row.textable else "by call or email only" if row.other_ways else "no"
    if row.is_updated:
        yield "Updated since; the status is from before the update. Wait for the next mass message."
    else:
        yield status.next_step
    note = row.note or ""
    yield note if header.with_numbers else masked_note(note)
