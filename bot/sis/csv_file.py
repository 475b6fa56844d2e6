"""One CSV file of an SIS, whatever it holds, as a stream of rows."""

from collections.abc import Iterator
from datetime import datetime

from bot.sis import Kind, Line, Rejection, Row
from bot.sis.bundle import BundleFile
from bot.sis.columns import Columns, Picker
from bot.sis.date_order import DateOrder
from bot.sis.lines import Lines, rows_of, text_of
from bot.sis.reading import Reading, Translate

_BETWEEN = "\x1f"
"""No cell that was tidied has it."""


class CsvFile:
    """A file whose columns are found by name and whose rows are put into ours by `translate(cells, file=, line=)`; a
    `bot.sis.LinedPart`. Every form has the columns `status` and `dateLastModified`, with which a delta marks its rows.
    """

    has_lines = True
    mark: datetime | None = None

    def __init__(
        self,
        kind: Kind,
        name: str,
        file: BundleFile,
        form: Columns,
        translate: Translate,
        *,
        says_delta: bool = False,
        dates: DateOrder | None = None,
    ) -> None:
        self.kind = kind
        self.name = name
        self.size = file.size
        self.position = 0
        self.rows_read = 0
        self.is_readable = True
        self._file = file
        self._columns = form
        self._reading = Reading(kind, name, form.needed, translate)
        self._says_delta = says_delta
        self._is_marked = False
        self._is_plain = not says_delta
        self._dates = dates
        self._header: list[str] = []

    @property
    def is_delta(self) -> bool:
        return self._says_delta and (self._is_marked or not self.rows_read)

    @property
    def is_plain(self) -> bool:
        return self._is_plain and not (self._dates and self._dates.was_looked_up)

    def rows(self) -> Iterator[Row | Rejection]:
        reading = self._reading
        self.rows_read = 0
        with text_of(self._file.open()) as stream:
            lines = Lines(stream)
            yield from self._rows(lines)
            if self.is_readable and not self.is_delta and not self.rows_read:
                yield reading.rejection(None, None, "holds no row")
            if lines.foreign:
                reason = f"is not UTF-8; {lines.foreign_count} lines were read as Windows-1252"
                yield reading.rejection(lines.foreign[0], None, reason)
        self.position = self.size

    def _rows(self, lines: Lines) -> Iterator[Row | Rejection]:
        reading = self._reading
        read = rows_of(lines)
        header = next((row for row in read if not row.broken), None)
        if header is None:
            return
        pick = Picker(self._columns, header.cells)
        if pick.missing:
            self.is_readable = False
            yield reading.rejection(header.line, pick.missing, "is missing from the header; the file was not read")
            return
        for line, row, broken in read:
            self.position = lines.characters
            self.rows_read += 1
            if broken or pick.has_more(row):
                reason = broken or "has more cells than the header"
                yield from reading.left_out(line, None, reason, pick.identity(row))
                continue
            cell = pick.of(row)
            self._is_marked = self._is_marked or bool(cell["status"] or cell["dateLastModified"])
            yield from reading.read(line, cell)

    def lines(self) -> Iterator[Line]:
        self.rows_read = 0
        with text_of(self._file.open()) as stream:
            lines = Lines(stream)
            read = rows_of(lines)
            self._header = next((row.cells for row in read), [])
            pick = Picker(self._columns, self._header)
            self._is_plain = self._is_plain and not pick.missing
            for number, row, broken in read if self._is_plain else ():
                self.position = lines.characters
                self.rows_read += 1
                cell = pick.of(row) | {"dateLastModified": ""}
                key = cell[self._columns.needed[0]]
                if broken or not key or pick.has_more(row) or lines.foreign:
                    self._is_plain = False
                    return
                yield Line(number, key, _BETWEEN.join(cell.values()))

    def read(self, line: Line) -> Iterator[Row | Rejection]:
        cell = dict(zip(self._columns.names, line.said.split(_BETWEEN), strict=True))
        yield from self._reading.read(line.number, cell)

    def frame(self) -> str:
        return _BETWEEN.join(self._header)
