"""A row of any reader becomes rows of a roster, or is left out; one that is left out costs itself and takes nobody away."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from bot.sis import Kind, Rejection, Row, UnreadRow, cells


class Translate(Protocol):
    """The cells of a row, by column, to rows."""

    def __call__(self, cell: dict[str, str], *, file: str, line: int) -> Iterator[Row | Rejection]: ...


@dataclass(frozen=True)
class Reading:
    """How the rows of one file are read. Without a `needed` cell a row is none; the first of those says whose the row is.
    One of the columns is `status`.
    """

    kind: Kind
    file: str
    needed: tuple[str, ...]
    translate: Translate

    def read(self, line: int, cell: dict[str, str]) -> Iterator[Row | Rejection]:
        for column in self.needed[:1] if cells.is_gone(cell["status"]) else self.needed:
            if problem := _id_problem(cell[column]):
                yield from self.left_out(line, column, problem, cell[self.needed[0]])
                return
        yield from self.translate(cell, file=self.file, line=line)

    def left_out(self, line: int, column: str | None, reason: str, identity: str) -> Iterator[Row | Rejection]:
        """A row that cannot be read, and whose it is: nobody leaves because their row was broken."""
        known = "" if _id_problem(identity) else identity
        yield self.rejection(line, column, f"{reason}; {_STAYS if known else _ALL_STAYS}")
        yield UnreadRow(line, self.kind, known)

    def rejection(self, line: int | None, column: str | None, reason: str) -> Rejection:
        return Rejection(self.file, line, column, reason)


_STAYS = "the row was left out, and what we hold of it stays"
_ALL_STAYS = "whose row it is cannot be read, so nothing that is missing from this file becomes inactive"


def _id_problem(cell: str) -> str | None:
    """Quotes and commas come into an id only when a quote of the line is lost; no list of ids could name it."""
    if not cell:
        return "is blank"
    if len(cell) > cells.LONGEST_ID:
        return "is too long"
    return "is no id" if '"' in cell or "," in cell else None
