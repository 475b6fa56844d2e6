"""One CSV file of an SIS, whatever it holds, as a stream of rows."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, compress

from bot.sis import Kind, Rejection, Row, Unread
from bot.sis.block import Block, in_order
from bot.sis.bundle import BundleFile
from bot.sis.columns import Columns, Picker
from bot.sis.date_order import DateOrder
from bot.sis.lines import Lines, Rows, blocks_of, text_of
from bot.sis.reading import Reading, Translate

_BETWEEN = "\x1f"
"""No cell that was tidied has it."""


class CsvFile:
    """A file whose columns are found by name and whose rows are put into ours by `translate(block, file=)`; a
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
        return chain.from_iterable(self._blocks())

    def _blocks(self) -> Iterator[Iterable[Row | Rejection]]:
        reading = self._reading
        self.rows_read = 0
        with text_of(self._file.open()) as stream:
            lines = Lines(stream)
            yield from self._read(lines)
            if self.is_readable and not self.is_delta and not self.rows_read:
                yield [reading.rejection(None, None, "holds no row")]
            if lines.foreign:
                reason = f"is not UTF-8; {lines.foreign_count} lines were read as Windows-1252"
                yield [reading.rejection(lines.foreign[0], None, reason)]
        self.position = self.size

    def _read(self, lines: Lines) -> Iterator[Iterable[Row | Rejection]]:
        reading = self._reading
        blocks = blocks_of(lines)
        header = next((found for found in blocks if isinstance(found, Rows)), None)
        if header is None:
            return
        pick = Picker(self._columns, header.cells[0])
        if pick.missing:
            self.is_readable = False
            reason = "is missing from the header; the file was not read"
            yield [reading.rejection(header.lines[0], pick.missing, reason)]
            return
        for found in blocks:
            self.position = lines.characters
            if isinstance(found, Rows):
                self.rows_read += len(found.lines)
                yield self._whole(pick, found)
            else:
                self.rows_read += 1
                yield reading.left_out(found.line, None, found.broken or "", pick.identity(found.cells))

    def _whole(self, pick: Picker, found: Rows) -> Sequence[Row | Rejection]:
        reading = self._reading
        too_long = pick.having_more(found.cells)
        left_out = [
            row
            for line, cells in zip(compress(found.lines, too_long), compress(found.cells, too_long), strict=True)
            for row in reading.left_out(line, None, "has more cells than the header", pick.identity(cells))
        ]
        block = pick.of(found.lines, found.cells)
        if left_out:
            block = block.only([not one for one in too_long])
        self._is_marked = self._is_marked or any(block.cell["status"]) or any(block.cell["dateLastModified"])
        return in_order(left_out, reading.read(block))

    def lines(self) -> Iterator[Unread]:
        self.rows_read = 0
        with text_of(self._file.open()) as stream:
            lines = Lines(stream)
            blocks = blocks_of(lines)
            header = next(blocks, None)
            self._header = header.cells[0] if isinstance(header, Rows) else []
            pick = Picker(self._columns, self._header)
            self._is_plain = self._is_plain and not pick.missing
            for found in blocks if self._is_plain else ():
                if not isinstance(found, Rows) or lines.foreign or any(pick.having_more(found.cells)):
                    self._is_plain = False
                    return
                self.position = lines.characters
                self.rows_read += len(found.lines)
                yield self._unread(pick.of(found.lines, found.cells))

    def _unread(self, block: Block) -> Unread:
        """A date of change says nothing by itself: some exports give every row that of today."""
        said = map(_BETWEEN.join, zip(*(block.cell[name] for name in self._said), strict=True))
        return Unread(block.lines, block.cell[self._columns.needed[0]], list(said))

    @property
    def _said(self) -> list[str]:
        return [name for name in self._columns.names if name != "dateLastModified"]

    def read(self, numbers: Sequence[int], said: Sequence[str]) -> Sequence[Row | Rejection]:
        cells = zip(*(one.split(_BETWEEN) for one in said), strict=True)
        return self._reading.read(Block(numbers, dict(zip(self._said, cells, strict=True))))

    def frame(self) -> str:
        return _BETWEEN.join(self._header)
