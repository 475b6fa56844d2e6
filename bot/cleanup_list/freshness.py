"""How fresh the list is: after which mass message it stands, how old the student information is, and which roster that made."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Text, cast, literal_column, select, true
from sqlalchemy.orm import Session

from bot.db.fast_rows import fetch_rows
from bot.db.models.messages import MassMessage
from bot.db.models.roster import SyncRun, SyncState, last_sync_query


@dataclass(frozen=True)
class Freshness:
    """The mass message the list stands after, and the end of the last sync that was applied; None where there was none.

    `roster` is a word for what the syncs have made of the roster, None while one runs, or before the first.
    """

    title: str
    sent_at: datetime | None
    synced_at: datetime | None
    roster: str | None = field(default=None, compare=False)


_MESSAGE = (
    select(MassMessage.title, MassMessage.sent_at)
    .where(MassMessage.settled_at.is_not(None))
    .order_by(MassMessage.sent_at.desc())
    .limit(1)
    .subquery()
)
_SYNC = last_sync_query().subquery()
# The transaction that last wrote to the newest run: no other roster has the same.
_RUN = (
    select(cast(literal_column("sync_runs.xmin"), Text).label("version"), SyncRun.state)
    .order_by(SyncRun.id.desc())
    .limit(1)
    .subquery()
)
FRESHNESS_QUERY = select(_MESSAGE, _SYNC, _RUN).select_from(_SYNC.outerjoin(_MESSAGE, true()).outerjoin(_RUN, true()))
"""What `latest_of` reads: one row."""
_TOLD = "latest"


def load_freshness(session: Session) -> Freshness:
    """For the line below every list."""
    (row,) = fetch_rows(session, FRESHNESS_QUERY)
    return freshness_from_row(session, row)


def freshness_from_row(session: Session, row: Any) -> Freshness:
    """The same from the row of `LATEST`, which the session asked for."""
    version = row.version if row.state != SyncState.RUNNING else None
    newest = Freshness(row.title or "", row.sent_at, row.synced_at, version)
    session.info[_TOLD] = session.get_transaction(), newest
    return newest


def roster_version(session: Session) -> str | None:
    """`Latest.roster`, as this session was told if it asked already."""
    asked_in, newest = session.info.get(_TOLD, (None, None))
    told: Freshness = newest if newest and asked_in is session.get_transaction() else load_freshness(session)
    return told.roster
