"""How what waits to be sent goes out: claimed and committed, then sent, then written down, until nothing is due."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from bot import db, outbox
from bot.models import Outgoing
from bot.slack.desk import Desk

logger = logging.getLogger(__name__)

AGAIN = timedelta(minutes=1)
"""After how long something is tried again that Slack did not take."""

Row = TypeVar("Row", bound=Outgoing)


def each(desk: Desk, claim: Callable[..., Row | None], send: Callable[[Row], bool | None]) -> int:
    """Claim, commit, send, until nothing is left or `send` says False: enough for this round. Gives how many were handled."""
    handled, goes_on = 0, True
    while goes_on and (row := _claimed(desk, claim)) is not None:
        goes_on = send(row) is not False
        handled += 1
    return handled


def _claimed(desk: Desk, claim: Callable[..., Row | None]) -> Row | None:
    with db.transaction(desk.engine) as session:
        return claim(session, now=desk.now())


def is_ours(desk: Desk, row: Outgoing) -> bool:
    """Whether it is still ours to send, asked just before."""
    with db.transaction(desk.engine) as session:
        return outbox.is_ours(session, row)


def note(desk: Desk, verb: Callable[..., bool], row: Outgoing, *args: Any, **values: Any) -> None:
    """Write down what became of it."""
    with db.transaction(desk.engine) as session:
        was_ours = verb(session, row, *args, **values)
    if not was_ours:
        logger.warning("%s %s was taken over by another process", type(row).__name__, row.id)
