"""Verify now: a contact who is here, or on the phone, proves a number. The dialog shows a code, and the clock redraws it after the text.

*Verify now* stands in the edit form where texts of families reach us: with a provider's secret and OPT_IN_NUMBER.
"""

from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.cleanup_list.impact import load_impact
from bot.cleanup_list.student import ContactCard, load_student
from bot.contact_edits.change import SavedChange
from bot.contact_edits.counter import VALID, CodeDialog, claim_dialog, confirm_number, issue_code
from bot.db import outbox
from bot.db.models.counter import CounterCode, CounterState
from bot.db.models.edits import EditField
from bot.domain import phone
from bot.domain.sms_status import SmsStatus
from bot.errors import UserError
from bot.providers import registry
from bot.settings import Settings
from bot.slack.kit import api_errors, outbox_worker
from bot.slack.kit import blocks as b
from bot.slack.kit.api_errors import Outcome, Result
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.open_views import REDRAW, Notice, OpenDialog, Redraw
from bot.slack.kit.private_metadata import DialogOrigin, DialogTarget, read_ids, read_origin
from bot.slack.student import ids
from bot.slack.student.contact_dialog import sharing_number
from bot.slack.student.notice import saved_notice

VIEW = "contact.verify"
_MINUTES = VALID.seconds // 60
# Redraws what is on screen behind the dialog, for a user.
RedrawAll = Callable[[AppContext, WebClient, str, Redraw], None]


def is_offered(settings: Settings) -> bool:
    """Return whether a family can text us: the number is known, and a provider forwards texts to it."""
    return bool(settings.opt_in_number) and any(
        settings.secret(provider.SECRET) for provider in registry.BY_NAME.values()
    )


def button(contact: ContactCard, settings: Settings) -> list[Block]:
    """Return *Verify now* for the edit form."""
    if not is_offered(settings):
        return []
    here = b.button("Verify now", ids.VERIFY_NOW, str(contact.contact_id), label=f"Verify the number of {contact.name}")
    sentence = (
        f"*Is {b.escaped(contact.name)} here?* They text us a code, and we enter the number it came from. *On the phone?* "
        "Record that they confirmed the number."
    )
    return [b.section(sentence, accessory=here)]


def register(app: App, ctx: AppContext, *, refresh: Callable[..., None]) -> None:
    @app.action(ids.VERIFY_NOW)
    def verify_now(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        (contact_id,) = read_ids(action["value"], count=1)
        origin = read_origin(body["view"])
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            contact = load_student(session, origin.student_id, actor=actor).contact(contact_id)
            dialog = CodeDialog(contact_id, origin.student_id, origin.list_id, _student_view(origin, body["view"]))
            code = issue_code(session, dialog, actor=actor, now=ctx.now())
            view = _draw_code(code, contact, origin, ctx.settings)
        client.views_update(view_id=body["view"]["id"], view=view)

    def confirm(
        ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any], context: BoltContext
    ) -> None:
        ack()
        contact_id, version = read_ids(action["value"], count=2)
        origin = read_origin(body["view"])
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            of_student = {"student_id": origin.student_id, "version": version}
            number = confirm_number(session, contact_id, **of_student, actor=actor, now=ctx.now())
            name = load_student(session, origin.student_id, actor=actor).contact(contact_id).name
        done = Notice(f"Confirmed: {b.escaped(name)} has {b.masked(number)}.")
        behind = _student_view(origin, body["view"])
        dialog = OpenDialog(behind, origin.student_id) if behind else None
        context[REDRAW] = Redraw(origin.list_id, dialog, done)
        client.views_update(view_id=body["view"]["id"], view=_draw_done(done, [], origin))

    app.action(ids.NUMBER_CONFIRMED)(ack=confirm, lazy=[refresh])


def _student_view(origin: DialogOrigin, view: dict[str, Any]) -> str | None:
    return None if origin.is_direct else view.get("previous_view_id")


def _draw_code(code: CounterCode, contact: ContactCard, origin: DialogOrigin, settings: Settings) -> Block:
    number = phone.describe_opt_in_number(settings.opt_in_number, settings.phone_region)
    blocks = [
        b.section(f"*{b.escaped(contact.name)}* texts this code from their phone:"),
        b.header(code.code),
        b.section(f"to *{number}*"),
        b.context(
            f"The code counts once, for {_MINUTES} minutes. This dialog shows when the text has arrived; you can close it, too. "
            "We send no text."
        ),
        *_confirm_button(contact),
    ]
    target = DialogTarget(contact.contact_id, contact.version, origin)
    view = b.modal("Verify now", blocks, callback_id=VIEW, metadata=target.as_metadata())
    return view | {"external_id": code.view_id}


def _confirm_button(contact: ContactCard) -> list[Block]:
    if not contact.phone:
        return []
    sentence = f"Only on the phone with them? If they confirm that {b.masked(contact.phone)} is theirs, record it."
    value = f"{contact.contact_id} {contact.version}"
    confirmed = b.button("They confirmed it", ids.NUMBER_CONFIRMED, value, label=f"{contact.name} confirmed the number")
    return [b.divider(), b.section(sentence, accessory=confirmed)]


