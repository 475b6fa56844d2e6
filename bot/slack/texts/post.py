"""Sends the cards about texts that a person has to read, and updates the sent ones after an answer.

A card whose answer was lost may have arrived, and is not sent again: others are asked, too. An update is repeated.
"""

import logging
from typing import Any

from slack_sdk import WebClient

from bot.contact_edits.unclear_texts import UnclearTextCard, load_text
from bot.db.models.unclear_texts import TextCard
from bot.db.session import transaction
from bot.errors import UserError
from bot.mass_messages.unclear_texts import claim_card, complete_card, enqueue_cards, mark_unclear
from bot.slack.kit import api_errors, outbox_worker
from bot.slack.kit.api_errors import Outcome, Result
from bot.slack.kit.blocks import Card
from bot.slack.kit.context import AppContext
from bot.slack.texts import card as text_card

logger = logging.getLogger(__name__)


def send_due(context: AppContext, client: WebClient) -> int:
    """Send every card and update that is due; return how many."""
    with transaction(context.engine) as session:
        enqueue_cards(session, rules=context.rules, now=context.now())
    return outbox_worker.send_each(context, (claim_card, lambda card: _send(context, client, card)))


def _send(context: AppContext, client: WebClient, row: TextCard) -> Result[Any] | None:
    prepared = api_errors.call(lambda: _prepare(context, client, row))
    if prepared.may_succeed_later:
        return outbox_worker.wait(context, row, prepared)
    if prepared.answer is None:
        logger.warning("text card %s has no reader: %s", row.id, prepared.error or "no access, or answered before")
        outbox_worker.fail(context, row)
        return None
    user_id, unclear = prepared.answer
    if not outbox_worker.holds_lease(context, row):
        return None
    result = api_errors.call(lambda: _post(client, user_id, row, text_card.draw(unclear)))
    if result.answer is not None:
        place = {"channel_id": str(result.answer["channel"]), "ts": str(result.answer["ts"])}
        outbox_worker.store(context, complete_card, row, shows_answer=unclear.answer is not None, **place)
        return result
    if result.ends_round:
        return outbox_worker.wait(context, row, result)
    logger.warning("text card %s: %s. %s", row.id, result.error, result.advice)
    if result.outcome is Outcome.UNCLEAR:
        outbox_worker.store(context, mark_unclear, row, retry_at=context.now() + result.retry_after)
    else:
        outbox_worker.fail(context, row)
    return result


def _post(client: WebClient, user_id: str, row: TextCard, card: Card) -> Any:
    if row.channel_id and row.ts:
        return client.chat_update(channel=row.channel_id, ts=row.ts, text=card.text, blocks=card.blocks)
    return client.chat_postMessage(channel=user_id, text=card.text, blocks=card.blocks)


def _prepare(context: AppContext, client: WebClient, row: TextCard) -> tuple[str, UnclearTextCard] | None:
    """Return the reader's Slack user id and the text, or None if the reader may not read it or has nothing to answer.

    Raises:
        SlackApiError: Slack did not say who the reader is, or no user has that email.
    """
    user_id = str(client.users_lookupByEmail(email=row.reader)["user"]["id"])
    try:
        with context.acting(client, user_id) as (session, actor):
            unclear = load_text(session, row.unclear_text_id, actor=actor)
    except UserError:
        return None
    return None if unclear.answer and not row.ts else (user_id, unclear)
