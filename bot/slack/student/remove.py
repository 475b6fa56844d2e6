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
        drawn = student_view.view(card, origin, done=say("remove_dialog.removed"))
        student_dialog.redraw(client, body["view"].get("previous_view_id"), drawn)
        ack()

    app.view(CONFIRM)(ack=remove, lazy=[open_views.refresher(desk)])


def view(card: StudentCard, one: ContactCard, touches: Impact, origin: DialogOrigin) -> Block:
    metadata, student = DialogTarget.of(one, origin).as_metadata(), b.escaped(card.student.name)
    reasons = [b.option(say(f"remove_dialog.reason.{reason}"), reason) for reason in REASONS]
    blocks = [
        *_from_whom(card, b.escaped(one.name), touches),
        _choice(REASON, say("remove_dialog.why"), reasons, initial=None),
        *([b.context(say("remove_dialog.no_other", student=student))] if len(card.contacts) == 1 else []),
    ]
    title, submit = say("remove_dialog.title"), say("remove_dialog.remove")
    return b.modal(title, blocks, callback_id=CONFIRM, metadata=metadata, submit=submit)


def _from_whom(card: StudentCard, name: str, touches: Impact) -> list[Block]:
    """A choice between this student and all; without one where there is no other, or one whom the reader may not see."""
    if not touches.siblings or touches.more_siblings:
        about = say("remove_dialog.about_one", name=name, student=b.escaped(card.student.name))
        return [b.section(about), *map(b.context, impact.untouched(touches))]
    others = len(touches.siblings)
    every = say("remove_dialog.both") if others == 1 else say("remove_dialog.all", count=others + 1)
    scopes = [b.option(say("remove_dialog.only", student=card.student.name), "one"), b.option(every, "all")]
    return [
        b.section(say("remove_dialog.about_chosen", name=name)),
        _choice(SCOPE, say("remove_dialog.scope"), scopes, initial=0),
    ]


def _choice(block_id: str, label: str, options: list[Block], *, initial: int | None) -> Block:
    element: Block = {"type": "radio_buttons", "action_id": _INPUT, "options": options}
    return {
        "type": "input",
        "block_id": block_id,
        "label": b.plain(label),
        "element": element if initial is None else element | {"initial_option": options[initial]},
    }
