"""What waits to be sent, whatever it is: taken by one process at a time, and only whoever still has it says what became of it.

A row is claimed and the claim committed before anything is sent. Whether a row whose claim has lapsed is sent again, looked for or
given up, its own room decides.
"""

from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, select, update
from sqlalchemy.orm import Session

from bot.db.models.outgoing import CLAIMED, PENDING, OutboxRow

Row = TypeVar("Row", bound=OutboxRow)


def is_due(table: type[OutboxRow], *, now: datetime, state: str = PENDING) -> ColumnElement[bool]:
    """That a row is due."""
    return and_(table.state == state, table.due_at <= now)


def lease_expired(table: type[OutboxRow], *, now: datetime, lease: timedelta) -> ColumnElement[bool]:
    """That a row was claimed longer than `lease` ago: its process died or hangs. A lease is longer than sending one takes."""
    return and_(table.state == CLAIMED, table.claimed_at <= now - lease)


def claim_row(session: Session, table: type[Row], which: ColumnElement[bool], *, now: datetime) -> Row | None:
    """The first row that is meant, for this process alone; commit, then send it. None if there is none."""
    values = {"state": CLAIMED, "claimed_at": now, "attempts": table.attempts + 1}
    return claim_first(session, table, by_due_date(table, which), values)


def by_due_date(table: type[OutboxRow], which: ColumnElement[bool]) -> Select[int]:
    """The ids of rows, whatever is due longest first."""
    return select(table.id).where(which).order_by(table.due_at, table.id)


def claim_first(session: Session, table: type[Row], ids: Select[int], values: dict[str, Any]) -> Row | None:
    """The first of some rows that nobody else takes at this moment, with these values."""
    one = ids.limit(1).with_for_update(skip_locked=True, of=table).scalar_subquery()
    taken = update(table).where(table.id == one).values(values).returning(table)
    return session.scalar(taken, execution_options={"populate_existing": True})


def holds_lease(session: Session, row: OutboxRow) -> bool:
    """Whether a claimed row is still ours to send: whoever was held up past the lease may have lost it."""
    table = type(row)
    ours = select(table.id).where(table.id == row.id, table.attempts == row.attempts, table.state == CLAIMED)
    return session.scalar(ours) is not None


def complete(session: Session, row: OutboxRow, *, of: tuple[str, ...] = (CLAIMED,), **values: Any) -> bool:
    """Write down what became of a row that is still in a state `of` these, in the attempt in which we took it; False if it is not."""
    table = type(row)
    ours = update(table).where(table.id == row.id, table.attempts == row.attempts, table.state.in_(of))
    return session.scalar(ours.values(values).returning(table.id)) is not None
