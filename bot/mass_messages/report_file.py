"""Read the rows of a messenger's report: a CSV, or the first sheet with rows of an Excel workbook.

Nothing in a file is run: of a formula, only the value that the spreadsheet stored is read. A workbook that would unpack to
far more than its size is refused before it is opened.
"""

import codecs
import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from bot.errors import UserError
from bot.sis.lines import CsvRow, LineReader, open_text, read_rows

MAX_BYTES = 10_000_000
MAX_ROWS = 100_000
_MAX_COLUMNS, _MAX_CELL = 100, 500
_MAX_UNPACKED, _MAX_SHARED_TEXTS, _MAX_PARTS = 150_000_000, 30_000_000, 1_000
_ZIP, _OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_LAST_ROW = 1_048_576  # Of any spreadsheet; a row that claims a higher number would be waited for.
_DELIMITERS = "\t;|"
# A file that is damaged, encrypted, or packed in an uncommon way fails anywhere in `zipfile` or `openpyxl`.
_NOT_A_WORKBOOK = (
    InvalidFileException,
    zipfile.BadZipFile,
    zlib.error,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    SyntaxError,
    RuntimeError,
    EOFError,
    ArithmeticError,
)


@dataclass(frozen=True)
class Table:
    """The rows of a report with any text in them, the header among them. `name` is the name of the file."""

    name: str
    rows: tuple[CsvRow, ...]


def read_table(name: str, content: bytes) -> Table:
    """Return the rows of a report; its content decides what it is, not its name.

    Raises:
        UserError: it is too large, neither a CSV nor a workbook, or not readable.
    """
    if len(content) > MAX_BYTES:
        sentence = "The report is larger than 10 MB. Export only this message, or save the report as a CSV."
        raise UserError("report.too_large", sentence, field="file")
    if content.startswith(_OLD_EXCEL):
        sentence = "This is an old or protected Excel file. Save it as .xlsx without a password, or as a CSV."
        raise UserError("report.old_excel", sentence, field="file")
    rows = _read_workbook(content) if content.startswith(_ZIP) else _read_csv(content)
    return Table(name, tuple(_limited(rows)))


def _limited(rows: Iterable[CsvRow]) -> Iterator[CsvRow]:
    for count, row in enumerate(rows):
        if count > MAX_ROWS:
            sentence = f"The report has more than {MAX_ROWS:,} rows. Split it, and import each part."
            raise UserError("report.too_many_rows", sentence, field="file")
        # The database stores no NUL.
        cells = [cell[:_MAX_CELL].replace("\0", "") for cell in row.cells[:_MAX_COLUMNS]]
        yield row._replace(cells=cells)


def _read_csv(content: bytes) -> Iterator[CsvRow]:
    with open_text(io.BufferedReader(io.BytesIO(_with_mark(content)))) as file:
        first = file.readline()
        file.seek(0)
        delimiter = max(_DELIMITERS, key=first.count)
        if first.count(delimiter) <= first.count(","):
            yield from read_rows(LineReader(file))
            return
        lines = csv.reader(file, delimiter=delimiter, skipinitialspace=True)
        try:
            for cells in lines:
                if any(cells):
                    yield CsvRow(lines.line_num, cells)
        except csv.Error as problem:
            sentence = f"Line {lines.line_num} of the report cannot be read. Save it as a CSV with commas."
            raise UserError("report.unreadable", sentence, field="file") from problem


def _with_mark(content: bytes) -> bytes:
    """Return UTF-16 with its byte order mark, which some exports leave out: every other byte of its header is zero."""
    header = content[:40]
    if header.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or header.count(0) * 3 <= len(header):
        return content
    return (codecs.BOM_UTF16_LE if header[0] else codecs.BOM_UTF16_BE) + content


def _read_workbook(content: bytes) -> Iterator[CsvRow]:
    try:
        _check_parts(zipfile.ZipFile(io.BytesIO(content)).infolist())
        workbook = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        for sheet in workbook.worksheets:
            sheet.reset_dimensions()
            rows = _sheet_rows(sheet)
            if first := next(rows, None):
                yield first
                yield from rows
                return
    except UserError:
        raise
    except _NOT_A_WORKBOOK as problem:
        sentence = "This workbook cannot be read. Open it in a spreadsheet, and save it again as .xlsx or as a CSV."
        raise UserError("report.unreadable", sentence, field="file") from problem


def _check_parts(parts: list[zipfile.ZipInfo]) -> None:
    """Refuse a workbook that takes too much memory: no part unpacks to more than the size it is listed with."""
    shared = sum(part.file_size for part in parts if "sharedstrings" in part.filename.lower())
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > _MAX_PARTS or unpacked > _MAX_UNPACKED or shared > _MAX_SHARED_TEXTS:
        raise _unpacks_too_large()


def _unpacks_too_large() -> UserError:
    sentence = "This workbook unpacks to far more than a report needs. Save only the sheet with the results, as a CSV."
    return UserError("report.unpacks_too_large", sentence, field="file")


def _sheet_rows(sheet: Any) -> Iterator[CsvRow]:
    # Asked for a width, openpyxl fills every row, those between two distant cells as well: a minute for a stray cell in the last row.
    cells_read = 0
    for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
        cells_read += len(values)
        if number > _LAST_ROW or cells_read > MAX_ROWS * _MAX_COLUMNS:
            raise _unpacks_too_large()
        cells = [_cell_text(value) for value in values[:_MAX_COLUMNS]]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield CsvRow(number, cells)


_EMPTY: Mapping[Any, str] = {None: ""}


def _cell_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    return _EMPTY.get(value, str(value))
