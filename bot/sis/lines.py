"""Rows of CSV text as real exports write them: with a BOM, with any line ends, in wrong encodings, with lost quotes.

OneRoster forbids line ends inside a cell, so a quote that runs over many lines is a lost one: its line is returned as broken,
and reading continues with the next line instead of taking the rest of the file for one cell.

Nearly every row is one line with as many cells as the header. Such lines are split a block at a time, in a third of the time;
a block with any other line is read line by line.
"""

import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice, starmap
from typing import IO, NamedTuple

# Characters: below the longest cell that the csv module accepts. Bounds the memory for any input.
LONGEST_LINE = 120_000
# Physical lines of one row.
MOST_LINES = 20
# Rows of a block: as many as fit into the cache of a processor with everything made of them.
BLOCK_ROWS = 512

_FEW_LINES = 32  # Lines taken before their length is checked.
_BEGINNING = 2_000  # Characters kept of a line that is too long: enough for the columns that identify it.
_NOT_UTF8 = re.compile("[\udc80-\udcff]")


class CsvRow(NamedTuple):
    """The cells of a row and the number of its first line. `broken` says why a line is not a row; its cells are then the
    complete ones before the error.
    """

    line: int
    cells: list[str]
    broken: str | None = None


class CsvRows(NamedTuple):
    """Consecutive complete rows: the number of the first line of each, and the cells of each."""

    lines: Sequence[int]
    cells: list[list[str]]


class _UnclosedQuote(Exception):  # noqa: N818 (Never leaves this file.)
    pass


@contextmanager
def open_text(stream: io.BufferedReader) -> Iterator[io.TextIOWrapper]:
    """Decode a file from UTF-16 if it begins with that mark, else from UTF-8; other bytes become surrogates.

    Closes the stream, even if its first bytes cannot be read.
    """
    with stream:
        is_utf16 = stream.peek(2)[:2] in {b"\xff\xfe", b"\xfe\xff"}
        encoding, errors = ("utf-16", "replace") if is_utf16 else ("utf-8-sig", "surrogateescape")
        with io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="") as text:
            yield text


class LineReader:
    """The physical lines of a file, as `csv.reader` takes them.

    `row` holds the lines of the row being read, so that they can be read again if it is broken. `number` is the line that the
    row begins on; `characters` were read so far. `one_row_per_line` is True as long as each line was one complete row.
    """

    def __init__(
        self, stream: IO[str], *, block_rows: int = BLOCK_ROWS, delimiter: str = ",", first_line: int = 1
    ) -> None:
        self.delimiter = delimiter
        self._stream = iter(partial(stream.readline, LONGEST_LINE), "")
        self._block_rows = block_rows
        # Lines of a block that could not be split at once, then lines of a broken row, which are decoded already.
        self._ahead: deque[str] = deque()
        self._again: deque[str] = deque()
        self.row: list[str] = []
        self.width = 0
        self.number = first_line
        self.at_end = False
        self.one_row_per_line = True
        self.characters = 0
        self.too_long: dict[int, str] = {}
        self.first_not_utf8: int | None = None
        self.not_utf8 = 0

    def __iter__(self) -> "LineReader":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read()
        if not line:
            self.at_end = True
            raise StopIteration
        self.row.append(line)
        if len(self.row) > MOST_LINES:
            raise _UnclosedQuote
        return line

    @property
    def has_lines_ahead(self) -> bool:
        return bool(self._again or self._ahead)

    def take_block(self) -> list[list[str]]:
        """Return the cells of the next lines if each is a row as wide as the header, else nothing: they are still to be read."""
        if self.has_lines_ahead or not self.width:
            return []
        lines: list[str] = []
        characters = 0
        while len(lines) < self._block_rows and characters < LONGEST_LINE:
            some = list(islice(self._stream, min(_FEW_LINES, self._block_rows)))
            if not some:
                break
            lines += some
            characters += sum(map(len, some))
        is_short = max(map(len, lines), default=0) < LONGEST_LINE
        rows = split_lines(lines, self.width, self.delimiter) if is_short else []
        if rows:
            self.number += len(rows)
            self.characters += characters
        else:
            self._ahead.extend(lines)
        return rows

    def end_row(self) -> None:
        self.number += len(self.row)
        self.row.clear()

    def drop_first_line(self) -> None:
        """Skip the first line of a broken row; its other lines are read again as rows of their own."""
        self._again.extendleft(reversed(self.row[1:]))
        self.number += 1
        self.row.clear()
        self.at_end = False

    def _next_line(self) -> str:
        return self._ahead.popleft() if self._ahead else next(self._stream, "")

    def _read(self) -> str:
        line = self._next_line()
        self.characters += len(line)
        if not line.isascii() and _NOT_UTF8.search(line):
            # Spreadsheets save in this encoding; one byte that is not UTF-8 means that the whole line is in it.
            line = line.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
            self.not_utf8 += 1
            self.first_not_utf8 = self.first_not_utf8 or self.number + len(self.row)
        if len(line) >= LONGEST_LINE and line[-1] not in "\r\n":
            self.too_long[self.number + len(self.row)] = line[:_BEGINNING]
            while (rest := self._next_line()) and rest[-1] not in "\r\n":
                self.characters += len(rest)
            self._join_line_end(rest)
            return "\n"
        self._join_line_end(line)
        return line

    def _join_line_end(self, line: str) -> None:
        """Skip a line feed that the limit on the length cut from its carriage return: it is not a line."""
        if len(line) < LONGEST_LINE or line[-1] != "\r":
            return
        following = self._next_line()
        if following == "\n":
            self.characters += 1
        elif following:
            self._ahead.appendleft(following)


