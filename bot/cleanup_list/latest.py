"""How fresh the list is: after which mass message it stands, and how old the student information is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from bot.models import MassMessage, last_synced_at


@dataclass(frozen=True)
class Latest:
    """The mass message the list stands after, and the end of the last sync that was applied; None where there was none."""

    title: str
    sent_at: datetime | None
    synced_at: datetime | None


_MESSAGE = (
    select(MassMessage.title, MassMessage.sent_at)
    .where(MassMessage.settled_at.is_not(None))
    .order_by(MassMessage.sent_at.desc())
    .limit(1)
    .subquery()
)
_SYNC = last_synced_at().subquery()
_LATEST = select(_MESSAGE, _SYNC.c.synced_at).select_from(_SYNC.outerjoin(_MESSAGE, true()))


def latest(session: Session) -> Latest:
    """For the line below every list."""
    row = session.execute(_LATEST).one()
    return Latest(row.title or "", row.sent_at, row.synced_at)
