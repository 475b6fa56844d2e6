"""What every command asks of the roster, kept in this process until the next sync: nothing else changes the roster."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from bot.cleanup_list.freshness import roster_version

Of = TypeVar("Of", bound=Hashable)
Answer = TypeVar("Answer")

_MOST = 1_000
"""Answers, of all people together: a school's words take 40 kB."""
_kept: dict[str, dict[Hashable, Any]] = {}
"""Of one roster, the newest that was asked about."""


def cached_until_sync(session: Session, ask: Callable[[Session, Of], Answer], of: Of) -> Answer:
    """What `ask` gives, or gave since the newest sync ended. While one runs, or before the first, it is asked each time."""
    version = roster_version(session)
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
