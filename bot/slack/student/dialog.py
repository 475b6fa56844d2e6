"""The student dialog: opened from a row of a list, and what one press of a button in it does. `view` draws it.

Where a student has one contact to fix, the row opens the edit form of that contact instead, which has a button to the dialog.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.cleanup_list.claims import CLAIM_DURATION, claim_contact, release_contact
from bot.cleanup_list.student import StudentCard, load_student
from bot.contact_edits.change import switch_to_call, use_suggested_number
from bot.contact_edits.confirmed_call import undo_call
from bot.contact_edits.conflicts import resolve_conflict
from bot.contact_edits.noted_number import allow_texts
from bot.contact_edits.remove import undo_removal
from bot.contact_edits.teacher_questions import ask_teacher
from bot.contact_edits.undo import undo_edit
from bot.contact_edits.wrong_person import verify_number
from bot.domain import display
from bot.errors import UserError
from bot.slack.kit import blocks as b
from bot.slack.kit import respond
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.open_views import REDRAW, Notice, OpenDialog, Redraw, remember_view
from bot.slack.kit.private_metadata import DialogOrigin, read_ids, read_origin
from bot.slack.list.rows import OPEN_STUDENT
from bot.slack.student import ids
from bot.slack.student import view as student_view
from bot.slack.student.contact_dialog import load_form
from bot.slack.student.edit import EditDialog
from bot.slack.student.notice import saved_notice
from bot.slack.student.view import Shown

# Does what a button's value names in the dialog of a student, and returns what was done.
Action = Callable[[AppContext, Session, str, Actor], Notice]


def register(app: App, ctx: AppContext, *, refresh: Callable[..., None]) -> None:
    @app.action(ids.SHOW_STUDENT)
    @app.action(OPEN_STUDENT)
    def open_student(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        student, _, text = action["value"].partition(" ")
        (student_id,) = read_ids(student, count=1)
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            card = load_student(session, student_id, actor=actor)
            list_id = remember_view(session, body, text, now=ctx.now())
            if action["action_id"] == ids.SHOW_STUDENT:
                # A contact to verify, or with a change, may be one without a problem.
                origin, shown = DialogOrigin(student_id, list_id), Shown(healthy=True)
                view = student_view.view(card, origin, ctx.settings, shown=shown)
            else:
                view = _form_or_student(ctx, session, card, list_id, actor)
        respond.open_dialog(client, body, view)

    @app.action(re.compile(rf"^{re.escape(ids.SIBLING)}\.\d+$"))
    def open_sibling(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        (student_id,) = read_ids(action["value"], count=1)
        show(body, client, DialogOrigin(student_id, read_origin(body["view"]).list_id))

    @app.action(ids.ALL_CONTACTS)
    def show_all_contacts(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        origin = read_origin(body["view"])
        show(body, client, DialogOrigin(origin.student_id, origin.list_id))

    @app.action(ids.MORE_CONTACTS)
    def show_more_contacts(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        (first,) = read_ids(action["value"], count=1)
        show(body, client, read_origin(body["view"]), Shown(first, healthy=first > 0))

    @app.action(ids.HEALTHY_CONTACTS)
    def show_healthy_contacts(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        show(body, client, read_origin(body["view"]), Shown(healthy=True))

    def show(body: dict[str, Any], client: WebClient, origin: DialogOrigin, shown: Shown | None = None) -> None:
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            card = load_student(session, origin.student_id, actor=actor)
        respond.update_dialog(client, body["view"]["id"], student_view.view(card, origin, ctx.settings, shown=shown))

    _register_actions(app, ctx, refresh)


def _register_actions(app: App, ctx: AppContext, refresh: Callable[..., None]) -> None:
    def register_action(action_id: str, act: Action) -> None:
        def press(
            ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any], context: BoltContext
        ) -> None:
            ack()
            origin = read_origin(body["view"])
            with ctx.acting(client, body["user"]["id"]) as (session, actor):
                done = act(ctx, session, action["value"], actor)
            dialog = OpenDialog(body["view"]["id"], origin.student_id)
            context[REDRAW] = Redraw(origin.list_id, dialog, done)

        app.action(action_id)(ack=press, lazy=[refresh])

    def register_undo_on_list(action_id: str, act: Action) -> None:
        def press(
            ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any], context: BoltContext
        ) -> None:
            ack()
            changed_id, _, text = action["value"].partition(" ")
            with ctx.acting(client, body["user"]["id"]) as (session, actor):
                done = act(ctx, session, changed_id, actor)
                list_id = remember_view(session, body, text, now=ctx.now())
            context[REDRAW] = Redraw(list_id, notice=done)

        app.action(action_id)(ack=press, lazy=[refresh])

    for action_id, act in _ACTIONS.items():
        register_action(action_id, act)
    register_undo_on_list(ids.UNDO_EDIT_ON_LIST, _ACTIONS[ids.UNDO_EDIT])
    register_undo_on_list(ids.UNDO_REMOVAL_ON_LIST, _ACTIONS[ids.UNDO_REMOVAL])
    register_undo_on_list(ids.UNDO_CALL_ON_LIST, _ACTIONS[ids.UNDO_CALL])


def _form_or_student(ctx: AppContext, session: Session, card: StudentCard, list_id: int, actor: Actor) -> Block:
    student_id, to_fix = card.student.student_id, card.to_fix
    if len(to_fix) != 1 or not actor.may_edit:
        return student_view.view(card, DialogOrigin(student_id, list_id), ctx.settings)
    origin = DialogOrigin(student_id, list_id, is_direct=True)
    return EditDialog().opened(ctx, session, load_form(session, card, to_fix[0].contact_id, origin, actor))


def _act_on_id(verb: Callable[..., object], done: str) -> Action:
    """Return the action of a button whose value is one id, which `verb` changes."""

    def act(ctx: AppContext, session: Session, value: str, actor: Actor) -> Notice:
        verb(session, *read_ids(value, count=1), actor=actor, now=ctx.now())
        return Notice(done)

    return act


def _switch_to_call(ctx: AppContext, session: Session, value: str, actor: Actor) -> Notice:
    contact_id, version = read_ids(value, count=2)
    saved = switch_to_call(session, contact_id, version=version, actor=actor, now=ctx.now())
    return saved_notice(session, saved, student_id=None, settings=ctx.settings)


def _use_suggested(ctx: AppContext, session: Session, value: str, actor: Actor) -> Notice:
    student_id, contact_id, version, *offered = read_ids(value, count=5)
    contact = load_student(session, student_id, actor=actor).contact(contact_id)
    name, suggestions = b.escaped(contact.name), contact.suggestions
    if not suggestions and contact.updated_by == actor.user_id:
        return Notice(f"{name} has {b.masked(contact.phone)}, as you changed it a moment ago.")
    suggestion = next(
        (suggestion for suggestion in suggestions if [suggestion.contact_id, suggestion.position] == offered), None
    )
    if suggestion is None:
        sentence = "That number is not suggested anymore, because something changed. Open the student again."
        raise UserError("student.not_suggested", sentence)
    phone = suggestion.phone
    saved = use_suggested_number(session, contact_id, version=version, phone=phone, actor=actor, now=ctx.now())
    return saved_notice(session, saved, student_id=student_id, settings=ctx.settings)


def _verified(ctx: AppContext, session: Session, value: str, actor: Actor) -> Notice:
    student_id, contact_id, version = read_ids(value, count=3)
    phone = verify_number(session, contact_id, version=version, student_id=student_id, actor=actor, now=ctx.now())
    return Notice(f"{b.masked(phone)} is no longer recorded as Wrong person.")


def _allow_texts(ctx: AppContext, session: Session, value: str, actor: Actor) -> Notice:
    student_id, contact_id, version = read_ids(value, count=3)
    phone = allow_texts(session, contact_id, version=version, student_id=student_id, actor=actor, now=ctx.now())
    return Notice(f"{b.masked(phone)} gets texts again, from the next mass message on.")


def _ask_teacher(ctx: AppContext, session: Session, value: str, actor: Actor) -> Notice:
    (student_id,) = read_ids(value, count=1)
    asked = ask_teacher(session, student_id, actor=actor, zone=ctx.settings.zone, now=ctx.now())
    when = "today" if asked.day == actor.today else f"on {display.short_day(asked.day, actor.today)}"
    return Notice(f"{b.escaped(asked.teacher)} gets a message {when}. The office gets the answer, to approve.")


_ACTIONS: dict[str, Action] = {
    ids.ASK_TEACHER: _ask_teacher,
    ids.UNDO_EDIT: _act_on_id(undo_edit, "Undone. The contact is as it was before."),
    ids.UNDO_REMOVAL: _act_on_id(undo_removal, "The contact is back."),
    ids.UNDO_CALL: _act_on_id(undo_call, "Undone. The call is not shown anymore; the history keeps it."),
    ids.KEEP_OURS: _act_on_id(partial(resolve_conflict, keep="ours"), "Kept what was entered here."),
    ids.TAKE_SIS: _act_on_id(partial(resolve_conflict, keep="sis"), "Took what the student information system has."),
    ids.SWITCH_TO_CALL: _switch_to_call,
    ids.USE_SUGGESTED: _use_suggested,
    ids.VERIFIED: _verified,
    ids.ALLOW_TEXTS: _allow_texts,
    ids.CLAIM: _act_on_id(
        claim_contact, f"It's yours for {CLAIM_DURATION.days} days. Colleagues see that you take care of it."
    ),
    ids.RELEASE: _act_on_id(release_contact, "Released."),
}
