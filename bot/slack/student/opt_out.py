"""The dialog for a spoken STOP: on which day they said so. It says whom it touches and that only the contact can take it back."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from bot import access
from bot.cleanup_list.cards import ContactCard
from bot.cleanup_list.impact import Impact, load_impact
from bot.cleanup_list.student import load_student
from bot.contact_edits.opt_out import record_verbal_opt_out
from bot.domain import phone
from bot.errors import UserError
from bot.slack import open_views
from bot.slack.kit import blocks as b
from bot.slack.kit import impact
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.private_metadata import DialogOrigin, DialogTarget, read_origin, read_target
from bot.slack.student import dialog as student_dialog
from bot.slack.student import view as student_view
from bot.slack.student.view import SPOKEN_STOP

CONFIRM = "contact.stop_confirmed"
SAID_ON = "said_on"
"""Block id, which is also the field that an error names."""
_INPUT = "value"
_OLDEST = timedelta(days=366)


def register(app: App, desk: AppContext) -> None:
    @app.action(SPOKEN_STOP)
    def ask(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        origin, contact_id = read_origin(body["view"]), int(action["value"])
        with desk.acting(client, body["user"]["id"]) as (session, actor):
            access.require_editor(actor)
            card = load_student(session, origin.student_id, actor=actor)
            touches = load_impact(session, contact_id, actor=actor, student_id=origin.student_id)
        start = phone.describe_opt_in_number(desk.settings.opt_in_number, desk.settings.phone_region)
        drawn = view(card.contact(contact_id), touches, origin, start=start, today=actor.today)
        client.views_push(trigger_id=body["trigger_id"], view=drawn)

    def record(ack: Ack, body: dict[str, Any], client: WebClient, context: BoltContext) -> None:
        target = read_target(body["view"])
        origin = target.origin
        chosen = date.fromisoformat(body["view"]["state"]["values"][SAID_ON][_INPUT]["selected_date"])
        with desk.acting(client, body["user"]["id"]) as (session, actor):
            stopped = record_verbal_opt_out(
                session,
                target.contact_id,
                student_id=origin.student_id,
                version=target.version,
                said_at=_end_of(chosen, actor.today, desk.settings.zone),
                actor=actor,
                now=desk.now(),
            )
            card = load_student(session, origin.student_id, actor=actor)
        open_views.changed(context, origin.list_id)
        done = f"Recorded: no more texts to {b.masked(stopped)}."
        student_dialog.redraw(client, body["view"].get("previous_view_id"), student_view.view(card, origin, done=done))
        ack()

    app.view(CONFIRM)(ack=record, lazy=[open_views.refresher(desk)])


def _end_of(chosen: date, today: date, zone: ZoneInfo) -> datetime:
    if chosen > today:
        raise UserError(
            "opt_out.to_come", "That day is still to come. Choose the day on which they said so.", field=SAID_ON
        )
    if chosen < today - _OLDEST:
        raise UserError(
            "opt_out.too_old", "That is more than a year ago. Ask them again, then record it.", field=SAID_ON
        )
    return datetime.combine(chosen, time.max, zone)


def view(one: ContactCard, touches: Impact, origin: DialogOrigin, *, start: str, today: date) -> Block:
    metadata = DialogTarget.of(one, origin).as_metadata()
    name, number = b.escaped(one.name), b.masked(one.phone)
    blocks = [
        b.section(
            f"*{name}* · {number} gets no more texts, from the next mass message on.\n🛑 *Nobody here can "
            f"take that back.* Only the contact can, with a text *START* to *{start}* from that phone."
        ),
        {
            "type": "input",
            "block_id": SAID_ON,
            "label": b.plain("When did they say so?"),
            "element": {"type": "datepicker", "action_id": _INPUT, "initial_date": today.isoformat()},
        },
        *(b.context(line) for line in impact.sharing(touches, "theirs gets no more texts either.")),
    ]
    title, submit = "They told us to stop", "Record"
    return b.modal(title, blocks, callback_id=CONFIRM, metadata=metadata, submit=submit)
