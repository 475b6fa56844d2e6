"""Where the columns of a file stand, found in its header by name: whatever their order, case, and the prefixes of report writers."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.sis import cells
from bot.sis.block import Block


@dataclass(frozen=True)
class Columns:
    """What a file is asked for. Without a `required` column it is no such file, without a `needed` cell a row is none; the
    first of those says whose the row is. `other_names` are further titles of a column.
    """

    names: tuple[str, ...]
    required: tuple[str, ...]
    needed: tuple[str, ...]
    other_names: Mapping[str, str]


class Picker:
    """Picks the cells of rows by the columns of their file."""

    def __init__(self, columns: Columns, header: list[str]) -> None:
        found = _positions(header, columns)
        self.missing = next((name for name in columns.required if name not in found), None)
        self._width = len(header)
        self._found = {name: found.get(name) for name in columns.names}
        self._identity = found.get(columns.needed[0], len(header))

    def having_more(self, rows: Sequence[list[str]]) -> list[bool]:
        """For each row, whether it says anything beyond the columns of the header."""
        width = self._width
        return [len(row) > width and any(cell.strip() for cell in row[width:]) for row in rows]

    def identity(self, row: list[str]) -> str:
        """Whose a line is that cannot be read, or blank."""
        return cells.tidy(row[self._identity]) if self._identity < len(row) else ""

    def of(self, lines: Sequence[int], rows: Sequence[list[str]]) -> Block:
        """The cells by column; a row that ends early, as spreadsheets leave it, has blanks there."""
        every = list(zip(*self._fitted(rows), strict=True))
        blank = ("",) * len(rows)
        return Block(
            lines,
            {name: blank if at is None else cells.all_tidy(every[at]) for name, at in self._found.items()},
        )

    def _fitted(self, rows: Sequence[list[str]]) -> Iterable[list[str]]:
        width = self._width
        return (row if len(row) == width else [*row[:width], *[""] * (width - len(row))] for row in rows)


def _positions(header: list[str], columns: Columns) -> dict[str, int]:
    known = {_plain(name): name for name in columns.names}
    other = {_plain(old): new for old, new in columns.other_names.items() if new in columns.names}
    known = other | known
    found: dict[str, int] = {}
    for position, title in enumerate(header):
        name = known.get(_plain(title)) or known.get(_plain(re.sub(r"^\s*[a-z]{1,2}_", "", title)))
        if name:
            found.setdefault(name, position)
    return found


def _plain(title: str) -> str:
    """`metadata.sms` keeps its dot, so that a district's own column is never taken for the standard one."""
    return re.sub(r"[\s_-]", "", cells.tidy(title)).lower()
