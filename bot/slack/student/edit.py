"""The edit dialog: phone and contact method of one contact, and whom else that touches. It shows the whole number, which is noted.

Its metadata is the contact's id and version; whoever saves second is shown what the first one saved, and chooses.
"""

from dataclasses import dataclass, replace
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot import access, audit
from bot.access import Actor
from bot.audit import Subject
from bot.cleanup_list.cards import ContactCard
from bot.cleanup_list.impact import Impact, load_impact
from bot.cleanup_list.student import load_student
from bot.contact_edits.change import SavedChange, change_contact
from bot.contact_edits.locking import VersionConflict
from bot.db.models.base import ContactMethod
from bot.domain.phone import describe_opt_in_number, format_number
from bot.domain.sms_status import SmsStatus
from bot.slack import open_views
from bot.slack.kit import blocks as b
from bot.slack.kit import impact
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.private_metadata import DialogOrigin, DialogTarget, read_origin, read_target
from bot.slack.student import dialog as student_dialog
from bot.slack.student import view as student_view
from bot.slack.student.view import EDIT
from bot.wording import say

SAVE = "contact.save"
PHONE, METHOD = "phone", "method"
"""Block ids, which are also the fields that an error names."""
_INPUT = "value"


@dataclass(frozen=True)
class Typed:
    """What stands in the fields: the phone as written, the method's word."""

    phone: str | None
    method: str


@dataclass(frozen=True)
class Overtaken:
    """Somebody else saved first: who, and what this person had typed by then."""

    by: str | None
    typed: Typed


@dataclass(frozen=True)
class Form:
    """One contact in the edit dialog, as it is in the database now."""

    contact: ContactCard
    touches: Impact
    origin: DialogOrigin
    region: str
    opt_in_number: str | None
    overtaken: Overtaken | None = None


