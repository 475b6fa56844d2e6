"""What every command asks of the roster, kept in this process until the next sync: nothing else changes the roster."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.models import SyncState

Of = TypeVar("Of", bound=Hashable)
Answer = TypeVar("Answer")

_MOST = 2_000
"""Answers, of all people together."""
_NEWEST = text("SELECT xmin::text AS version, state FROM sync_runs ORDER BY id DESC LIMIT 1")
_kept: dict[str, dict[Hashable, Any]] = {}
"""Of one roster, the newest that was asked about."""


def since_the_sync(session: Session, ask: Callable[[Session, Of], Answer], of: Of) -> Answer:
    """What `ask` gives, or gave since the newest sync ended. While one runs, or before the first, it is asked each time."""
    version = _version(session)
    if version is None:
        return ask(session, of)
    answers = _kept.get(version)
    if answers is None or len(answers) >= _MOST:
        _kept.clear()
        answers = _kept[version] = {}
    answer = answers.get((ask, of))
    if answer is None:
        answer = answers[ask, of] = ask(session, of)
    kept: Answer = answer
    return kept


def _version(session: Session) -> str | None:
    """The transaction that last wrote to the newest run: no other roster has the same. Asked once in each transaction of ours."""
    version: str | None
    asked_in, version = session.info.get(_NEWEST, (None, None))
    if asked_in is None or asked_in is not session.get_transaction():
        newest = session.execute(_NEWEST).first()
        version = newest.version if newest and newest.state != SyncState.RUNNING else None
        session.info[_NEWEST] = session.get_transaction(), version
    return version
