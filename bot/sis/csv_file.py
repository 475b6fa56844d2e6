"""One CSV file of an SIS as a stream of rows.

A date that may be read both ways, 8/7/2026, is read as the dates of the same file that fit only one; if they do not decide, as
the region writes dates.
"""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import cached_property
from itertools import chain

from bot.sis import cells
from bot.sis.bundle import BundleFile
from bot.sis.columns import FileFormat, Header, RowReader, Translate, merge_by_line
from bot.sis.layout import USUAL, describe_other_file, find_layout
from bot.sis.lines import LONGEST_LINE, CsvRows, LineReader, open_text, read_blocks, read_rows, split_lines
from bot.sis.rows import Kind, Rejection, Row

_BLOCK_BYTES = 1 << 16
_DATE = re.compile(r"(?:^|[,;|\"\s])(\d{1,2})[-/.](\d{1,2})[-/.](?:\d{4}|\d{2})(?=[,;|\"\s]|$)")
_MONTHS = 12


class DateReader:
    """Parses the dates of one file. At the first date whose order matters, all dates of the file are scanned once."""

    def __init__(self, file: BundleFile, region: str) -> None:
        self._file = file
        self._region = region

    def parse(self, cell: str) -> date | None:
        """Parse as `cells.parse_date` does."""
        return cells.parse_date(cell, month_first=self._month_first if cells.has_day_and_month(cell) else False)

    @property
    def has_scanned(self) -> bool:
        """Whether there was a date that other lines decide how to read."""
        return "_month_first" in vars(self)

    @cached_property
    def _month_first(self) -> bool:
        day_first = set()
        with open_text(self._file.open()) as stream:
            for line in iter(lambda: stream.readline(LONGEST_LINE), ""):
                for first, second in _DATE.findall(line):
                    if (int(first) > _MONTHS) != (int(second) > _MONTHS):
                        day_first.add(int(first) > _MONTHS)
        return not day_first.pop() if len(day_first) == 1 else self._region == "US"


