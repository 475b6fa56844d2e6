"""Some rows of one file, in columns: what nearly every row says alike is then asked once for all of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, compress
from operator import attrgetter
from typing import Any, TypeVar

from bot.sis.rows import Rejection, Row

AT_ONCE = 512
"""Rows of a block; as many as fit into the cache of a processor with all that is made of them."""

Answer = TypeVar("Answer")
Some = TypeVar("Some", bound=Row)


@dataclass(frozen=True, slots=True)
class Block:
    """The line that each row stands on, and by the name of a column the cell of each row."""

    lines: Sequence[int]
    cell: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, columns: Iterable[str], rows: Sequence[tuple[int, Mapping[str, str]]]) -> "Block":
        """The same of rows that each have all columns."""
        return cls([line for line, _ in rows], {column: [cell[column] for _, cell in rows] for column in columns})

    def each(self, column: str, read: Callable[[str], Answer]) -> list[Answer]:
        """What `read` says of each cell; it is asked once for those that are alike."""
        cells = self.cell[column]
        said = {cell: read(cell) for cell in set(cells)}
        return [*said.values()] * len(cells) if len(said) == 1 else [said[cell] for cell in cells]

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Each line and its cells by column."""
        for line, *cells in zip(self.lines, *self.cell.values(), strict=True):
            yield line, dict(zip(self.cell, cells, strict=True))

    def only(self, wanted: Iterable[bool]) -> "Block":
        """The rows that are wanted, nearly always all of them."""
        wanted = list(wanted)
        if all(wanted):
            return self
        cells = {column: list(compress(every, wanted)) for column, every in self.cell.items()}
        return Block(list(compress(self.lines, wanted)), cells)


def rows_of(row_type: type[Some], *columns: Iterable[Any]) -> list[Some]:
    """Rows of one type (a NamedTuple), of which the columns are given. Each is made as a tuple of its type is, which takes
    half the time of calling the type.
    """
    return list(map(partial(tuple.__new__, row_type), zip(*columns, strict=True)))


def in_order(*strands: Sequence[Row | Rejection]) -> Sequence[Row | Rejection]:
    """All rows by their line; on one line those of the first strand come first."""
    filled = [strand for strand in strands if strand]
    return filled[0] if len(filled) == 1 else sorted(chain(*filled), key=attrgetter("line"))
