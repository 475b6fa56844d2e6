"""The cleanup list as an Excel workbook or a CSV file, written row by row: memory holds one row, and the ids of the contacts.

No cell is ever a formula. Phone numbers are masked unless the reader's role may export whole ones.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter

from bot.cleanup_list.export_rows import ExportRow
from bot.cleanup_list.last_verified import PROOF_WORDS
from bot.db.models.base import ContactMethod
from bot.db.models.downloads import DownloadForm
from bot.domain import display, phone, spreadsheet
from bot.domain.display import day_and_time, plural
from bot.domain.phone_note import masked_note
from bot.domain.sms_status import MEANINGS, Color
from bot.domain.spreadsheet import escape_cell
from bot.downloads.history_sheet import write_history
from bot.reachability.score import DayScore

# Titles of the columns, and their widths in characters.
_COLUMNS = {
    "Last name": 18,
    "First name": 16,
    "Student number": 12,
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
    "Last verified": 12,
    "Verified by": 28,
}
_GRADE, _STATUS = (list(_COLUMNS).index(title) for title in ("Grade", "SMS status"))
_METHODS = {ContactMethod.TEXT: "Text", ContactMethod.CALL: "Call", ContactMethod.EMAIL: "Email"}
# Long cells are read where they are, not in the formula bar.
_WRAPPED = {"text_wrap": True, "valign": "top"}
_FILLS = {Color.RED: "#F8D7DA", Color.YELLOW: "#FFF3CD"}
_ASK = "Ask the family whether this is still their number."
# Excel takes 32,767 characters in a cell.
_MAX_CELL = 32_000


@dataclass(frozen=True)
class FileHeader:
    """Describes a file: its title, the name of its sheet, when it was made, and who asked for it. `facts` are sentences about the age
    of its data; `history` is the score of all students that the reader sees.
    """

    title: str
    sheet: str
    made_at: datetime
    made_by: str
    facts: tuple[str, ...]
    zone: ZoneInfo
    region: str
    with_numbers: bool
    history: tuple[DayScore, ...] = ()


@dataclass(frozen=True)
class ListSize:
    """The size of a file: one row for each student and listed contact, so siblings share contacts but not rows."""

    rows: int
    contacts: int
    students: int

    def __str__(self) -> str:
        """Return the totals as the list in Slack shows them, and the rows where there are more of them."""
        totals = f"{plural(self.contacts, 'contact')}, {plural(self.students, 'student')}"
        return (
            totals if self.rows == self.contacts else f"{totals} ({self.rows:,} rows, one for each child of a contact)"
        )


class _RowCount:
    """Counts the rows that pass through `number`; the rows of a student follow each other."""

    def __init__(self) -> None:
        self.rows, self.students = 0, 0
        self._student_id: int | None = None
        self._contact_ids: set[int] = set()

    def number(self, rows: Iterable[ExportRow]) -> Iterator[tuple[int, ExportRow]]:
        """Yield each row with its number, from 1."""
        for self.rows, row in enumerate(rows, 1):
            self.students += row.student_id != self._student_id
            self._student_id = row.student_id
            self._contact_ids.add(row.contact_id)
            yield self.rows, row

    @property
    def size(self) -> ListSize:
        return ListSize(self.rows, len(self._contact_ids), self.students)


def write_list(form: DownloadForm, path: Path, rows: Iterable[ExportRow], header: FileHeader) -> ListSize:
    """Write the file at `path`, with temporary files in the same folder, and return its size."""
    row_count = _RowCount()
    write = _write_workbook if form == DownloadForm.XLSX else _write_csv
    write(path, rows, header, row_count)
    return row_count.size


def _write_csv(path: Path, rows: Iterable[ExportRow], header: FileHeader, row_count: _RowCount) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(spreadsheet.BYTE_ORDER_MARK)
        table = csv.writer(file)
        table.writerow(_COLUMNS)
        for _, row in row_count.number(rows):
            cells = (cell.isoformat() if isinstance(cell, date) else escape_cell(cell) for cell in _cells(row, header))
            table.writerow(cells)


def _write_workbook(path: Path, rows: Iterable[ExportRow], header: FileHeader, row_count: _RowCount) -> None:
    options = {
        "constant_memory": True,
        "tmpdir": str(path.parent),
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(str(path), options) as workbook:
        _write_rows(workbook, rows, header, row_count)
        write_history(workbook, header.history)
        _write_about(workbook, header, row_count.size)


def _write_rows(workbook: Any, rows: Iterable[ExportRow], header: FileHeader, row_count: _RowCount) -> None:
    sheet = workbook.add_worksheet(header.sheet)
    bold = workbook.add_format(_WRAPPED | {"bold": True, "bottom": 1})
    wrapped = workbook.add_format(_WRAPPED)
    day = workbook.add_format(_WRAPPED | {"num_format": "mmm d, yyyy"})
    fills = {color: workbook.add_format(_WRAPPED | {"bg_color": fill}) for color, fill in _FILLS.items()}
    for column, (title, width) in enumerate(_COLUMNS.items()):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, bold)
    sheet.freeze_panes(1, 2)
    for number, row in row_count.number(rows):
        for column, cell in enumerate(_cells(row, header)):
            if isinstance(cell, date):
                sheet.write_datetime(number, column, cell, day)
            elif column == _GRADE and cell.isdecimal():
                sheet.write_number(number, column, int(cell), wrapped)
            else:
                format_ = fills[MEANINGS[row.status].color] if column == _STATUS and row.status else wrapped
                sheet.write_string(number, column, cell[:_MAX_CELL], format_)
    sheet.autofilter(0, 0, row_count.rows, len(_COLUMNS) - 1)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _write_about(workbook: Any, header: FileHeader, size: ListSize) -> None:
    sheet = workbook.add_worksheet("About this list")
    sheet.set_column(0, 0, 90)
    made_at = header.made_at.astimezone(header.zone)
    lines = [
        header.title,
        f"Made {day_and_time(made_at)} {made_at:%Z} for {header.made_by}",
        str(size),
        *header.facts,
        "Phone numbers are in full." if header.with_numbers else "Only the last digits of each phone number are shown.",
        "This file holds names of students and families.",
        "Protect it like other student records, and delete it when you no longer need it.",
    ]
    for number, line in enumerate(lines):
        sheet.write_string(number, 0, line[:_MAX_CELL])


def _cells(row: ExportRow, header: FileHeader) -> Iterator[str | date]:
    """Yield the cells of a row in the order of `_COLUMNS`. A day is blank where there is none."""
    status = MEANINGS[row.status] if row.status else None
    yield from (row.family_name, row.given_name, row.student_number, row.grade or "")
    yield from ("; ".join(row.schools), "; ".join(row.teachers), row.contact, row.relationship or "")
    yield status.label if status else "No problem known"
    yield _day(row.since, header)
    if row.phone is None:
        yield "no number"
    else:
        yield phone.format_number(row.phone, header.region) if header.with_numbers else display.masked(row.phone)
    yield _METHODS[row.method]
    yield "yes, by text" if row.textable else "by call or email only" if row.other_ways else "no"
    if row.is_updated:
        yield "Updated since; the status is from before the update. Wait for the next mass message."
    else:
        yield status.next_step if status else _ASK
    note = row.note or ""
    yield note if header.with_numbers else masked_note(note)
    yield _day(row.verified.at if row.verified else None, header)
    yield PROOF_WORDS[row.verified.proof] if row.verified else "never verified"


def _day(at: datetime | None, header: FileHeader) -> date | str:
    return at.astimezone(header.zone).date() if at else ""
