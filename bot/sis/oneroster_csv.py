"""OneRoster CSV 1.1 and 1.2 (and the 1.0 names still met in exports), each file as a stream of normalised rows.

Columns are found by name, never by position; the data wins over what the manifest says of it. A file is a delta only if
the manifest says so and its rows carry a status or a date of change, as a delta's must.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path

from bot.errors import UserError
from bot.sis import Kind, Part, Rejection, Row, UnreadRow, bundle, cells, oneroster_rows
from bot.sis.bundle import BundleFile
from bot.sis.lines import Lines, rows_of, text_of
from bot.sis.oneroster_columns import COLUMNS, NEEDED_CELLS, OLD_NAMES, REQUIRED


@contextmanager
def opened(source: Path, *, region: str) -> Iterator[list[Part]]:
    """The files of the bundle (a folder or a zip) that make a roster, in reading order.

    Raises:
        UserError: nothing at `source` can be read as OneRoster CSV; also while reading, when a zip is damaged.
    """
    with bundle.opened(source) as files:
        declared = _manifest(files["manifest.csv"]) if "manifest.csv" in files else {}
        named = {kind: files.get(f"{kind.lower()}.csv") for kind in Kind}
        if not any(named.values()):
            raise UserError(f"{source.name} holds no OneRoster files (orgs.csv, users.csv, enrollments.csv, …).")
        modes = {kind: declared.get(f"file.{kind.lower()}", "absent") for kind in Kind}
        yield [
            CsvFile(kind, file, says_delta=modes[kind] == "delta", region=region) if file else MissingFile(kind)
            for kind, file in named.items()
            if file or modes[kind] != "absent"
        ]


def _manifest(file: BundleFile) -> dict[str, str]:
    with text_of(file.open()) as stream:
        pairs = (row.cells[:2] for row in rows_of(Lines(stream)) if len(row.cells) > 1)
        return {cells.tidy(name).lower(): cells.tidy(value).lower() for name, value in pairs}


class MissingFile:
    """A file that the manifest promises and the bundle does not hold; a `bot.sis.Part` that says so."""

    is_readable = is_delta = False
    size = position = rows_read = 0

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.name = f"{kind}.csv"

    def rows(self) -> Iterator[Rejection]:
        reason = "is not there, though the manifest says so; nothing follows from that"
        yield Rejection(self.name, None, None, reason)


class CsvFile:
    """One file of the bundle; a `bot.sis.Part`."""

    def __init__(self, kind: Kind, file: BundleFile, *, says_delta: bool, region: str) -> None:
        self.kind = kind
        self.name = f"{kind}.csv"
        self.size = file.size
        self.position = 0
        self.rows_read = 0
        self.is_readable = True
        self._file = file
        self._says_delta = says_delta
        self._region = region
        self._is_marked = False

    @property
    def is_delta(self) -> bool:
        return self._says_delta and (self._is_marked or not self.rows_read)

    def rows(self) -> Iterator[Row | Rejection]:
        with text_of(self._file.open()) as stream:
            lines = Lines(stream)
            yield from self._rows(lines)
            if lines.foreign:
                reason = f"is not UTF-8; {lines.foreign_count} lines were read as Windows-1252"
                yield self._rejection(lines.foreign[0], None, reason)
        self.position = self.size

    def _rows(self, lines: Lines) -> Iterator[Row | Rejection]:
        read = rows_of(lines)
        header = next((row for row in read if not row.broken), None)
        if header is None:
            return
        pick = _Picker(self.kind, header.cells)
        if pick.missing:
            self.is_readable = False
            yield self._rejection(header.line, pick.missing, "is missing from the header; the file was not read")
            return
        for line, row, broken in read:
            self.position = lines.characters
            self.rows_read += 1
            if broken or pick.has_more(row):
                reason = broken or "has more cells than the header"
                yield from self._unread(line, None, reason, pick.identity(row))
                continue
            cell = pick.of(row)
            self._is_marked = self._is_marked or bool(cell["status"] or cell["dateLastModified"])
            yield from self._translated(line, cell)

    def _translated(self, line: int, cell: dict[str, str]) -> Iterator[Row | Rejection]:
        needed = NEEDED_CELLS[self.kind]
        for column in needed[:1] if cells.is_gone(cell["status"]) else needed:
            if problem := _id_problem(cell[column]):
                yield from self._unread(line, column, problem, cell[needed[0]])
                return
        yield from oneroster_rows.translated(self.kind, cell, file=self.name, line=line, region=self._region)

    def _unread(self, line: int, column: str | None, reason: str, identity: str) -> Iterator[Row | Rejection]:
        """A line that is left out, and whose it is: nobody leaves because their line was broken."""
        known = "" if _id_problem(identity) else identity
        yield self._rejection(line, column, f"{reason}; {_STAYS if known else _ALL_STAYS}")
        yield UnreadRow(line, self.kind, known)

    def _rejection(self, line: int | None, column: str | None, reason: str) -> Rejection:
        return Rejection(self.name, line, column, reason)


_STAYS = "the row was left out, and what we hold of it stays"
_ALL_STAYS = "whose row it is cannot be read, so nothing that is missing from this file becomes inactive"


def _id_problem(cell: str) -> str | None:
    """Quotes and commas come into an id only when a quote of the line is lost; no list of ids could name it."""
    if not cell:
        return "is blank"
    if len(cell) > cells.LONGEST_ID:
        return "is too long"
    return "is no id" if '"' in cell or "," in cell else None


class _Picker:
    """Finds the columns of a file in its header, whatever their order, case, and the prefixes of report writers."""

    def __init__(self, kind: Kind, header: list[str]) -> None:
        found = _positions(header, COLUMNS[kind])
        self.missing = next((column for column in REQUIRED[kind] if column not in found), None)
        self._width = len(header)
        self._columns = COLUMNS[kind]
        self._identity = found.get(NEEDED_CELLS[kind][0], len(header))
        self._cells = itemgetter(*(found.get(column, -1) for column in self._columns))

    def has_more(self, row: list[str]) -> bool:
        return len(row) > self._width and any(cell.strip() for cell in row[self._width :])

    def identity(self, row: list[str]) -> str:
        """Whose a line is that cannot be read, or blank."""
        return cells.tidy(row[self._identity]) if self._identity < len(row) else ""

    def of(self, row: list[str]) -> dict[str, str]:
        """The cells by column; a row that ends early, as spreadsheets leave it, has blanks there."""
        padded = [*row[: self._width], *[""] * max(self._width - len(row), 0), ""]
        return dict(zip(self._columns, map(cells.tidy, self._cells(padded)), strict=True))


def _positions(header: list[str], columns: tuple[str, ...]) -> dict[str, int]:
    known = {_plain(name): name for name in columns}
    known |= {_plain(old): new for old, new in OLD_NAMES.items() if new in columns and _plain(old) not in known}
    found: dict[str, int] = {}
    for position, title in enumerate(header):
        name = known.get(_plain(title)) or known.get(_plain(re.sub(r"^\s*[a-z]{1,2}_", "", title)))
        if name:
            found.setdefault(name, position)
    return found


def _plain(title: str) -> str:
    """`metadata.sms` keeps its dot, so that a district's own column is never taken for the standard one."""
    return re.sub(r"[\s_-]", "", cells.tidy(title)).lower()
