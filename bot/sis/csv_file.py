"""One CSV file of an SIS, whatever it holds, as a stream of rows; a line that is none costs itself and takes nobody away."""

from collections.abc import Iterator
from typing import Protocol

from bot.sis import Kind, Rejection, Row, UnreadRow, cells
from bot.sis.bundle import BundleFile
from bot.sis.columns import Columns, Picker
from bot.sis.lines import Lines, rows_of, text_of


class Translate(Protocol):
    """The cells of a line, by column, to rows."""

    def __call__(self, cell: dict[str, str], *, file: str, line: int) -> Iterator[Row | Rejection]: ...


class CsvFile:
    """A file whose columns are found by name and whose rows are put into ours by `translate(cells, file=, line=)`; a
    `bot.sis.Part`. Every form has the columns `status` and `dateLastModified`, with which a delta marks its rows.
    """

    def __init__(
        self, kind: Kind, name: str, file: BundleFile, form: Columns, translate: Translate, *, says_delta: bool = False
    ) -> None:
        self.kind = kind
        self.name = name
        self.size = file.size
        self.position = 0
        self.rows_read = 0
        self.is_readable = True
        self._file = file
        self._columns = form
        self._translate = translate
        self._says_delta = says_delta
        self._is_marked = False

    @property
    def is_delta(self) -> bool:
        return self._says_delta and (self._is_marked or not self.rows_read)

    def rows(self) -> Iterator[Row | Rejection]:
        with text_of(self._file.open()) as stream:
            lines = Lines(stream)
            yield from self._rows(lines)
            if self.is_readable and not self.is_delta and not self.rows_read:
                yield self._rejection(None, None, "holds no row")
            if lines.foreign:
                reason = f"is not UTF-8; {lines.foreign_count} lines were read as Windows-1252"
                yield self._rejection(lines.foreign[0], None, reason)
        self.position = self.size

    def _rows(self, lines: Lines) -> Iterator[Row | Rejection]:
        read = rows_of(lines)
        header = next((row for row in read if not row.broken), None)
        if header is None:
            return
        pick = Picker(self._columns, header.cells)
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
        needed = self._columns.needed
        for column in needed[:1] if cells.is_gone(cell["status"]) else needed:
            if problem := _id_problem(cell[column]):
                yield from self._unread(line, column, problem, cell[needed[0]])
                return
        yield from self._translate(cell, file=self.name, line=line)

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
