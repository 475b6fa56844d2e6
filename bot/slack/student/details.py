"""What one contact shows on request: the full number in place, which is recorded, and behind the three dots the history."""

from collections.abc import Mapping
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot.cleanup_list.student import ContactCard, load_student
from bot.cleanup_list.tried_numbers import load_untried_numbers
from bot.db import audit
from bot.db.audit import Subject
from bot.db.models.base import ContactMethod
from bot.db.models.edits import Audit
from bot.domain import display
from bot.mass_messages.wrong_person import DEACTIVATIONS
from bot.slack.kit import blocks as b
from bot.slack.kit import respond
from bot.slack.kit.blocks import METHOD_NAMES, Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.private_metadata import outdated, read_ids, read_origin
from bot.slack.student import contact_text, ids, script
from bot.slack.student import view as student_view
from bot.slack.student.contact_dialog import ContactDialog, open_dialog
from bot.slack.student.view import Shown

VIEW = "contact.more_shown"
_MAX_ENTRIES = 40
_PROCESSES = {"sync": "Student information system", "cli": "The district's server", DEACTIVATIONS: "Carriers"}
_ACTIONS = {
    "contact.new_id": "Came back under another id in the student information system",
    "removal.absorbed": "The student information system removed this contact, too",
    "edit.reverted": "The student information system took the number back",
    "phone.changed": "Number changed",
    "method.changed": "Contact method changed",
    "phone.undone": "Change of the number undone",
    "method.undone": "Change of the contact method undone",
    "phone.shown": "Looked at the full number",
    "call.logged": "Called",
    "call.undone": "Took a logged call back",
    "contact.removed": "Removed",
    "contact.brought_back": "Brought back",
    "conflict.kept_ours": "Kept what was entered here",
    "conflict.took_sis": "Took what the student information system has",
    "edit.absorbed": "The student information system has this now",
    "edit.disputed": "The student information system has another value",
    "edit.resumed": "The student information system has its old value again",
    "claim.taken": "Takes care of this contact",
    "claim.freed": "Released",
    "opt_out.heard": "Texted STOP",
    "opt_out.recorded": "Told us to stop",
    "opt_in.heard": "Texted START",
    "wrong_person.recorded": "Wrong person: the number belongs to someone else",
    "wrong_person.reported": "Wrong person: the number was reassigned or given up",
    "wrong_person.lifted": "No longer Wrong person: the number was verified",
    "number.verified": "Number verified at the counter",
    "number.confirmed": "Number confirmed by the family in a call",
    "number.unconfirmed": "Took back that the family confirmed the number",
    "note.overruled": "Allowed texts in spite of a note in the student information system",
    "text.set_aside": "Read a text that is neither an opt-out nor of a wrong person",
}

# Recorded for every contact with the number.
_ABOUT_NUMBERS = {
    *("opt_out.heard", "opt_out.recorded", "opt_in.heard", "text.set_aside", "note.overruled"),
    *("wrong_person.recorded", "wrong_person.reported", "wrong_person.lifted"),
}


def register(app: App, ctx: AppContext, dialogs: Mapping[str, ContactDialog]) -> None:
    """Register *Show number* and the menu, whose choices open one of `dialogs`, by their action ids, a script, or the history."""

    @app.action(ids.SHOW_NUMBER)
    def press_show_number(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        _show_number(ctx, client, body, action["value"])

    @app.action(ids.MORE)
    def choose(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        choice, _, value = action["selected_option"]["value"].partition(" ")
        if choice == ids.SHOW_NUMBER:
            _show_number(ctx, client, body, value)
        elif choice in dialogs:
            open_dialog(ctx, client, body, dialogs[choice], value)
        elif choice == ids.SCRIPT:
            script.open_script(ctx, client, body, value)
        elif choice == ids.HISTORY:
            _show_history(ctx, client, body, value)
        else:
            raise outdated()


def _show_number(ctx: AppContext, client: WebClient, body: dict[str, Any], value: str) -> None:
    contact_id, first = read_ids(value, count=2)
    origin = read_origin(body["view"])
    with ctx.acting(client, body["user"]["id"]) as (session, actor):
        card = load_student(session, origin.student_id, actor=actor)
        contact = card.contact(contact_id)
        subject = Subject("contact", contact_id)
        audit.record(session, subject, actor=actor.user_id, action="phone.shown", now=ctx.now())
    number = contact_text.phone_link(contact.phone, ctx.settings.phone_region) if contact.phone else "no number"
    shown = Shown(first, healthy=first > 0 or contact_text.is_healthy(contact), numbers={contact_id: number})
    respond.update_dialog(client, body["view"]["id"], student_view.view(card, origin, ctx.settings, shown=shown))


def _show_history(ctx: AppContext, client: WebClient, body: dict[str, Any], value: str) -> None:
    (contact_id,) = read_ids(value, count=1)
    with ctx.acting(client, body["user"]["id"]) as (session, actor):
        student_id = read_origin(body["view"]).student_id
        view = _history(session, load_student(session, student_id, actor=actor).contact(contact_id))
    client.views_push(trigger_id=body["trigger_id"], view=view)


def _history(session: Session, contact: ContactCard) -> Block:
    rows = audit.load_history(session, Subject("contact", contact.contact_id), limit=_MAX_ENTRIES + 1)
    # A number that was only typed may be a stranger's, who texted STOP.
    untried = {display.masked(phone) for phone in load_untried_numbers(session, contact.contact_id)}
    shown = [row for row in rows[:_MAX_ENTRIES] if row.after not in untried or row.action not in _ABOUT_NUMBERS]
    lines = [b.section(_line(row)) for row in shown]
    blocks = [
        b.section(f"*{b.escaped(contact.name)}*, newest first"),
        b.divider(),
        *(lines or [b.section("Nothing was done to this contact here yet.")]),
        *([b.context("Older entries are kept, but not shown here.")] if len(rows) > _MAX_ENTRIES else []),
    ]
    return b.modal("History", blocks, callback_id=VIEW, metadata="{}")


def _line(row: Audit) -> str:
    who = _PROCESSES.get(row.actor) or b.mention(row.actor) or b.escaped(row.actor.title())
    what = _ACTIONS.get(row.action, row.action.replace(".", " ").replace("_", " "))
    before, after = _value(row.before), _value(row.after)
    if row.action.startswith("contact."):
        what += " from all students" if row.after == "all students" else " from one student"
    elif before and after:
        what += f": {before} → {after}"
    elif after:
        what += f": {after}"
    if row.reason:
        what += f": {b.escaped(row.reason)}"
    return f"{b.date(row.at, style='{date_short}, {time}')} · {who}\n{what}"


def _value(value: str | None) -> str:
    return METHOD_NAMES[ContactMethod(value)] if value in list(ContactMethod) else b.escaped(value or "")