def send_due(ctx: AppContext, client: WebClient, *, redraw: RedrawAll) -> int:
    """Redraw every dialog whose code was used or has ended, and after a text what is behind it; return how many."""
    return outbox_worker.send_each(ctx, (claim_dialog, lambda code: _show_outcome(ctx, client, code, redraw)))


def _show_outcome(ctx: AppContext, client: WebClient, code: CounterCode, redraw: RedrawAll) -> Result[Any] | None:
    prepared = api_errors.call(lambda: _prepare(ctx, client, code))
    if prepared.may_succeed_later:
        return outbox_worker.wait(ctx, code, prepared)
    if prepared.answer is None:
        outbox_worker.fail(ctx, code)
        return None
    view, done = prepared.answer
    result = api_errors.call(lambda: client.views_update(external_id=code.view_id, view=view))
    if result.ends_round:
        return outbox_worker.wait(ctx, code, result)
    # The dialog may be closed by now.
    outbox_worker.store(ctx, outbox.complete, code, CounterState.SHOWN)
    if done:
        below = code.student_view_id
        dialog = OpenDialog(below, code.student_id) if below else None
        redraw(ctx, client, code.clerk, Redraw(code.list_id, dialog, done))
    return Result(Outcome.DONE)


def _prepare(ctx: AppContext, client: WebClient, code: CounterCode) -> tuple[Block, Notice | None] | None:
    """Return the dialog after a text, with what was done, or after the end of the code; None if this person may not see it anymore."""
    origin = DialogOrigin(code.student_id, code.list_id, is_direct=code.student_view_id is None)
    try:
        with ctx.acting(client, code.clerk) as (session, actor):
            contact = load_student(session, code.student_id, actor=actor).contact(code.contact_id)
            if code.used_at is None:
                return _draw_end(contact, code, origin), None
            done = _notice(session, contact, code, ctx.settings)
            return _draw_done(done, _advice(session, contact, actor, ctx.settings), origin), done
    except UserError:
        return None


def _draw_end(contact: ContactCard, code: CounterCode, origin: DialogOrigin) -> Block:
    sentence = (
        f"*No text with the code arrived from {b.escaped(contact.name)} within {_MINUTES} minutes.* Nothing was changed. If it fails "
        "again, press *Edit* and type the number. The provider may not forward texts to us."
    )
    if code.expires_at < code.issued_at + VALID:
        sentence = (
            "*The code came, but was not taken*: many phones texted wrong codes meanwhile, as if to guess it. Nothing was "
            "changed. Press *New code*, or *Edit* and type the number."
        )
    value = str(contact.contact_id)
    buttons = [b.button("New code", ids.VERIFY_NOW, value), b.button("Edit", ids.EDIT, value)]
    blocks = [b.section(sentence), *b.actions(buttons)]
    return b.modal("Verify now", blocks, callback_id=VIEW, metadata=origin.as_metadata())


def _draw_done(done: Notice, advice: list[Block], origin: DialogOrigin) -> Block:
    blocks = [b.section(f"✅ {done.sentence}"), *advice]
    return b.modal("Verified", blocks, callback_id=VIEW, metadata=origin.as_metadata())


def _notice(session: Session, contact: ContactCard, code: CounterCode, settings: Settings) -> Notice:
    """Say what the text did: the edit that it made, or that the contact had the number already."""
    edits = tuple(
        edit.edit_id for edit in contact.edits if edit.field is EditField.PHONE and edit.made_at == code.used_at
    )
    if not edits:
        return Notice(f"Verified at the counter: {b.escaped(contact.name)} has {b.masked(contact.phone)}.")
    fixes = contact.on_list and contact.status is not SmsStatus.OPT_OUT
    saved = SavedChange(contact.contact_id, contact.name, contact.phone, contact.method, edits, is_listed=fixes)
    done = saved_notice(session, saved, student_id=code.student_id, settings=settings)
    sentence = f"Verified at the counter. {done.sentence}"
    return Notice(sentence, undo=done.undo, copy=done.copy, leads_to_pending=done.leads_to_pending)


def _advice(session: Session, contact: ContactCard, actor: Actor, settings: Settings) -> list[Block]:
    """Return what to ask while the contact is here: about an opt-out, and about others with the number."""
    lines = []
    if contact.is_opted_out_by_note:
        lines.append(
            "📝 *A note in the student information system asks not to text this number.* Ask: “Do you want our texts?” If yes, open "
            "the student and press *Allow texts*. If no, press *Edit* and choose autocalls or email."
        )
    elif contact.status is SmsStatus.OPT_OUT:
        number = phone.describe_opt_in_number(settings.opt_in_number, settings.phone_region)
        lines.append(
            "🛑 *This number opted out (STOP), and stays so.* Ask: “Do you want our texts?” If yes, they text *START* to "
            f"*{number}* from that phone now. If no, press *Edit* and choose autocalls or email."
        )
    impact = load_impact(session, contact.contact_id, actor=actor)
    lines += sharing_number(impact, "ask whether they know these people. If not, press *Wrong person* there.")
    return [b.section(line) for line in lines]
