"""A signed request of Slack is heard once. Whoever caught one could send it again while its time stamp is good, and to any of
our processes; so each is noted where all of them see it.
"""

from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Engine, bindparam, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.db.fast_rows import fetch_rows
from bot.db.models.slack import SeenRequest
from bot.db.session import autocommit_engine

_KEPT = timedelta(minutes=11)
"""Longer than a time stamp is good, five minutes to either side."""

_NOTE = (
    insert(SeenRequest)
    .values(digest=bindparam("digest"), heard_at=bindparam("heard_at"))
    .on_conflict_do_nothing()
    .returning(SeenRequest.digest)
)


def is_first_delivery(engine: Engine, signature: str, *, now: datetime) -> bool:
    """Whether a request with this signature comes for the first time; notes that it came, which stands whatever follows."""
    note = {"digest": sha256(signature.encode()).digest(), "heard_at": now}
    with autocommit_engine(engine).connect() as connection:
        return bool(fetch_rows(connection, _NOTE, note))


def delete_old_requests(session: Session, *, now: datetime) -> int:
    """Forget requests whose time stamp is good no longer; gives how many."""
    old = delete(SeenRequest).where(SeenRequest.heard_at < now - _KEPT)
    return len(session.execute(old.returning(SeenRequest.digest)).all())
