"""What else there is to a contact, behind the three dots: the whole number, noted as seen, and everything that was done to it."""

from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot import audit, cleanup_list, phone
from bot.access import Actor
from bot.audit import Subject
from bot.cleanup_list import ContactCard
from bot.models import Audit
from bot.slack import blocks as b
from bot.slack.blocks import Block
from bot.slack.desk import Desk
from bot.slack.origin import origin_of
from bot.slack.student_view import HISTORY, MORE, SHOW_NUMBER
from bot.wording import METHODS

VIEW = "contact.more_shown"
_LINES = 40


def register(app: App, desk: Desk) -> None:
    @app.action(MORE)
    def show(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        what, contact_id = action["selected_option"]["value"].split()
        origin = origin_of(body["view"])
        with desk.acting(client, body["user"]["id"]) as (session, actor):
            card = cleanup_list.student_card(session, origin.student_id, actor=actor)
            drawn = _SHOWN[what](desk, session, actor, card.contact(int(contact_id)))
        client.views_push(trigger_id=body["trigger_id"], view=drawn)


def _number(desk: Desk, session: Session, actor: Actor, one: ContactCard) -> Block:
    audit.record(session, Subject("contact", one.contact_id), actor=actor.user_id, action="phone.shown", now=desk.now())
    now = phone.written(one.phone, desk.settings.phone_region) if one.phone else "no number"
    blocks = [
        b.section(f"*{b.escaped(one.name)}*\n{now}"),
        b.context("That you looked at it is noted in the contact's history."),
    ]
    return b.modal("Phone number", blocks, callback_id=VIEW, metadata="{}")


def _history(_desk: Desk, session: Session, _actor: Actor, one: ContactCard) -> Block:
    rows = audit.history(session, Subject("contact", one.contact_id), limit=_LINES + 1)
    lines = [b.section(_line(row)) for row in rows[:_LINES]] or [
        b.section("Nothing was done to this contact here yet.")
    ]
    older = [b.context("What is older is kept, and not shown here.")] if len(rows) > _LINES else []
    blocks = [b.section(f"*{b.escaped(one.name)}*, newest first"), b.divider(), *lines, *older]
    return b.modal("History", blocks, callback_id=VIEW, metadata="{}")


def _line(row: Audit) -> str:
    return f"{b.date(row.at, style='{date_short}, {time}')} · {_who(row.actor)}\n{_what(row)}"


def _who(actor: str) -> str:
    """A Slack user, or one of the machines that act: the sync, a provider, the command line."""
    machines = {"sync": "Student information system", "cli": "The district's server"}
    return b.mention(actor) or machines.get(actor, b.escaped(actor.title()))


def _what(row: Audit) -> str:
    said = _ACTIONS.get(row.action, row.action.replace(".", " ").replace("_", " "))
    reason = f": {b.escaped(row.reason)}" if row.reason else ""
    return f"{said}{_change(row)}{reason}"


def _change(row: Audit) -> str:
    """From what to what, where both are values; a removal says of whom in words of its own."""
    if row.action.startswith("contact."):
        return " from all students" if row.after == "all students" else " from one student"
    before, after = _value(row.before), _value(row.after)
    if before and after:
        return f": {before} → {after}"
    return f": {after}" if after else ""


def _value(value: str | None) -> str:
    return METHODS.get(value or "", b.escaped(value or ""))


_ACTIONS = {
    "phone.changed": "Number changed",
    "method.changed": "Contact method changed",
    "phone.undone": "Change of the number undone",
    "method.undone": "Change of the contact method undone",
    "phone.shown": "Looked at the whole number",
    "contact.removed": "Removed",
    "contact.brought_back": "Brought back after it was removed",
    "conflict.kept_ours": "Kept what was entered here",
    "conflict.took_sis": "Took what the student information system has",
    "edit.absorbed": "The student information system has this now",
    "edit.disputed": "The student information system has another value",
    "edit.resumed": "The student information system has its old value again",
    "claim.taken": "Has taken it on: takes care of this contact",
    "claim.freed": "Freed it: nobody in particular takes care of this contact",
    "opt_out.heard": "Said STOP by text",
    "opt_out.recorded": "Told us to stop",
    "opt_in.heard": "Said START by text",
}
_SHOWN = {SHOW_NUMBER: _number, HISTORY: _history}
