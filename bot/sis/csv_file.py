"""One CSV file of an SIS, whatever it holds, as a stream of rows."""

import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, compress

from bot.sis import plain_lines
from bot.sis.block import in_order
from bot.sis.bundle import BundleFile
from bot.sis.columns import Columns, Picker
from bot.sis.date_order import DateOrder
from bot.sis.lines import LONGEST_LINE, Lines, Rows, blocks_of, rows_of, text_of
from bot.sis.reading import Reading, Translate
from bot.sis.rows import Kind, Rejection, Row

_BLOCK = 1 << 16  # Bytes.


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
        self.header: list[str] = []

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
                reason = (
                    "is not UTF-8; one line was read as Windows-1252"
                    if lines.foreign_count == 1
                    else f"is not UTF-8; {lines.foreign_count:,} lines were read as Windows-1252"
                )
                yield [reading.rejection(lines.foreign[0], None, reason)]
        self._is_plain = self._is_plain and lines.are_rows and not lines.foreign
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
            yield [
                reading.rejection(header.lines[0], pick.missing, "is missing from the header; the file was not read")
            ]
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

    def raw(self) -> Iterator[bytes]:
        with self._file.open() as stream:
            self._begin(stream.readline(LONGEST_LINE))
            while self._is_plain and (block := stream.read(_BLOCK)):
                yield block

    def _begin(self, first_line: bytes) -> None:
        self._first_line = first_line.decode("utf-8-sig", "replace")
        found = list(rows_of(Lines(io.StringIO(self._first_line))))
        self.header = found[0].cells if found and not found[0].broken else []
        self._pick = Picker(self._columns, self.header)
        self._is_plain = self._is_plain and not self._pick.missing and first_line.endswith(b"\n")

    def read(self, numbers: Sequence[int], lines: Sequence[str]) -> Sequence[Row | Rejection]:
        plain = plain_lines.rows([f"{line}\n" for line in lines], len(self.header))
        found = Rows(numbers, plain) if plain else self._one_by_one(numbers, lines)
        return self._whole(self._pick, found) if found.lines else []

    def _one_by_one(self, numbers: Sequence[int], lines: Sequence[str]) -> Rows:
        found: list[tuple[int, list[str]]] = []
        for number, line in zip(numbers, lines, strict=True):
            _, *rows = rows_of(Lines(io.StringIO(f"{self._first_line}{line}\n")))
            self._is_plain = self._is_plain and not any(row.broken for row in rows)
            found += [(number, row.cells) for row in rows]
        return Rows([number for number, _ in found], [cells for _, cells in found])
