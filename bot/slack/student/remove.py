"""The remove dialog: this student or all, and why. The removal survives every sync, and can be undone."""

from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from bot import access
from bot.cleanup_list.cards import ContactCard, StudentCard
from bot.cleanup_list.impact import Impact, load_impact
from bot.cleanup_list.student import load_student
from bot.contact_edits.remove import remove_contact
from bot.slack import open_views
from bot.slack.kit import blocks as b
from bot.slack.kit import impact
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.private_metadata import DialogOrigin, DialogTarget, read_origin, read_target
from bot.slack.student import dialog as student_dialog
from bot.slack.student import view as student_view
from bot.slack.student.view import REMOVE
from bot.wording import say

CONFIRM = "contact.remove_confirmed"
SCOPE, REASON = "scope", "reason"
_INPUT = "value"
REASONS = ("wrong_person", "not_a_contact", "duplicate", "asked", "custody")
"""Why, chosen and never typed: free text about families is not kept."""


def register(app: App, desk: AppContext) -> None:
    @app.action(REMOVE)
    def ask(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        origin, contact_id = read_origin(body["view"]), int(action["value"])
        with desk.acting(client, body["user"]["id"]) as (session, actor):
            access.require_editor(actor)
            card = load_student(session, origin.student_id, actor=actor)
            touches = load_impact(session, contact_id, actor=actor, student_id=origin.student_id)
        client.views_push(trigger_id=body["trigger_id"], view=view(card, card.contact(contact_id), touches, origin))

    def remove(ack: Ack, body: dict[str, Any], client: WebClient, context: BoltContext) -> None:
        target, values = read_target(body["view"]), body["view"]["state"]["values"]
        origin = target.origin
        everywhere = SCOPE in values and values[SCOPE][_INPUT]["selected_option"]["value"] == "all"
        reason = say(f"remove_dialog.reason.{values[REASON][_INPUT]['selected_option']['value']}")
        with desk.acting(client, body["user"]["id"]) as (session, actor):
            remove_contact(
                session,
                target.contact_id,
                student_id=None if everywhere else origin.student_id,
                version=target.version,
                reason=reason,
                actor=actor,
                now=desk.now(),
            )
            card = load_student(session, origin.student_id, actor=actor)
        open_views.changed(context, origin.list_id)
        drawn = student_view.view(card, origin, done="Removed. *Undo* below brings the contact back.")
        student_dialog.redraw(client, body["view"].get("previous_view_id"), drawn)
        ack()

    app.view(CONFIRM)(ack=remove, lazy=[open_views.refresher(desk)])


def view(card: StudentCard, one: ContactCard, touches: Impact, origin: DialogOrigin) -> Block:
    metadata, student = DialogTarget.of(one, origin).as_metadata(), b.escaped(card.student.name)
    reasons = [b.option(say(f"remove_dialog.reason.{reason}"), reason) for reason in REASONS]
    blocks = [
        *_from_whom(card, b.escaped(one.name), touches),
        _choice(REASON, "Why?", reasons, initial=None),
        *([b.context(f"⚠️ {student} has no other contact.")] if len(card.contacts) == 1 else []),
    ]
    title, submit = "Remove contact", "Remove"
    return b.modal(title, blocks, callback_id=CONFIRM, metadata=metadata, submit=submit)


def _from_whom(card: StudentCard, name: str, touches: Impact) -> list[Block]:
    """A choice between this student and all; without one where there is no other, or one whom the reader may not see."""
    if not touches.siblings or touches.more_siblings:
        about = f"*{name}* will get no more messages about {b.escaped(card.student.name)}. You can undo this later."
        return [b.section(about), *map(b.context, impact.untouched(touches))]
    others = len(touches.siblings)
    every = "Both students of this contact" if others == 1 else f"All {others + 1} students of this contact"
    scopes = [b.option(f"Only {card.student.name}", "one"), b.option(every, "all")]
    return [
        b.section(f"*{name}* will get no more messages about the students chosen here. You can undo this later."),
        _choice(SCOPE, "Remove from", scopes, initial=0),
    ]


def _choice(block_id: str, label: str, options: list[Block], *, initial: int | None) -> Block:
    element: Block = {"type": "radio_buttons", "action_id": _INPUT, "options": options}
    return {
        "type": "input",
        "block_id": block_id,
        "label": b.plain(label),
        "element": element if initial is None else element | {"initial_option": options[initial]},
    }