class CsvFile:
    """A `LinedPart` whose rows `translate` turns into ours. A file of OneRoster has the `name` of its kind.

    Every format has the columns `status` and `dateLastModified`, with which a delta marks its rows: a file that is only
    `declared_delta` is not one.
    """

    has_lines = True
    watermark: datetime | None = None

    def __init__(
        self,
        kind: Kind,
        file: BundleFile,
        form: FileFormat,
        translate: Translate,
        *,
        declared_delta: bool = False,
        dates: DateReader | None = None,
        name: str | None = None,
    ) -> None:
        self.kind = kind
        self.name = name or f"{kind}.csv"
        self.size = file.size
        self.position = 0
        self.rows_read = 0
        self.is_readable = True
        self._file = file
        self._format = form
        self._row_reader = RowReader(kind, self.name, form.needed, translate)
        self._declared_delta = declared_delta
        self._has_marks = False
        self._is_plain = not declared_delta
        self._dates = dates
        self._header = Header(form, [])

    @property
    def is_delta(self) -> bool:
        return self._declared_delta and (self._has_marks or not self.rows_read)

    @property
    def is_plain(self) -> bool:
        return self._is_plain and not (self._dates and self._dates.has_scanned)

    @property
    def header(self) -> list[str]:
        return self._header.titles

    @property
    def unread_columns(self) -> list[str]:
        return self._header.unread if self.is_readable else []

    def rows(self) -> Iterator[Row | Rejection]:
        return chain.from_iterable(self._read_blocks())

    def _read_blocks(self) -> Iterator[Iterable[Row | Rejection]]:
        rejection = self._row_reader.rejection
        self.rows_read = 0
        layout = find_layout(self._file, self._format)
        if layout is None and (what := self._describe_other()):
            self.is_readable = False
            yield [rejection(None, None, what)]
            return
        delimiter, header_line = layout or USUAL
        self._is_plain = self._is_plain and layout == USUAL
        with open_text(self._file.open()) as stream:
            for _ in range(header_line - 1):
                stream.readline()
            reader = LineReader(stream, delimiter=delimiter, first_line=header_line)
            yield from self._read_below_header(reader)
            if self.is_readable and not self.is_delta and not self.rows_read:
                yield [rejection(None, None, "holds no row")]
            if reader.not_utf8 == 1:
                reason = "is not UTF-8; one line was read as Windows-1252"
                yield [rejection(reader.first_not_utf8, None, reason)]
            elif reader.not_utf8:
                reason = f"is not UTF-8; {reader.not_utf8:,} lines were read as Windows-1252"
                yield [rejection(reader.first_not_utf8, None, reason)]
        self._is_plain = self._is_plain and reader.one_row_per_line and not reader.not_utf8
        self.position = self.size

    def _describe_other(self) -> str | None:
        """Return what the file is instead of one of its kind, as the end of a sentence; None if unknown."""
        return describe_other_file(self._file)

    def _read_below_header(self, reader: LineReader) -> Iterator[Iterable[Row | Rejection]]:
        blocks = read_blocks(reader)
        first = next((rows for rows in blocks if isinstance(rows, CsvRows)), None)
        if first is None:
            return
        header = self._header = Header(self._format, first.cells[0])
        if header.missing:
            self.is_readable = False
            reason = "is missing from the header; the file was not read"
            yield [self._row_reader.rejection(first.lines[0], header.missing, reason)]
            return
        for rows in blocks:
            self.position = reader.characters
            if isinstance(rows, CsvRows):
                self.rows_read += len(rows.lines)
                yield self._read_complete(header, rows)
            else:
                self.rows_read += 1
                yield self._row_reader.reject(rows.line, None, rows.broken or "", header.identity(rows.cells))

    def _read_complete(self, header: Header, rows: CsvRows) -> Sequence[Row | Rejection]:
        rejected: list[Row | Rejection] = []
        too_long = header.has_extra_cells(rows.cells)
        block = header.block(rows.lines, rows.cells)
        if any(too_long):
            for line, row, is_rejected in zip(rows.lines, rows.cells, too_long, strict=True):
                if is_rejected:
                    reason = "has more cells than the header"
                    rejected += self._row_reader.reject(line, None, reason, header.identity(row))
            block = block.where([not is_rejected for is_rejected in too_long])
        self._has_marks = self._has_marks or any(block.columns["status"]) or any(block.columns["dateLastModified"])
        return merge_by_line(rejected, self._row_reader.read(block))

    def read_raw(self) -> Iterator[bytes]:
        with self._file.open() as stream:
            first = stream.readline(LONGEST_LINE)
            self._first_line = first.decode("utf-8-sig", "replace")
            titles = next(read_rows(LineReader(io.StringIO(self._first_line))), None)
            self._header = Header(self._format, titles.cells if titles and not titles.broken else [])
            self._is_plain = self._is_plain and not self._header.missing and first.endswith(b"\n")
            while self._is_plain and (block := stream.read(_BLOCK_BYTES)):
                yield block

    def read_lines(self, numbers: Sequence[int], lines: Sequence[str]) -> Sequence[Row | Rejection]:
        plain = split_lines([f"{line}\n" for line in lines], len(self.header))
        rows = CsvRows(numbers, plain) if plain else self._parse_lines(numbers, lines)
        return self._read_complete(self._header, rows) if rows.lines else []

    def _parse_lines(self, numbers: Sequence[int], lines: Sequence[str]) -> CsvRows:
        parsed: list[tuple[int, list[str]]] = []
        for number, line in zip(numbers, lines, strict=True):
            _, *rows = read_rows(LineReader(io.StringIO(f"{self._first_line}{line}\n")))
            self._is_plain = self._is_plain and not any(row.broken for row in rows)
            parsed += [(number, row.cells) for row in rows]
        return CsvRows([number for number, _ in parsed], [row for _, row in parsed])
