"""Where the columns of a file stand, found in its header by name: whatever their order, case, and the prefixes of report writers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter

from bot.sis import cells


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
    """Picks the cells of a row by the columns of its file."""

    def __init__(self, columns: Columns, header: list[str]) -> None:
        found = _positions(header, columns)
        self.missing = next((name for name in columns.required if name not in found), None)
        self._width = len(header)
        self._names = columns.names
        self._identity = found.get(columns.needed[0], len(header))
        self._cells = itemgetter(*(found.get(name, -1) for name in columns.names))

    def has_more(self, row: list[str]) -> bool:
        return len(row) > self._width and any(cell.strip() for cell in row[self._width :])

    def identity(self, row: list[str]) -> str:
        """Whose a line is that cannot be read, or blank."""
        return cells.tidy(row[self._identity]) if self._identity < len(row) else ""

    def of(self, row: list[str]) -> dict[str, str]:
        """The cells by column; a row that ends early, as spreadsheets leave it, has blanks there."""
        padded = [*row, ""] if len(row) == self._width else self._fitted(row)
        return dict(zip(self._names, cells.all_tidy(self._cells(padded)), strict=True))

    def _fitted(self, row: list[str]) -> list[str]:
        return [*row[: self._width], *[""] * max(self._width - len(row), 0), ""]


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
