"""Requests that were received before, in a table that all processes share: what Slack sends again is done once."""

from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Engine, bindparam, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.db.models.slack import SeenRequest
from bot.db.session import autocommit_engine, fetch_rows

# Longer than Slack's timestamp is accepted: five minutes in either direction.
_REPLAY_WINDOW = timedelta(minutes=11)
_CLAIM = (
    insert(SeenRequest)
    .values(digest=bindparam("digest"), heard_at=bindparam("heard_at"))
    .on_conflict_do_nothing()
    .returning(SeenRequest.digest)
)


def claim_request(engine: Engine, key: bytes, *, now: datetime) -> bool:
    """Record a request by what identifies it, and return whether it is new. Committed at once, so one that fails counts, too."""
    values = {"digest": sha256(key).digest(), "heard_at": now}
    with autocommit_engine(engine).connect() as connection:
        return bool(fetch_rows(connection, _CLAIM, values))


def delete_old_requests(session: Session, *, now: datetime) -> int:
    """Delete recorded requests whose timestamp is no longer accepted, and return how many."""
    old = delete(SeenRequest).where(SeenRequest.heard_at < now - _REPLAY_WINDOW)
    return len(session.execute(old.returning(SeenRequest.digest)).all())
