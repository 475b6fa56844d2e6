"""Questions in the direct message with the app: answered there with counts, in a message that names no one. Its buttons show names, to the
person who presses them alone.

Slack sends an event again that was not acknowledged in time, and Socket Mode has no other guard: a message is answered once.
"""

import logging
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot.access.rights import AccessLevel, Actor
from bot.cleanup_list.page import load_freshness
from bot.cleanup_list.question_counts import Counts, count_for
from bot.cleanup_list.vocabulary import load_vocabulary
from bot.contact_edits.pending_page import load_pending_page
from bot.db.seen_requests import claim_request
from bot.filters.filter import STUDENT_CRITERIA
from bot.filters.questions import PENDING, read_question
from bot.slack import commands, pending
from bot.slack.kit import api_errors, respond, users
from bot.slack.kit import blocks as b
from bot.slack.kit.api_errors import Outcome
from bot.slack.kit.blocks import Card
from bot.slack.kit.context import AppContext
from bot.slack.kit.error_handler import run_after_response
from bot.slack.questions import card as question_card

logger = logging.getLogger(__name__)

# What is written in a direct message has none of these: they are of edits, files, other apps, and our own messages.
_NOT_WRITTEN = ("subtype", "bot_id", "app_id", "files", "edited")


def register(app: App, ctx: AppContext) -> None:
    def reply(event: dict[str, Any], client: WebClient) -> None:
        if not _is_question(event):
            return
        if problem := run_after_response("question", lambda: _answer_once(ctx, client, event)):
            _post(client, event, Card([b.section(problem)], problem))

    def acknowledge(ack: Ack) -> None:
        ack()

    app.event("message")(ack=acknowledge, lazy=[reply])

    @app.action(question_card.OPEN)
    def open_answer(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        typed = {"user_id": body["user"]["id"], "channel_id": body["channel"]["id"], "text": action["value"]}
        respond.answer(client, body, commands.answer(ctx, client, typed))


def _is_question(event: dict[str, Any]) -> bool:
    is_written = not any(event.get(field) for field in _NOT_WRITTEN)
    return (
        is_written and event.get("channel_type") == "im" and bool(event.get("user") and event.get("text", "").strip())
    )


def _answer_once(ctx: AppContext, client: WebClient, event: dict[str, Any]) -> None:
    if claim_request(ctx.engine, f"message {event['channel']} {event['ts']}".encode(), now=ctx.now()):
        _post(client, event, answer(ctx, client, event["user"], event["text"]))


def answer(ctx: AppContext, client: WebClient, user_id: str, text: str) -> Card:
    """Return the answer to a question, without a name in it.

    Raises:
        UserError: this person may not use the list.
    """
    mentioned = users.mentioned_emails(ctx.engine, client, text, now=ctx.now()) if "@" in text else {}
    with ctx.acting(client, user_id) as (session, actor):
        freshness = load_freshness(session)
        question = read_question(text, load_vocabulary(session, actor, mentioned, roster=freshness.roster))
        kept = ctx.settings.keep_messages
        counts = count_for(session, question, actor=actor, freshness=freshness, kept=kept, now=ctx.now())
        changes = _count_pending(session, counts, actor=actor) if counts.question.command == PENDING else 0
    return question_card.draw(counts, freshness, changes=changes)


def _count_pending(session: Session, counts: Counts, *, actor: Actor) -> int:
    which = counts.question.filter
    is_district = actor.level is AccessLevel.DISTRICT and not which.criteria & STUDENT_CRITERIA
    students = pending.students_of(actor, which)
    return load_pending_page(session, students, page_size=1, is_district=is_district).total


def _post(client: WebClient, event: dict[str, Any], card: Card) -> None:
    """Post in the conversation, or in the thread, where the question is. A lost answer is not posted again: people ask again."""
    place = {"channel": event["channel"], "thread_ts": event.get("thread_ts")}
    result = api_errors.call(lambda: client.chat_postMessage(text=card.text, blocks=card.blocks, **place))
    if result.outcome is not Outcome.DONE:
        logger.warning("the answer to a question was not posted: %s", result.error)
