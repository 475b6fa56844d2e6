"""Direct messages from an outbox, each sent once to one person, whose rights are checked when it is drawn.

A card that asks something goes to several people, and is updated after the first of them answered. A message whose answer from Slack
was lost may have arrived, and is not sent again; an update is repeated.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.db import outbox
from bot.db.models.outbox import OutboxRow
from bot.db.models.teacher_questions import AnswerCard
from bot.db.models.unclear_texts import TextCard
from bot.errors import UserError
from bot.slack.kit import api_errors, outbox_worker
from bot.slack.kit.api_errors import Result
from bot.slack.kit.blocks import Card
from bot.slack.kit.context import AppContext
from bot.slack.kit.outbox_worker import Claim, Row

logger = logging.getLogger(__name__)

# Draws the card of a row for its reader; None if this person may not read it, or there is nothing to say anymore.
Draw = Callable[[Session, Row, Actor], Card | None]
# Returns the reader's Slack user id and the card, None if there is nothing to send. It may call Slack.
Prepare = Callable[[], tuple[str, Card] | None]


class AnsweredCard(Card):
    """A card that shows the answer to what it asked."""


def send_due(
    ctx: AppContext,
    client: WebClient,
    claim: Claim[Row],
    draw: Draw[Row],
    *,
    reader: Callable[[Row], str],
    sent: str,
) -> int:
    """Send every message that is due, store `sent` as its state, and return how many. `reader` is an email or a Slack user id."""

    def send(row: Row) -> Result[Any] | None:
        prepare = partial(_prepare, ctx, client, row, reader(row), draw)
        return send_once(ctx, client, row, prepare, sent=sent)

    return outbox_worker.send_each(ctx, (claim, send))


def send_due_cards(
    ctx: AppContext,
    client: WebClient,
    claim: Claim[Row],
    draw: Draw[Row],
    *,
    reader: Callable[[Row], str],
    complete: Callable[..., bool],
    mark_unclear: Callable[..., bool],
    hidden: Card | None = None,
) -> int:
    """Send or update every card that is due, and return how many. `hidden` replaces a sent card that its reader may not see anymore.

    `complete` takes `shows_answer` and the message's place, `mark_unclear` a time.
    """

    def send(row: Row) -> Result[Any] | None:
        prepare = partial(_prepare, ctx, client, row, reader(row), draw, hidden=hidden if _place(row) else None)
        return _send(ctx, client, row, prepare, complete=complete, mark_unclear=mark_unclear)

    return outbox_worker.send_each(ctx, (claim, send))


def send_once(ctx: AppContext, client: WebClient, row: OutboxRow, prepare: Prepare, *, sent: str) -> Result[Any] | None:
    """Send a row as one direct message, and store `sent` as its state."""

    def complete(session: Session, row: OutboxRow, **_card: Any) -> bool:
        return outbox.complete(session, row, sent)

    def mark_unclear(session: Session, row: OutboxRow, **_retry: Any) -> bool:
        return outbox.fail(session, row)

    return _send(ctx, client, row, prepare, complete=complete, mark_unclear=mark_unclear)


def _prepare(
    ctx: AppContext, client: WebClient, row: Row, reader: str, draw: Draw[Row], *, hidden: Card | None = None
) -> tuple[str, Card] | None:
    """Return the reader's Slack user id and the card; `hidden` for a person who may not use the list anymore.

    Raises:
        SlackApiError: Slack did not say who the reader is, or no user has that email.
    """
    user_id = str(client.users_lookupByEmail(email=reader)["user"]["id"]) if "@" in reader else reader
    try:
        with ctx.acting(client, user_id) as (session, actor):
            card = draw(session, row, actor)
    except UserError:
        card = hidden
    return (user_id, card) if card else None


def _send(
    ctx: AppContext,
    client: WebClient,
    row: OutboxRow,
    prepare: Prepare,
    *,
    complete: Callable[..., bool],
    mark_unclear: Callable[..., bool],
) -> Result[Any] | None:
    what = f"{type(row).__name__} {row.id}"
    prepared = api_errors.call(prepare)
    if prepared.may_succeed_later:
        return outbox_worker.wait(ctx, row, prepared)
    if prepared.answer is None:
        logger.warning("%s is not sent: %s", what, prepared.error or "no access, or nothing to say")
        outbox_worker.fail(ctx, row)
        return None
    user_id, card = prepared.answer
    if not outbox_worker.holds_lease(ctx, row):
        return None
    result = api_errors.call(lambda: _post(client, user_id, row, card))
    if result.answer is not None:
        place = {"channel_id": str(result.answer["channel"]), "ts": str(result.answer["ts"])}
        outbox_worker.store(ctx, complete, row, shows_answer=isinstance(card, AnsweredCard), **place)
        return result
    # Slack may have accepted it although it asks us to come back later.
    if result.ends_round and not result.may_have_arrived:
        return outbox_worker.wait(ctx, row, result)
    logger.warning("%s: %s. %s", what, result.error, result.advice)
    if result.may_have_arrived:
        outbox_worker.store(ctx, mark_unclear, row, retry_at=ctx.now() + result.retry_after)
    else:
        outbox_worker.fail(ctx, row)
    return result


def _post(client: WebClient, user_id: str, row: OutboxRow, card: Card) -> Any:
    if place := _place(row):
        channel_id, ts = place
        return client.chat_update(channel=channel_id, ts=ts, text=card.text, blocks=card.blocks)
    return client.chat_postMessage(channel=user_id, text=card.text, blocks=card.blocks)


def _place(row: OutboxRow) -> tuple[str, str] | None:
    """Return the channel and the time of a card that was sent before."""
    if isinstance(row, TextCard | AnswerCard) and row.channel_id and row.ts:
        return row.channel_id, row.ts
    return None
