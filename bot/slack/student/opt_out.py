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
from bot.wording import say

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
        start = phone.our_number(desk.settings.opt_in_number, desk.settings.phone_region)
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
        done = say("stop_dialog.recorded", number=b.masked(stopped))
        student_dialog.redraw(client, body["view"].get("previous_view_id"), student_view.view(card, origin, done=done))
        ack()

    app.view(CONFIRM)(ack=record, lazy=[open_views.refresher(desk)])


def _end_of(chosen: date, today: date, zone: ZoneInfo) -> datetime:
    if chosen > today:
        raise UserError(say("stop_dialog.to_come"), field=SAID_ON)
    if chosen < today - _OLDEST:
        raise UserError(say("stop_dialog.too_old"), field=SAID_ON)
    return datetime.combine(chosen, time.max, zone)


def view(one: ContactCard, touches: Impact, origin: DialogOrigin, *, start: str, today: date) -> Block:
    metadata = DialogTarget.of(one, origin).as_metadata()
    name, number = b.escaped(one.name), b.masked(one.phone)
    blocks = [
        b.section(say("stop_dialog.what_it_means", name=name, number=number, start=start)),
        {
            "type": "input",
            "block_id": SAID_ON,
            "label": b.plain(say("stop_dialog.when")),
            "element": {"type": "datepicker", "action_id": _INPUT, "initial_date": today.isoformat()},
        },
        *(b.context(line) for line in impact.sharing(touches, say("stop_dialog.theirs_too"))),
    ]
    title, submit = say("stop_dialog.title"), say("stop_dialog.record")
    return b.modal(title, blocks, callback_id=CONFIRM, metadata=metadata, submit=submit)
