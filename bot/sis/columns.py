"""Rows of a file in columns: what nearly all rows have in common is then computed once for all of them.

The columns of a file are found by the titles in its header, in any order and case. A row that cannot be read costs
only itself: it becomes a rejection and an `UnreadRow`, which keeps what is stored of it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, compress
from operator import attrgetter
from typing import Any, Protocol, TypeVar

from bot.sis import cells
from bot.sis.rows import Kind, Rejection, Row, UnreadRow

Value = TypeVar("Value")
SomeRow = TypeVar("SomeRow", bound=Row)


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a file: the number of the line of each row, and the cells of each column."""

    lines: Sequence[int]
    columns: Mapping[str, Sequence[str]]

    @classmethod
    def from_rows(cls, names: Iterable[str], rows: Sequence[tuple[int, Mapping[str, str]]]) -> "Block":
        """Return a block of rows that each have all columns."""
        return cls([line for line, _ in rows], {name: [cells_[name] for _, cells_ in rows] for name in names})

    def map(self, column: str, convert: Callable[[str], Value]) -> list[Value]:
        """Return `convert` of each cell; it is called once for equal ones."""
        column_cells = self.columns[column]
        values = {cell: convert(cell) for cell in set(column_cells)}
        if len(values) == 1:
            return [*values.values()] * len(column_cells)
        return [values[cell] for cell in column_cells]

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the line of each row and its cells by column."""
        for line, *row in zip(self.lines, *self.columns.values(), strict=True):
            yield line, dict(zip(self.columns, row, strict=True))

    def where(self, mask: Iterable[bool]) -> "Block":
        """Return the rows for which the mask is True, nearly always all of them."""
        mask = list(mask)
        if all(mask):
            return self
        kept = {name: list(compress(column, mask)) for name, column in self.columns.items()}
        return Block(list(compress(self.lines, mask)), kept)


def build_rows(row_type: type[SomeRow], *columns: Iterable[Any]) -> list[SomeRow]:
    """Return rows of a NamedTuple, whose fields are the columns, in half the time of calling the type."""
    return list(map(partial(tuple.__new__, row_type), zip(*columns, strict=True)))


def merge_by_line(*lists: Sequence[Row | Rejection]) -> Sequence[Row | Rejection]:
    """Return all rows by line; rows of one line stay in the order of their lists."""
    filled = [rows for rows in lists if rows]
    return filled[0] if len(filled) == 1 else sorted(chain(*filled), key=attrgetter("line"))


@dataclass(frozen=True)
class FileFormat:
    """The columns that are read from a kind of file.

    A file without a `required` column is not of this kind; a row without a `needed` cell is not read. The column `identity`
    identifies a row, by default the first needed one. One of the columns is `status`. `other_titles` maps further titles of columns
    to their names. `unused` are columns of the standard that the roster does not need.
    """

    columns: tuple[str, ...]
    required: tuple[str, ...]
    needed: tuple[str, ...]
    other_titles: Mapping[str, str]
    unused: tuple[str, ...] = ()
    identity: str = ""


class Header:
    """The header of a file: puts its rows into columns. `missing` is a required column that it does not have, and `found` the
    number of columns that it has. `unread` are the titles of columns that are neither read nor known to be of no use here.
    """

    def __init__(self, form: FileFormat, titles: list[str]) -> None:
        found = _find_columns(form, titles)
        self.titles = titles
        self.missing = next((name for name in form.required if name not in found), None)
        self.found = len(found)
        used, unused = set(found.values()), set(map(_plain_title, form.unused))
        self.unread = [
            title
            for at, title in enumerate(titles)
            if title.strip() and at not in used and _plain_title(title) not in unused
        ]
        self._positions = {name: found.get(name) for name in form.columns}
        self._identity = found.get(form.identity or form.needed[0], len(titles))

    def has_extra_cells(self, rows: Sequence[list[str]]) -> list[bool]:
        """Return for each row whether it has text beyond the columns of the header."""
        width = len(self.titles)
        return [len(row) > width and any(cell.strip() for cell in row[width:]) for row in rows]

    def identity(self, row: list[str]) -> str:
        return cells.tidy(row[self._identity]) if self._identity < len(row) else ""

    def block(self, lines: Sequence[int], rows: Sequence[list[str]]) -> Block:
        """Return the cells by column; a row that ends early, as spreadsheets write it, has blanks there."""
        width = len(self.titles)
        fitted = (row if len(row) == width else [*row[:width], *[""] * (width - len(row))] for row in rows)
        columns = list(zip(*fitted, strict=True))
        blank = ("",) * len(rows)
        found = self._positions.items()
        return Block(lines, {name: blank if at is None else cells.tidy_all(columns[at]) for name, at in found})


def _find_columns(form: FileFormat, titles: list[str]) -> dict[str, int]:
    known = {_plain_title(title): name for title, name in form.other_titles.items() if name in form.columns}
    known |= {_plain_title(name): name for name in form.columns}
    found: dict[str, int] = {}
    for position, title in enumerate(titles):
        # Report writers put a prefix before each title: `a_sourcedId`.
        without_prefix = re.sub(r"^\s*[a-z]{1,2}_", "", title)
        if name := known.get(_plain_title(title)) or known.get(_plain_title(without_prefix)):
            found.setdefault(name, position)
    return found


def _plain_title(title: str) -> str:
    # `metadata.sms` keeps its dot, so that a district's own column is never read as the standard one.
    return re.sub(r"[\s_-]", "", cells.tidy(title)).lower()


class Translate(Protocol):
    """Turns the rows of a file into rows of a roster, in the order of their lines."""

    def __call__(self, block: Block, *, file: str) -> Sequence[Row | Rejection]: ...


@dataclass(frozen=True)
class RowReader:
    """Reads the rows of one file. A row whose `needed` cells are not ids is rejected, the others are translated."""

    kind: Kind
    file: str
    needed: tuple[str, ...]
    translate: Translate

    def read(self, block: Block) -> Sequence[Row | Rejection]:
        if all(_are_ids(block.columns[column]) for column in self.needed):
            return self.translate(block, file=self.file)
        rejected: list[Row | Rejection] = []
        mask = []
        for line, row in block.rows():
            problem = self._find_problem(row)
            mask.append(problem is None)
            if problem:
                rejected += self.reject(line, *problem, row[self.needed[0]])
        return merge_by_line(rejected, self.translate(block.where(mask), file=self.file))

    def _find_problem(self, row: dict[str, str]) -> tuple[str, str] | None:
        """Return the first column that is not an id though it has to be, and why."""
        for column in self.needed[:1] if cells.is_gone(row["status"]) else self.needed:
            if problem := id_problem(row[column]):
                return column, problem
        return None

    def reject(self, line: int, column: str | None, reason: str, identity: str) -> list[Row | Rejection]:
        """Return a rejection, and an unread row that keeps what is stored under its identity."""
        known = "" if id_problem(identity) else identity
        if known:
            reason = f"{reason}; the row was left out, and what we hold of it stays"
        else:
            reason = (
                f"{reason}; whose row it is cannot be read, so nothing that is missing from this file becomes inactive"
            )
        return [self.rejection(line, column, reason), UnreadRow(line, self.kind, known)]

    def rejection(self, line: int | None, column: str | None, reason: str) -> Rejection:
        return Rejection(self.file, line, column, reason)


def id_problem(cell: str) -> str | None:
    """Return why a cell is not an id, or None."""
    if not cell:
        return "is blank"
    if len(cell) > cells.LONGEST_ID:
        return "is too long"
    # An id has a quote or a comma only if a quote of the line is lost; no list of ids could name it.
    return "is not an id" if '"' in cell or "," in cell else None


def _are_ids(column: Sequence[str]) -> bool:
    """Return whether no cell has an `id_problem`, without looking at each."""
    text = "".join(column)
    return all(column) and max(map(len, column), default=0) <= cells.LONGEST_ID and '"' not in text and "," not in text
