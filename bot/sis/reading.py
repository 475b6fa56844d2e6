"""A row of any reader becomes rows of a roster, or is left out; one that is left out costs itself and takes nobody away."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.sis import cells
from bot.sis.block import Block, in_order
from bot.sis.rows import Kind, Rejection, Row, UnreadRow


class Translate(Protocol):
    """What the rows of a file say, in the order of their lines."""

    def __call__(self, block: Block, *, file: str) -> Sequence[Row | Rejection]: ...


@dataclass(frozen=True)
class Reading:
    """How the rows of one file are read. Without a `needed` cell a row is none; the first of those says whose the row is.
    One of the columns is `status`.
    """

    kind: Kind
    file: str
    needed: tuple[str, ...]
    translate: Translate

    def read(self, block: Block) -> Sequence[Row | Rejection]:
        if all(_are_ids(block.cell[column]) for column in self.needed):
            return self.translate(block, file=self.file)
        problems = [self._problem(cell) for _, cell in block.rows()]
        identities = block.cell[self.needed[0]]
        left_out = [
            row
            for line, problem, identity in zip(block.lines, problems, identities, strict=True)
            if problem
            for row in self.left_out(line, *problem, identity)
        ]
        rest = block.only([problem is None for problem in problems])
        return in_order(left_out, self.translate(rest, file=self.file))

    def _problem(self, cell: dict[str, str]) -> tuple[str, str] | None:
        """The first column that is no id though it has to be, and why."""
        for column in self.needed[:1] if cells.is_gone(cell["status"]) else self.needed:
            if problem := _id_problem(cell[column]):
                return column, problem
        return None

    def left_out(self, line: int, column: str | None, reason: str, identity: str) -> Iterator[Row | Rejection]:
        """A row that cannot be read, and whose it is: nobody leaves because their row was broken."""
        known = "" if _id_problem(identity) else identity
        said = (
            f"{reason}; the row was left out, and what we hold of it stays"
            if known
            else (
                f"{reason}; whose row it is cannot be read, so nothing that is missing from this file becomes inactive"
            )
        )
        yield self.rejection(line, column, said)
        yield UnreadRow(line, self.kind, known)

    def rejection(self, line: int | None, column: str | None, reason: str) -> Rejection:
        return Rejection(self.file, line, column, reason)


def _id_problem(cell: str) -> str | None:
    """Quotes and commas come into an id only when a quote of the line is lost; no list of ids could name it."""
    if not cell:
        return "is blank"
    if len(cell) > cells.LONGEST_ID:
        return "is too long"
    return "is no id" if '"' in cell or "," in cell else None


def _are_ids(some: Sequence[str]) -> bool:
    """Whether none of them has an `_id_problem`, seen at one glance."""
    whole = "".join(some)
    return all(some) and max(map(len, some), default=0) <= cells.LONGEST_ID and '"' not in whole and "," not in whole
