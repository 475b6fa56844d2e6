"""Works off an outbox: claim and commit, send, store the outcome; until nothing is due or Slack limits the rate."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from bot.db import outbox
from bot.db.models.outbox import OutboxRow
from bot.db.session import transaction
from bot.slack.kit.api_errors import Outcome
from bot.slack.kit.context import AppContext

logger = logging.getLogger(__name__)

Row = TypeVar("Row", bound=OutboxRow)


def send_each(context: AppContext, claim: Callable[..., Row | None], send: Callable[[Row], Outcome | None]) -> int:
    """Send each row that `claim` returns, and return how many there were. A rate limit ends the round: the rest waits."""
    handled = 0
    while True:
        with transaction(context.engine) as session:
            row = claim(session, now=context.now())
        if row is None:
            return handled
        handled += 1
        if send(row) is Outcome.RATE_LIMITED:
            return handled


def holds_lease(context: AppContext, row: OutboxRow) -> bool:
    with transaction(context.engine) as session:
        return outbox.holds_lease(session, row)


def store(context: AppContext, verb: Callable[..., bool], row: OutboxRow, *args: Any, **values: Any) -> None:
    """Store the outcome of a row with `outbox.complete` or another verb that returns False if the lease was lost."""
    with transaction(context.engine) as session:
        is_stored = verb(session, row, *args, **values)
    if not is_stored:
        logger.warning("%s %s was taken over by another worker", type(row).__name__, row.id)


def retry(context: AppContext, row: OutboxRow, after: timedelta, **values: Any) -> None:
    store(context, outbox.retry, row, due_at=context.now() + after, **values)


def fail(context: AppContext, row: OutboxRow, **values: Any) -> None:
    store(context, outbox.fail, row, **values)
