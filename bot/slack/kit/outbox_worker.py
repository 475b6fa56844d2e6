"""Send the due rows of an outbox: claim and commit, send, store the outcome.

Where Slack refuses our token, asks us to wait, or cannot be reached, every other call would fail in the
same way. So the first such answer ends the round, and every outbox pauses for as long as Slack asked.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from bot.db import outbox
from bot.db.models.outbox import OutboxRow
from bot.db.session import transaction
from bot.errors import UserError
from bot.slack.kit.api_errors import Outcome, Result
from bot.slack.kit.context import AppContext

logger = logging.getLogger(__name__)

Row = TypeVar("Row", bound=OutboxRow)
Claim = Callable[..., Row | None]
Send = Callable[[Row], Result[Any] | None]


def send_each(ctx: AppContext, *steps: tuple[Claim[Row], Send[Row]]) -> int:
    """Send each row that the steps claim, one step after the other, and return how many were sent.

    Raises:
        UserError: Slack does not accept our token, scopes, or network; nothing is lost.
    """
    sent = 0
    for claim, send in steps:
        while (row := _claim(ctx, claim)) is not None:
            result = send(row)
            if result is None:
                continue
            sent += result.outcome is Outcome.DONE
            if result.ends_round:
                _end_round(ctx, result)
                return sent
    return sent


def _claim(ctx: AppContext, claim: Claim[Row]) -> Row | None:
    with transaction(ctx.engine) as session:
        now = ctx.now()
        return None if outbox.is_paused(session, now=now) else claim(session, now=now)


def _end_round(ctx: AppContext, result: Result[Any]) -> None:
    with transaction(ctx.engine) as session:
        outbox.pause(session, until=ctx.now() + result.retry_after)
    seconds = result.retry_after.total_seconds()
    logger.warning("Slack answered %s: everything waits for %.0f s", result.error, seconds)
    if result.outcome is Outcome.OURS:
        sentence = (
            f"Slack refuses what we send ({result.error}). {result.advice} Everything is kept and sent after that."
        )
        raise UserError("slack.refuses_us", sentence, permanent=False)


def holds_lease(ctx: AppContext, row: OutboxRow) -> bool:
    with transaction(ctx.engine) as session:
        return outbox.holds_lease(session, row)


def store(ctx: AppContext, verb: Callable[..., bool], row: OutboxRow, *args: Any, **values: Any) -> bool:
    """Store the outcome of a row with `outbox.complete` or another verb; False if the lease was lost."""
    with transaction(ctx.engine) as session:
        is_stored = verb(session, row, *args, **values)
    if not is_stored:
        logger.warning("%s %s was taken over by another worker", type(row).__name__, row.id)
    return is_stored


def retry(ctx: AppContext, row: OutboxRow, after: timedelta, **values: Any) -> None:
    store(ctx, outbox.retry, row, due_at=ctx.now() + after, **values)


def wait(ctx: AppContext, row: OutboxRow, result: Result[Any], **values: Any) -> Result[Any]:
    """Put the row back for as long as Slack asked, and return Slack's answer."""
    logger.warning("%s %s waits: %s", type(row).__name__, row.id, result.error)
    retry(ctx, row, result.retry_after, **values)
    return result


def fail(ctx: AppContext, row: OutboxRow, **values: Any) -> None:
    store(ctx, outbox.fail, row, **values)
