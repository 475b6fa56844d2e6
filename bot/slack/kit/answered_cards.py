"""Cards that several people get as direct messages, and that are updated after the first of them answered.

A card whose answer from Slack was lost may have arrived, and is not sent again: others are asked, too. An update is repeated.
"""

import logging
from collections.abc import Callable
from typing import Any

from slack_sdk import WebClient

from bot.db.models.teacher_questions import AnswerCard
from bot.db.models.unclear_texts import TextCard
from bot.slack.kit import api_errors, outbox_worker
from bot.slack.kit.api_errors import Result
from bot.slack.kit.blocks import Card
from bot.slack.kit.context import AppContext

logger = logging.getLogger(__name__)

# Returns the reader's Slack user id, the card, and whether it shows an answer; None if there is nothing to send. It may call Slack.
Prepare = Callable[[], tuple[str, Card, bool] | None]


def send_card(
    context: AppContext,
    client: WebClient,
    row: TextCard | AnswerCard,
    prepare: Prepare,
    *,
    complete: Callable[..., bool],
    mark_unclear: Callable[..., bool],
) -> Result[Any] | None:
    """Send or update a card, and store the outcome: `complete` takes `shows_answer` and the message's place, `mark_unclear` a time."""
    what = f"{type(row).__name__} {row.id}"
    prepared = api_errors.call(prepare)
    if prepared.may_succeed_later:
        return outbox_worker.wait(context, row, prepared)
    if prepared.answer is None:
        logger.warning("%s has no reader: %s", what, prepared.error or "no access, or answered before")
        outbox_worker.fail(context, row)
        return None
    user_id, card, shows_answer = prepared.answer
    if not outbox_worker.holds_lease(context, row):
        return None
    result = api_errors.call(lambda: _post(client, user_id, row, card))
    if result.answer is not None:
        place = {"channel_id": str(result.answer["channel"]), "ts": str(result.answer["ts"])}
        outbox_worker.store(context, complete, row, shows_answer=shows_answer, **place)
        return result
    # Slack may have accepted it although it asks us to come back later.
    if result.ends_round and not result.may_have_arrived:
        return outbox_worker.wait(context, row, result)
    logger.warning("%s: %s. %s", what, result.error, result.advice)
    if result.may_have_arrived:
        outbox_worker.store(context, mark_unclear, row, retry_at=context.now() + result.retry_after)
    else:
        outbox_worker.fail(context, row)
    return result


def _post(client: WebClient, user_id: str, row: TextCard | AnswerCard, card: Card) -> Any:
    if row.channel_id and row.ts:
        return client.chat_update(channel=row.channel_id, ts=row.ts, text=card.text, blocks=card.blocks)
    return client.chat_postMessage(channel=user_id, text=card.text, blocks=card.blocks)
