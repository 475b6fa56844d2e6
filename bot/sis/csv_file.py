"""One CSV file of an SIS, whatever it holds, as a stream of rows."""

from collections.abc import Iterator
from datetime import datetime

from bot.sis import Kind, Rejection, Row
from bot.sis.bundle import BundleFile
from bot.sis.columns import Columns, Picker
from bot.sis.lines import Lines, rows_of, text_of
from bot.sis.reading import Reading, Translate


class CsvFile:
    """A file whose columns are found by name and whose rows are put into ours by `translate(cells, file=, line=)`; a
    `bot.sis.Part`. Every form has the columns `status` and `dateLastModified`, with which a delta marks its rows.
    """

    has_lines = True
    mark: datetime | None = None

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
        self._reading = Reading(kind, name, form.needed, translate)
        self._says_delta = says_delta
        self._is_marked = False

    @property
    def is_delta(self) -> bool:
        return self._says_delta and (self._is_marked or not self.rows_read)

    def rows(self) -> Iterator[Row | Rejection]:
        reading = self._reading
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
