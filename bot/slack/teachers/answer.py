"""The private card about a teacher's answer: the office uses the number for a contact in one click, or sets the answer aside.

The first decision counts; a person who presses later sees it. Names are in the blocks only: a locked phone shows the title.
"""

import re
from operator import attrgetter
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.contact_edits.teacher_answers import (
    PossibleContact,
    TeacherAnswerCard,
    claim_card,
    complete_card,
    enqueue_cards,
    load_answer,
    mark_unclear,
    set_aside,
    use_number,
)
from bot.db.models.teacher_questions import AnswerCard, Decision
from bot.db.session import transaction
from bot.errors import UserError
from bot.slack.kit import blocks as b
from bot.slack.kit import respond
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext
from bot.slack.kit.direct_messages import AnsweredCard, send_due_cards
from bot.slack.kit.private_metadata import read_ids

USE, SET_ASIDE = "teacher.use_number", "teacher.set_aside"
_MAX_CONTACTS, _MAX_NAME = 8, 40
_TITLE = "A teacher answered about a student"
_NOT_SHOWN = "You cannot see this student anymore, so the answer is not shown."
_DONE = {Decision.USED: "✅ The number was entered.", Decision.SET_ASIDE: "✅ Set aside: nothing was changed."}


def register(app: App, ctx: AppContext) -> None:
    @app.action(re.compile(rf"^{re.escape(USE)}\.\d+$"))
    def use(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        question_id, contact_id, version = read_ids(action["value"], count=3)
        try:
            with ctx.acting(client, body["user"]["id"]) as (session, actor):
                use_number(
                    session,
                    question_id,
                    contact_id,
                    version=version,
                    actor=actor,
                    region=ctx.settings.phone_region,
                    opt_in_number=ctx.settings.opt_in_number,
                    now=ctx.now(),
                )
        except UserError:  # Shows the contacts as they are now.
            show(body, client, question_id)
            raise
        show(body, client, question_id)

    @app.action(SET_ASIDE)
    def put_aside(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        (question_id,) = read_ids(action["value"], count=1)
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            set_aside(session, question_id, actor=actor, now=ctx.now())
        show(body, client, question_id)

    def show(body: dict[str, Any], client: WebClient, question_id: int) -> None:
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            card = load_answer(session, question_id, actor=actor)
        message = body["container"]
        respond.update_message(client, message["channel_id"], message["message_ts"], draw(card))


def draw(card: TeacherAnswerCard) -> Card:
    """Draw the card: with buttons until it is decided, then with the decision instead of what the teacher typed."""
    student, teacher = b.escaped(card.student, _MAX_NAME), b.escaped(card.teacher, _MAX_NAME)
    when = f" · {b.date(card.answered_at)}" if card.answered_at else ""
    blocks = [b.section(f"*{_TITLE}*\n*{student}*: {teacher} {_answer_text(card)}")]
    if card.note:
        blocks.append(b.section(f"“{b.escaped(card.note)}”"))
    blocks.append(b.context(f"{student} has no adult who can be texted{when}"))
    if card.decision:
        return AnsweredCard([*blocks, b.section(f"{_DONE[card.decision]} {b.mention(card.decided_by) or ''}")], _TITLE)
    return Card([*blocks, *_buttons(card)], _TITLE)


def _answer_text(card: TeacherAnswerCard) -> str:
    number = f": {b.masked(card.phone)}" if card.phone else ""
    return f"has a number{number}." if card.answer == "number" else "suggests someone else to try."


def _buttons(card: TeacherAnswerCard) -> list[Block]:
    contacts = card.contacts if card.phone else ()
    offered = [contact for contact in contacts if contact.takes_number][:_MAX_CONTACTS]
    use = [_use(card, contact, position) for position, contact in enumerate(offered)]
    label = "None of them" if use else "Done"
    aside = b.button(label, SET_ASIDE, str(card.question_id), label="Set the answer aside")
    note = "The number is entered as your change, for texts, and can be undone. To add a contact, use the student information system."
    others = [b.escaped(_name(contact), _MAX_NAME) for contact in contacts if not contact.takes_number]
    without = f"No button for {', '.join(others[:_MAX_CONTACTS])}: opted out, not to be texted, or has a number that works. Open the student."
    notes = [*([note] if card.phone else []), *([without] if others else [])]
    return [*b.actions([*use, aside]), *map(b.context, notes)]


def _name(contact: PossibleContact) -> str:
    return f"{contact.name} ({contact.relationship})" if contact.relationship else contact.name


def _use(card: TeacherAnswerCard, contact: PossibleContact, position: int) -> Block:
    label = b.cut(f"Use for {_name(contact)}", _MAX_NAME)
    value = f"{card.question_id} {contact.contact_id} {contact.version}"
    return b.button(label, f"{USE}.{position}", value, label=label)


def send_due(ctx: AppContext, client: WebClient) -> int:
    """Send every card and update that is due; return how many. A sent card that its reader may not see anymore loses its words."""
    with transaction(ctx.engine) as session:
        enqueue_cards(session, rules=ctx.rules, now=ctx.now())
    return send_due_cards(
        *(ctx, client, claim_card, _draw),
        reader=attrgetter("reader"),
        complete=complete_card,
        mark_unclear=mark_unclear,
        hidden=AnsweredCard([b.section(f"*{_TITLE}*\n{_NOT_SHOWN}")], _TITLE),
    )


def _draw(session: Session, row: AnswerCard, actor: Actor) -> Card | None:
    card = load_answer(session, row.question_id, actor=actor)
    return draw(card) if row.ts or card.decision is None else None
