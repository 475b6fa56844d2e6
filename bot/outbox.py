"""What waits to be sent, whatever it is: taken by one process at a time, and only whoever still has it says what became of it.

A row is claimed and the claim committed before anything is sent. Whether a row whose claim has lapsed is sent again, looked for or
given up, its own room decides.
"""

from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, select, update
from sqlalchemy.orm import Session

from bot.models import CLAIMED, PENDING, Outgoing

Row = TypeVar("Row", bound=Outgoing)


def waiting(kind: type[Outgoing], *, now: datetime, state: str = PENDING) -> ColumnElement[bool]:
    """That a row is due."""
    return and_(kind.state == state, kind.due_at <= now)


def lapsed(kind: type[Outgoing], *, now: datetime, lease: timedelta) -> ColumnElement[bool]:
    """That a row was claimed by somebody who has died since, or was held up so long that it counts as much. A lease is longer than
    sending one takes.
    """
    return and_(kind.state == CLAIMED, kind.claimed_at <= now - lease)


def claim(session: Session, kind: type[Row], which: ColumnElement[bool], *, now: datetime) -> Row | None:
    """The first row that is meant, for this process alone; commit, then send it. None if there is none."""
    values = {"state": CLAIMED, "claimed_at": now, "attempts": kind.attempts + 1}
    return take(session, kind, in_turn(kind, which), values)


def in_turn(kind: type[Outgoing], which: ColumnElement[bool]) -> Select[int]:
    """The ids of rows, whatever is due longest first."""
    return select(kind.id).where(which).order_by(kind.due_at, kind.id)


def take(session: Session, kind: type[Row], ids: Select[int], values: dict[str, Any]) -> Row | None:
    """The first of some rows that nobody else takes at this moment, with these values."""
    one = ids.limit(1).with_for_update(skip_locked=True, of=kind).scalar_subquery()
    taken = update(kind).where(kind.id == one).values(values).returning(kind)
    return session.scalar(taken, execution_options={"populate_existing": True})


def is_ours(session: Session, row: Outgoing) -> bool:
    """Whether a claimed row is still ours to send: whoever was held up past the lease may have lost it."""
    kind = type(row)
    ours = select(kind.id).where(kind.id == row.id, kind.attempts == row.attempts, kind.state == CLAIMED)
    return session.scalar(ours) is not None


def note(session: Session, row: Outgoing, *, of: tuple[str, ...] = (CLAIMED,), **values: Any) -> bool:
    """Write down what became of a row that is still in a state `of` these, in the attempt in which we took it; False if it is not."""
    kind = type(row)
    ours = update(kind).where(kind.id == row.id, kind.attempts == row.attempts, kind.state.in_(of))
    return session.scalar(ours.values(values).returning(kind.id)) is not None
