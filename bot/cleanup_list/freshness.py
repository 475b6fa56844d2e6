"""How current the list is: the mass message it follows, the age of the student information, and the version of the roster."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from bot.db.models.messages import MassMessage
from bot.db.models.roster import SyncRun, SyncState, last_sync_query


@dataclass(frozen=True)
class Freshness:
    """The last final mass message and the end of the last sync that was applied; None where there was none.

    `roster` identifies what the syncs have made of the roster; None while one runs, or before the first.
    """

    title: str
    sent_at: datetime | None
    synced_at: datetime | None
    roster: str | None


_MESSAGE = (
    select(MassMessage.title, MassMessage.sent_at)
    .where(MassMessage.settled_at.is_not(None))
    .order_by(MassMessage.sent_at.desc())
    .limit(1)
    .subquery()
)
_SYNC = last_sync_query().subquery()
_RUN = (
    select(SyncRun.id.label("run_id"), SyncRun.state, SyncRun.started_at, SyncRun.finished_at)
    .order_by(SyncRun.id.desc())
    .limit(1)
    .subquery()
)
# One row, for `freshness_from_row`.
FRESHNESS_QUERY = select(_MESSAGE, _SYNC, _RUN).select_from(_SYNC.outerjoin(_MESSAGE, true()).outerjoin(_RUN, true()))


def load_freshness(session: Session) -> Freshness:
    return freshness_from_row(session.execute(FRESHNESS_QUERY).one())


def freshness_from_row(row: Any) -> Freshness:
    is_settled = row.run_id is not None and row.state != SyncState.RUNNING
    roster = f"{row.run_id} {row.started_at} {row.finished_at}" if is_settled else None
    return Freshness(row.title or "", row.sent_at, row.synced_at, roster)
