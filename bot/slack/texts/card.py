"""A private card about a text that a person has to read. The first answer counts; a person who presses later sees it.

Names and the text are in the blocks only: a locked phone shows the title.
"""

from operator import attrgetter
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.contact_edits.unclear_texts import ANSWERS, PossibleSender, UnclearTextCard, answer_text, load_text
from bot.db.models.unclear_texts import TextAnswer, TextCard
from bot.db.session import transaction
from bot.mass_messages.unclear_texts import claim_card, complete_card, enqueue_cards, mark_unclear
from bot.providers.unclear_texts import Topic
from bot.slack.kit import blocks as b
from bot.slack.kit import respond
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext
from bot.slack.kit.direct_messages import AnsweredCard, send_due_cards
from bot.slack.kit.private_metadata import read_ids

_TITLES = {
    Topic.OPT_OUT: "A family may want no more texts",
    Topic.WRONG_PERSON: "A number may belong to someone else",
}
_ACTIONS = {
    TextAnswer.OPT_OUT: "text.record_opt_out",
    TextAnswer.WRONG_PERSON: "text.wrong_person",
    TextAnswer.NEITHER: "text.neither",
}
_LABELS = {
    TextAnswer.OPT_OUT: "Record opt-out",
    TextAnswer.WRONG_PERSON: "Wrong person",
    TextAnswer.NEITHER: "Neither",
}
_CONSEQUENCES = {
    TextAnswer.OPT_OUT: "This number gets no more texts, for any student. Only the family can undo that, with a text START.",
    TextAnswer.WRONG_PERSON: "This number gets no more texts, for any student, until a person verifies it in the student's dialog.",
}
_DONE = {
    TextAnswer.OPT_OUT: "🛑 Opted out: no more texts to this number.",
    TextAnswer.WRONG_PERSON: "🚫 Wrong person: no more texts to this number until a person verifies it.",
    TextAnswer.NEITHER: "✅ Neither: this number keeps getting texts.",
}
_MAX_SENDERS, _MAX_NAMES = 5, 200


def register(app: App, ctx: AppContext) -> None:
    def answer(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        (text_id,) = read_ids(action["value"], count=1)
        chosen = next(answer for answer, action_id in _ACTIONS.items() if action_id == action["action_id"])
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            unclear = answer_text(session, text_id, chosen, actor=actor, now=ctx.now())
        message = body["container"]
        respond.update_message(client, message["channel_id"], message["message_ts"], draw(unclear))

    for choice in ANSWERS:
        app.action(_ACTIONS[choice])(answer)


def draw(unclear: UnclearTextCard) -> Card:
    """Draw the card: with buttons until it is answered, then with the answer instead of the text."""
    title = _TITLES[unclear.topic]
    blocks = [
        b.section(f"*{title}*"),
        *([b.section(f"“{b.escaped(unclear.text)}”")] if unclear.text else []),
        b.context(f"{b.masked(unclear.phone)} · {b.date(unclear.received_at)}", *_senders(unclear.senders)),
        *(_answered(unclear, unclear.answer) if unclear.answer else _buttons(unclear)),
    ]
    return Card(blocks, title)


def _senders(senders: tuple[PossibleSender, ...]) -> list[str]:
    lines = [b.escaped(b.cut(_sender(sender), _MAX_NAMES)) for sender in senders[:_MAX_SENDERS]]
    more = len(senders) - _MAX_SENDERS
    return [*lines, f"… and {more:,} more contacts"] if more > 0 else lines


def _sender(sender: PossibleSender) -> str:
    relationship = f", {sender.relationship}" if sender.relationship else ""
    return f"{sender.name}{relationship} of {', '.join(sender.students)}"


def _buttons(unclear: UnclearTextCard) -> list[Block]:
    buttons = []
    for answer in ANSWERS:
        button = b.button(_LABELS[answer], _ACTIONS[answer], str(unclear.text_id))
        if consequence := _CONSEQUENCES.get(answer):
            button["confirm"] = b.confirm("No more texts?", consequence, yes=_LABELS[answer])
        buttons.append(button)
    note = "This number gets texts until someone answers. Your answer deletes the text here."
    return [*b.actions(buttons), b.context(note)]


def _answered(unclear: UnclearTextCard, answer: TextAnswer) -> list[Block]:
    who = b.mention(unclear.answered_by) or "The family, with a later text"
    when = f" · {b.date(unclear.answered_at)}" if unclear.answered_at else ""
    return [b.section(_DONE[answer]), b.context(f"{who}{when}")]


def send_due(ctx: AppContext, client: WebClient) -> int:
    """Send every card and update that is due; return how many."""
    with transaction(ctx.engine) as session:
        enqueue_cards(session, rules=ctx.rules, now=ctx.now())
    reader = attrgetter("reader")
    return send_due_cards(
        ctx, client, claim_card, _draw, reader=reader, complete=complete_card, mark_unclear=mark_unclear
    )


def _draw(session: Session, row: TextCard, actor: Actor) -> Card | None:
    unclear = load_text(session, row.unclear_text_id, actor=actor)
    if unclear.answer is None:
        return draw(unclear)
    return AnsweredCard(**vars(draw(unclear))) if row.ts else None