def register(app: App, desk: AppContext) -> None:
    @app.action(EDIT)
    def edit(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        origin, contact_id = read_origin(body["view"]), int(action["value"])
        with desk.acting(client, body["user"]["id"]) as (session, actor):
            access.require_editor(actor)
            form = _form(desk, session, actor, contact_id, origin)
            shown = Subject("contact", contact_id)
            audit.record(session, shown, actor=actor.user_id, action="phone.shown", now=desk.now())
        client.views_push(trigger_id=body["trigger_id"], view=view(form))

    def save(ack: Ack, body: dict[str, Any], client: WebClient, context: BoltContext) -> None:
        target = read_target(body["view"])
        origin = target.origin
        typed = _typed(body["view"])
        try:
            with desk.acting(client, body["user"]["id"]) as (session, actor):
                done = _change(desk, session, actor, target, typed)
                card = load_student(session, origin.student_id, actor=actor)
        except VersionConflict as stale:
            with desk.acting(client, body["user"]["id"]) as (session, actor):
                form = _form(desk, session, actor, target.contact_id, origin)
            ack(response_action="update", view=view(replace(form, overtaken=Overtaken(stale.by, typed))))
            return
        open_views.changed(context, origin.list_id)
        student_dialog.redraw(
            client, body["view"].get("previous_view_id"), student_view.view(card, origin, done=_saved(done))
        )
        ack()

    app.view(SAVE)(ack=save, lazy=[open_views.refresher(desk)])


def _change(desk: AppContext, session: Session, actor: Actor, target: DialogTarget, typed: Typed) -> SavedChange:
    return change_contact(
        session,
        target.contact_id,
        version=target.version,
        phone=typed.phone,
        method=typed.method,
        actor=actor,
        region=desk.settings.phone_region,
        opt_in_number=desk.settings.opt_in_number,
        now=desk.now(),
    )


def _form(desk: AppContext, session: Session, actor: Actor, contact_id: int, origin: DialogOrigin) -> Form:
    card = load_student(session, origin.student_id, actor=actor)
    found = card.contact(contact_id)
    touches = load_impact(session, contact_id, actor=actor, student_id=origin.student_id)
    return Form(found, touches, origin, desk.settings.phone_region, desk.settings.opt_in_number)


def _typed(view: dict[str, Any]) -> Typed:
    values = view["state"]["values"]
    return Typed(values[PHONE][_INPUT]["value"], values[METHOD][_INPUT]["selected_option"]["value"])


def view(form: Form) -> Block:
    one = form.contact
    metadata = DialogTarget.of(one, form.origin).as_metadata()
    blocks = [
        b.section(f"*{b.escaped(one.name)}*{' · ' + b.escaped(one.relationship) if one.relationship else ''}"),
        *_overtaken(form),
        *_opted_out(form),
        _phone_input(form),
        _method_input(form),
        *_touches(form.touches),
    ]
    return b.modal("Edit contact", blocks, callback_id=SAVE, metadata=metadata, submit="Save")


def _phone_input(form: Form) -> Block:
    now = format_number(form.contact.phone, form.region) if form.contact.phone else None
    element: Block = {
        "type": "plain_text_input",
        "action_id": _INPUT,
        "max_length": 60,
        "placeholder": b.plain("(312) 555-0142" if form.region == "US" else "With area code, or + and the country"),
    }
    shown = form.overtaken.typed.phone if form.overtaken else now
    return {
        "type": "input",
        "block_id": PHONE,
        "optional": True,
        "label": b.plain("Phone number"),
        "hint": b.plain("Leave empty if there is no number that could be texted."),
        "element": element | {"initial_value": shown} if shown else element,
    }


def _method_input(form: Form) -> Block:
    """Text, call or e-mail; without an address e-mail is not offered, and it says why."""
    chosen = form.overtaken.typed.method if form.overtaken else form.contact.method
    has_email = form.contact.email is not None or chosen == ContactMethod.EMAIL
    options = [
        b.option(say(f"method.{one}"), one, description=say(f"edit_dialog.method_hint.{one}"))
        for one in ContactMethod
        if one is not ContactMethod.EMAIL or has_email
    ]
    block: Block = {
        "type": "input",
        "block_id": METHOD,
        "label": b.plain("Contact method"),
        "element": {
            "type": "radio_buttons",
            "action_id": _INPUT,
            "options": options,
            "initial_option": next(one for one in options if one["value"] == chosen),
        },
    }
    return (
        block
        if has_email
        else block
        | {"hint": b.plain("E-mail can be chosen once the student information system has an address of theirs.")}
    )


def _overtaken(form: Form) -> list[Block]:
    if form.overtaken is None:
        return []
    one, by = form.contact, form.overtaken.by
    name = b.mention(by) or "The student information system"
    now = format_number(one.phone, form.region) if one.phone else "no number"
    return [b.section(say("edit_dialog.overtaken", who=name, phone=now, method=say(f"method.{one.method}").lower()))]


def _opted_out(form: Form) -> list[Block]:
    if form.contact.status is not SmsStatus.OPT_OUT:
        return []
    number = describe_opt_in_number(form.opt_in_number, form.region)
    return [
        b.section(
            "🛑 *This number said STOP. Nobody here can lift that.* To get texts again, the contact must "
            f"text *START* to *{number}* from that phone. Until then, use another number, or call or "
            "e-mail."
        ),
        *map(b.context, student_view.recorded(form.contact)),
    ]


def _touches(touches: Impact) -> list[Block]:
    lines = [*impact.siblings(touches), *impact.sharing(touches, "theirs stays.")]
    return [b.context(*lines)] if lines else []


def _saved(done: SavedChange) -> str:
    method = say(f"method.{done.method}").lower()
    saved = f"Saved: {b.escaped(done.name)}, {method}, {b.masked(done.phone)}."
    return " ".join([saved, *_what_follows(done)])


def _what_follows(done: SavedChange) -> list[str]:
    if done.method is not ContactMethod.TEXT:
        from_now_on = say(f"edit_dialog.no_texts.{done.method}")
        return [from_now_on, *(["The next mass message takes them off the list."] if done.is_listed else [])]
    if not done.phone:
        return [
            (
                "They stay on the list until there is a number."
                if done.is_listed
                else "They get no texts until there is a number."
            )
        ]
    return ["They leave the list when a text arrives."] if done.is_listed else []
