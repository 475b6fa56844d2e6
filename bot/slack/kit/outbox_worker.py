"""How what waits to be sent goes out: claimed and committed, then sent, then written down, until nothing is due."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from bot.db import outbox
from bot.db.models.outgoing import OutboxRow
from bot.db.session import transaction
from bot.slack.kit.context import AppContext

logger = logging.getLogger(__name__)

RETRY_DELAY = timedelta(minutes=1)
"""After how long something is tried again that Slack did not take."""

Row = TypeVar("Row", bound=OutboxRow)


def send_each(desk: AppContext, claim: Callable[..., Row | None], send: Callable[[Row], bool | None]) -> int:
    """Claim, commit, send, until nothing is left or `send` says False: enough for this round. Gives how many were handled."""
    handled, goes_on = 0, True
    while goes_on and (row := _claimed(desk, claim)) is not None:
        goes_on = send(row) is not False
        handled += 1
    return handled


def _claimed(desk: AppContext, claim: Callable[..., Row | None]) -> Row | None:
    with transaction(desk.engine) as session:
        return claim(session, now=desk.now())


def holds_lease(desk: AppContext, row: OutboxRow) -> bool:
    """Whether it is still ours to send, asked just before."""
    with transaction(desk.engine) as session:
        return outbox.holds_lease(session, row)


def complete(desk: AppContext, verb: Callable[..., bool], row: OutboxRow, *args: Any, **values: Any) -> None:
    """Write down what became of it."""
    with transaction(desk.engine) as session:
        was_ours = verb(session, row, *args, **values)
    if not was_ours:
        logger.warning("%s %s was taken over by another process", type(row).__name__, row.id)
