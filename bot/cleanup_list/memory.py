"""What every command asks of the roster, kept in this process until the next sync: nothing else changes the roster."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.models import SyncState

Answer = TypeVar("Answer")

_MOST = 2_000
_NEWEST = text("SELECT xmin::text AS version, state FROM sync_runs ORDER BY id DESC LIMIT 1")
_kept: tuple[str, dict[Hashable, Any]] = ("", {})


def since_the_sync(session: Session, question: Hashable, ask: Callable[[], Answer]) -> Answer:
    """What `ask` gives, or gave since the newest sync ended. While one runs, or before the first, it is asked each time."""
    version = _version(session)
    if version is None:
        return ask()
    answers = _answers(version)
    if question not in answers:
        answers[question] = ask()
    answer: Answer = answers[question]
    return answer


def _version(session: Session) -> str | None:
    """The transaction that last wrote to the newest run, so no other roster has the same; asked once in a transaction of ours."""
    ours = session.get_transaction()
    version: str | None
    asked_in, version = session.info.get("roster", (None, None))
    if ours is None or asked_in is not ours:
        newest = session.execute(_NEWEST).first()
        version = newest.version if newest and newest.state != SyncState.RUNNING else None
        session.info["roster"] = (session.get_transaction(), version)
    return version


def _answers(version: str) -> dict[Hashable, Any]:
    """Whoever asked under an older version keeps writing to the answers of that one, which nobody reads any more."""
    global _kept  # noqa: PLW0603 - one tuple that is swapped as a whole, so that threads see the one or the other.
    kept = _kept
    if kept[0] != version or len(kept[1]) > _MOST:
        _kept = kept = (version, {})
    return kept[1]
