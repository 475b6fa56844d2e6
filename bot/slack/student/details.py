"""What else there is to a contact, behind the three dots: the whole number, noted as seen, and everything that was done to it."""

from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot import audit
from bot.access import Actor
from bot.audit import Subject
from bot.cleanup_list.cards import ContactCard
from bot.cleanup_list.student import load_student
from bot.db.models.base import ContactMethod
from bot.db.models.edits import Audit
from bot.domain import phone
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.private_metadata import read_origin
from bot.slack.student.view import HISTORY, MORE, SHOW_NUMBER
from bot.wording import say, sentences

VIEW = "contact.more_shown"
_LINES = 40


def register(app: App, desk: AppContext) -> None:
    @app.action(MORE)
    def show(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        what, contact_id = action["selected_option"]["value"].split()
        origin = read_origin(body["view"])
        with desk.acting(client, body["user"]["id"]) as (session, actor):
            card = load_student(session, origin.student_id, actor=actor)
            drawn = _SHOWN[what](desk, session, actor, card.contact(int(contact_id)))
        client.views_push(trigger_id=body["trigger_id"], view=drawn)


def _number(desk: AppContext, session: Session, actor: Actor, one: ContactCard) -> Block:
    audit.record(session, Subject("contact", one.contact_id), actor=actor.user_id, action="phone.shown", now=desk.now())
    now = phone.format_number(one.phone, desk.settings.phone_region) if one.phone else "no number"
    blocks = [
        b.section(f"*{b.escaped(one.name)}*\n{now}"),
        b.context("That you looked at it is noted in the contact's history."),
    ]
    return b.modal("Phone number", blocks, callback_id=VIEW, metadata="{}")


def _history(_desk: AppContext, session: Session, _actor: Actor, one: ContactCard) -> Block:
    rows = audit.load_history(session, Subject("contact", one.contact_id), limit=_LINES + 1)
    lines = [b.section(_line(row)) for row in rows[:_LINES]] or [
        b.section("Nothing was done to this contact here yet.")
    ]
    older = [b.context("What is older is kept, and not shown here.")] if len(rows) > _LINES else []
    head = b.section(f"*{b.escaped(one.name)}*, newest first")
    blocks = [head, b.divider(), *lines, *older]
    return b.modal("History", blocks, callback_id=VIEW, metadata="{}")


def _line(row: Audit) -> str:
    return f"{b.date(row.at, style='{date_short}, {time}')} · {_who(row.actor)}\n{_what(row)}"


def _who(actor: str) -> str:
    """A Slack user, or one of the machines that act: the sync, a provider, the command line."""
    if actor in {"sync", "cli"}:
        return say(f"contact_more.machine.{actor}")
    return b.mention(actor) or b.escaped(actor.title())


def _what(row: Audit) -> str:
    action = row.action.replace(".", "_")
    known = f"contact_more.done.{action}" in sentences()
    done = _change(row, say(f"contact_more.done.{action}") if known else action.replace("_", " "))
    return f"{done}: {b.escaped(row.reason)}" if row.reason else done


def _change(row: Audit, done: str) -> str:
    """What was done, and from what to what where both are values; a removal says of whom in words of its own."""
    if row.action.startswith("contact."):
        return f"{done} from all students" if row.after == "all students" else f"{done} from one student"
    before, after = _value(row.before), _value(row.after)
    if before and after:
        return f"{done}: {before} → {after}"
    return f"{done}: {after}" if after else done


def _value(value: str | None) -> str:
    return say(f"method.{value}") if value in list(ContactMethod) else b.escaped(value or "")


_SHOWN = {SHOW_NUMBER: _number, HISTORY: _history}
