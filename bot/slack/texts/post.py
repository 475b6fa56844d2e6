"""Sends the cards about texts that a person has to read, and updates the sent ones after an answer."""

from functools import partial
from typing import Any

from slack_sdk import WebClient

from bot.contact_edits.unclear_texts import load_text
from bot.db.models.unclear_texts import TextCard
from bot.db.session import transaction
from bot.errors import UserError
from bot.mass_messages.unclear_texts import claim_card, complete_card, enqueue_cards, mark_unclear
from bot.slack.kit import outbox_worker
from bot.slack.kit.answered_cards import send_card
from bot.slack.kit.api_errors import Result
from bot.slack.kit.blocks import Card
from bot.slack.kit.context import AppContext
from bot.slack.texts import card as text_card


def send_due(context: AppContext, client: WebClient) -> int:
    """Send every card and update that is due; return how many."""
    with transaction(context.engine) as session:
        enqueue_cards(session, rules=context.rules, now=context.now())

    def send(row: TextCard) -> Result[Any] | None:
        prepare = partial(_prepare, context, client, row)
        return send_card(context, client, row, prepare, complete=complete_card, mark_unclear=mark_unclear)

    return outbox_worker.send_each(context, (claim_card, send))


def _prepare(context: AppContext, client: WebClient, row: TextCard) -> tuple[str, Card, bool] | None:
    """Return the reader's Slack user id, the card, and whether it is answered; None if the reader may not read it or has nothing to
    answer.

    Raises:
        SlackApiError: Slack did not say who the reader is, or no user has that email.
    """
    user_id = str(client.users_lookupByEmail(email=row.reader)["user"]["id"])
    try:
        with context.acting(client, user_id) as (session, actor):
            unclear = load_text(session, row.unclear_text_id, actor=actor)
    except UserError:
        return None
    is_answered = unclear.answer is not None
    return None if is_answered and not row.ts else (user_id, text_card.draw(unclear), is_answered)