def read_rows(reader: LineReader) -> Iterator[CsvRow]:
    """Yield every row of a file, the header first, without blank lines. Nothing in a file raises an error."""
    for rows in read_blocks(reader):
        if isinstance(rows, CsvRow):
            yield rows
        else:
            yield from starmap(CsvRow, zip(rows.lines, rows.cells, strict=True))


def read_blocks(reader: LineReader) -> Iterator[CsvRows | CsvRow]:
    """Yield the same rows: the header by itself, complete rows together, broken ones by themselves."""
    one_by_one = _read_one_by_one(reader)
    while True:
        first = reader.number
        if block := reader.take_block():
            yield CsvRows(range(first, reader.number), block)
            continue
        # The lines that could not be split at once, up to the next broken row.
        rows: list[CsvRow] = []
        is_header = not reader.width
        for row in one_by_one:
            rows.append(row)
            if row.broken or is_header or not reader.has_lines_ahead:
                break
        if not rows:
            return
        broken = rows.pop() if rows[-1].broken else None
        if rows:
            yield CsvRows([row.line for row in rows], [row.cells for row in rows])
        if broken:
            yield broken


def _read_one_by_one(reader: LineReader) -> Iterator[CsvRow]:
    csv_reader = csv.reader(reader, delimiter=reader.delimiter, skipinitialspace=True)
    while True:
        try:
            cells = next(csv_reader)
        except StopIteration:
            return
        except (csv.Error, _UnclosedQuote):
            cells, is_complete = [], False
        else:
            is_complete = _is_complete(reader, cells)
        number = reader.number
        is_too_long = number in reader.too_long
        if not is_complete or len(reader.row) > 1 or is_too_long:
            reader.one_row_per_line = False
        if not is_complete:
            beginning = reader.row[0]
            reader.drop_first_line()
            yield CsvRow(
                number, _complete_cells(beginning, reader.delimiter), "has a quote that is opened and not closed"
            )
            continue
        reader.width = reader.width or len(cells)
        reader.end_row()
        if any(cells):
            yield CsvRow(number, cells)
        elif is_too_long:
            reason = f"is longer than {LONGEST_LINE} characters"
            yield CsvRow(number, _complete_cells(reader.too_long[number], reader.delimiter), reason)


def _is_complete(reader: LineReader, cells: list[str]) -> bool:
    """Return whether a row lost no quote. It did if it asked for a line after the last one, if it does not fit the header and
    spans lines or has an odd number of quotes, or if its quotes close in the middle of a cell of a later line.
    """
    if reader.at_end:
        return False
    if not reader.width:
        return True
    if len(reader.row) == 1:
        return len(cells) == reader.width or reader.row[0].count('"') % 2 == 0
    try:
        next(csv.reader(reader.row, delimiter=reader.delimiter, skipinitialspace=True, strict=True))
    except csv.Error:
        return False
    return len(cells) == reader.width


def _complete_cells(line: str, delimiter: str) -> list[str]:
    """Return the cells before the one in which a line breaks off."""
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))[:-1]
    except csv.Error:
        return []


def split_lines(lines: list[str], width: int, delimiter: str = ",") -> list[list[str]]:
    """Return the cells of whole lines if each is one row of `width` cells, none blank and all in UTF-8; otherwise nothing.

    A shortcut to what `read_rows` reads line by line, for clear cases only.
    """
    text = "".join(lines)
    try:
        text.encode()
    except UnicodeEncodeError:
        return []
    text = text.replace("\r\n", "\n")
    if not any(sign in text for sign in '" \r'):
        # Only delimiters separate the cells.
        rows = [line.split(delimiter) for line in text.removesuffix("\n").split("\n")]
    else:
        # The empty line after the last one shows that no quote is open there.
        try:
            *rows, end = csv.reader([*lines, ""], delimiter=delimiter, skipinitialspace=True)
        except csv.Error:
            return []
        if end:
            return []
    is_plain = len(rows) == len(lines) and set(map(len, rows)) == {width} and all(map(any, rows))
    return rows if is_plain else []
