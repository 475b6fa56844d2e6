"""Requests that were received before, in a table that all processes share: what Slack sends again is done once."""

from datetime import datetime
from hashlib import sha256

from sqlalchemy import Engine, bindparam
from sqlalchemy.dialects.postgresql import insert

from bot.db.models.slack import SeenRequest
from bot.db.session import autocommit_engine, fetch_rows

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
