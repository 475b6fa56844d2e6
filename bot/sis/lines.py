"""The rows of a CSV file as real exports write them: BOM, CRLF, bare CR, mixed line ends, wrong encodings, lost quotes.

OneRoster forbids line ends inside a cell, so a quote that runs over many lines is a broken one: its line is given back as
broken and reading goes on with the next, instead of swallowing the rest of the file.

Nearly every row is one line with as many cells as the header. Such rows are read some hundred at once; where a single one
among them is anything else, all of them are read line by line.
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

from bot.sis import plain_lines
from bot.sis.block import AT_ONCE

LONGEST_LINE = 120_000
"""Characters; below the longest cell that the csv module accepts, and what keeps memory flat on any input."""
MOST_LINES = 20
"""Physical lines that one row may span."""

_A_FEW = 32  # Lines that are taken before their length is looked at.
_BEGINNING = 2_000  # Characters of a line that is too long: enough for the columns that say whose it is.
_UNDECODED = re.compile("[\udc80-\udcff]")


class CsvRow(NamedTuple):
    """The cells of a row and the physical line it starts on. With `broken`, why that line is no row: its cells are then those
    that were complete before it broke.
    """

    line: int
    cells: list[str]
    broken: str | None = None


class Rows(NamedTuple):
    """Rows that follow each other and are whole: the physical line that each starts on, and its cells."""

    lines: Sequence[int]
    cells: list[list[str]]


class _Unclosed(Exception):  # noqa: N818 (It never leaves this file.)
    pass


@contextmanager
def text_of(stream: io.BufferedReader) -> Iterator[io.TextIOWrapper]:
    """The characters of a file, in UTF-8 or, when it begins with a mark of UTF-16, in that; bytes of neither survive.

    The stream is closed at the end, also when its first bytes cannot be read.
    """
    with stream:
        is_utf16 = stream.peek(2)[:2] in {b"\xff\xfe", b"\xfe\xff"}
        encoding, errors = ("utf-16", "replace") if is_utf16 else ("utf-8-sig", "surrogateescape")
        with io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="") as characters:
            yield characters


class Lines:
    """The physical lines of a file. `row` holds those of the row being read, so that they can be read again.

    `are_rows` is True as long as each was one by itself.

    A line as it stands in the file is one of `_ahead` or the next of `_physical`; one of `_again` has been looked at before.
    """

    def __init__(self, stream: IO[str], *, at_once: int = AT_ONCE) -> None:
        self._physical = iter(partial(stream.readline, LONGEST_LINE), "")
        self._at_once = at_once
        self._ahead: deque[str] = deque()
        self._again: deque[str] = deque()
        self.row: list[str] = []
        self.width = 0
        self.number = 1
        self.ended = False
        self.are_rows = True
        self.characters = 0
        self.overlong: dict[int, str] = {}
        self.foreign: list[int] = []
        self.foreign_count = 0

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read()
        if not line:
            self.ended = True
            raise StopIteration
        self.row.append(line)
        if len(self.row) > MOST_LINES:
            raise _Unclosed
        return line

    @property
    def were_seen(self) -> bool:
        """Whether the next line has been looked at."""
        return bool(self._again or self._ahead)

    def plain(self) -> list[list[str]]:
        """The cells of the next lines, if each is a row as wide as the header by itself; otherwise none, and all that were
        looked at are still to be read.
        """
        if self.were_seen or not self.width:
            return []
        ahead = self._look_ahead()
        rows = plain_lines.rows(ahead, self.width) if max(map(len, ahead), default=0) < LONGEST_LINE else []
        self.number += len(rows)
        if rows:
            self.characters += sum(map(len, ahead))
        else:
            self._ahead.extend(ahead)
        return rows

    def _look_ahead(self) -> list[str]:
        ahead: list[str] = []
        characters = 0
        while len(ahead) < self._at_once and characters < LONGEST_LINE:
            some = list(islice(self._physical, min(_A_FEW, self._at_once)))
            if not some:
                break
            ahead += some
            characters += sum(map(len, some))
        return ahead

    def _next_physical(self) -> str:
        return self._ahead.popleft() if self._ahead else next(self._physical, "")

    def _read(self) -> str:
        line = self._next_physical()
        self.characters += len(line)
        if not line.isascii() and _UNDECODED.search(line):
            line = self._in_windows_1252(line)
        if len(line) >= LONGEST_LINE and line[-1] not in "\r\n":
            self._join_end(self._skip_the_rest(line))
            return "\n"
        self._join_end(line)
        return line

    def _in_windows_1252(self, line: str) -> str:
        """Spreadsheets save so; once a line holds bytes that are not UTF-8, the whole line is taken for it."""
        self.foreign_count += 1
        self.foreign = self.foreign or [self.number + len(self.row)]
        return line.encode("utf-8", "surrogateescape").decode("cp1252", "replace")

    def _skip_the_rest(self, line: str) -> str:
        """What was read last of it."""
        self.overlong[self.number + len(self.row)] = line[:_BEGINNING]
        while (rest := self._next_physical()) and rest[-1] not in "\r\n":
            self.characters += len(rest)
        return rest

    def _join_end(self, line: str) -> None:
        """What is read is never longer than a line may be, so that a CRLF can be parted; its second half is no line."""
        if len(line) < LONGEST_LINE or line[-1] != "\r":
            return
        following = self._next_physical()
        if following == "\n":
            self.characters += 1
        elif following:
            self._ahead.appendleft(following)

    def done(self) -> None:
        """The row is complete; the next line begins another."""
        self.number += len(self.row)
        self.row.clear()

    def give_up_the_first(self) -> None:
        """The first line of the row is broken; the others are read again as rows of their own."""
        self._again.extendleft(reversed(self.row[1:]))
        self.number += 1
        self.row.clear()
        self.ended = False


def rows_of(lines: Lines) -> Iterator[CsvRow]:
    """Every row of a file, the header first; blank lines are left out. Never raises for what a file holds."""
    for found in blocks_of(lines):
        if isinstance(found, CsvRow):
            yield found
        else:
            yield from starmap(CsvRow, zip(found.lines, found.cells, strict=True))


def blocks_of(lines: Lines) -> Iterator[Rows | CsvRow]:
    """The same rows, the header by itself, then those together that are whole; a broken one stands alone."""
    one_by_one = _one_by_one(lines)
    while True:
        first = lines.number
        if plain := lines.plain():
            yield Rows(range(first, lines.number), plain)
            continue
        some, broken = _some(lines, one_by_one)
        if some:
            yield Rows([row.line for row in some], [row.cells for row in some])
        if broken:
            yield broken
        if not some and not broken:
            return


def _some(lines: Lines, one_by_one: Iterator[CsvRow]) -> tuple[list[CsvRow], CsvRow | None]:
    """The rows of the lines that were looked at before, as far as they are whole, and the broken one after them."""
    some: list[CsvRow] = []
    is_header = not lines.width
    for row in one_by_one:
        if row.broken:
            return some, row
        some.append(row)
        if is_header or not lines.were_seen:
            break
    return some, None


def _one_by_one(lines: Lines) -> Iterator[CsvRow]:
    reader = csv.reader(lines, skipinitialspace=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _Unclosed):
            cells = []
            whole = False
        else:
            whole = _is_whole(lines, cells, lines.width)
        number = lines.number
        lines.are_rows = lines.are_rows and whole and len(lines.row) == 1 and number not in lines.overlong
        if not whole:
            beginning = lines.row[0]
            lines.give_up_the_first()
            yield CsvRow(number, _complete(beginning), "has a quote that is opened and not closed")
            continue
        lines.width = lines.width or len(cells)
        lines.done()
        if any(cells):
            yield CsvRow(number, cells)
        elif number in lines.overlong:
            too_long = f"is longer than {LONGEST_LINE} characters"
            yield CsvRow(number, _complete(lines.overlong[number]), too_long)


def _is_whole(lines: Lines, cells: list[str], width: int) -> bool:
    """A row that asked for a line after the last lost a quote; so did one that does not fit the header and spans lines or
    holds an odd number of quotes, and one whose quotes close in the midst of a cell of a later line.
    """
    if lines.ended:
        return False
    if not width:
        return True
    if len(lines.row) > 1:
        return len(cells) == width and _is_strict(lines.row)
    return len(cells) == width or lines.row[0].count('"') % 2 == 0


def _is_strict(physical: list[str]) -> bool:
    try:
        next(csv.reader(physical, skipinitialspace=True, strict=True))
    except csv.Error:
        return False
    return True


def _complete(line: str) -> list[str]:
    """The cells before the one in which a line breaks off."""
    try:
        return next(csv.reader([line], skipinitialspace=True))[:-1]
    except csv.Error:
        return []
