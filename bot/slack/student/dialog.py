"""The student dialog: opened from a row of a list, and what is done in it at one press. Its metadata is the student's id and the
id of the list behind it; what it shows is drawn in `student_view`.
"""

import logging
import re
from collections.abc import Callable
from datetime import datetime
from http.client import HTTPException
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy.orm import Session

from bot.access import Actor
from bot.cleanup_list.claims import CLAIM_DURATION, claim_contact, release_contact
from bot.cleanup_list.student import load_student
from bot.contact_edits.change import switch_to_call, use_suggested_number
from bot.contact_edits.conflicts import resolve_conflict
from bot.contact_edits.remove import undo_removal
from bot.contact_edits.undo import undo_edit
from bot.errors import UserError, describe_error
from bot.slack import open_views
from bot.slack.kit import api_errors, respond
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.private_metadata import DialogOrigin, read_origin
from bot.slack.list.rows import OPEN_STUDENT
from bot.slack.student.view import (
    FREE,
    FURTHER,
    KEEP_OURS,
    SIBLING,
    SWITCH_TO_CALL,
    TAKE,
    TAKE_SIS,
    UNDO_EDIT,
    UNDO_REMOVAL,
    USE_SUGGESTED,
    view,
)

logger = logging.getLogger(__name__)


def register(app: App, desk: AppContext) -> None:
    @app.action(OPEN_STUDENT)
    def open_student(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        student_id, _, filter_text = action["value"].partition(" ")
        with desk.acting(client, body["user"]["id"]) as (session, actor):
            card = load_student(session, int(student_id), actor=actor)
            origin = DialogOrigin(int(student_id), open_views.remember(session, body, filter_text, now=desk.now()))
        respond.open_dialog(client, body, view(card, origin))

    @app.action(re.compile(rf"^{re.escape(SIBLING)}\.\d+$"))
    def open_sibling(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        origin = DialogOrigin(int(action["value"]), read_origin(body["view"]).list_id)
        with desk.acting(client, body["user"]["id"]) as (session, actor):
            card = load_student(session, origin.student_id, actor=actor)
        redraw(client, body["view"]["id"], view(card, origin))

    @app.action(FURTHER)
    def show_further(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        origin = read_origin(body["view"])
        with desk.acting(client, body["user"]["id"]) as (session, actor):
            card = load_student(session, origin.student_id, actor=actor)
        redraw(client, body["view"]["id"], view(card, origin, first=int(action["value"])))

    refresh = open_views.refresher(desk)
    for action_id, act in _ACTS.items():
        app.action(action_id)(ack=_acting(desk, act), lazy=[refresh])


Act = Callable[[Session, str, Actor, datetime], str]
"""Does what a button's value names, and says what was done."""


def _acting(desk: AppContext, act: Act) -> Any:
    """A button of this dialog: do it, commit, and draw the dialog again with what was done."""

    def pressed(
        ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any], context: BoltContext
    ) -> None:
        ack()
        origin = read_origin(body["view"])
        with desk.acting(client, body["user"]["id"]) as (session, actor):
            done = act(session, action["value"], actor, desk.now())
            session.flush()
            card = load_student(session, origin.student_id, actor=actor)
        open_views.changed(context, origin.list_id)
        redraw(client, body["view"]["id"], view(card, origin, done=done))

    return pressed


def _undo_edit(session: Session, edit_id: str, actor: Actor, now: datetime) -> str:
    undo_edit(session, int(edit_id), actor=actor, now=now)
    return "Undone. The contact is as it was before."


def _undo_removal(session: Session, removal_id: str, actor: Actor, now: datetime) -> str:
    undo_removal(session, int(removal_id), actor=actor, now=now)
    return "The contact is back."


def _keep_ours(session: Session, edit_id: str, actor: Actor, now: datetime) -> str:
    resolve_conflict(session, int(edit_id), keep="ours", actor=actor, now=now)
    return "Kept what was entered here."


def _take_sis(session: Session, edit_id: str, actor: Actor, now: datetime) -> str:
    resolve_conflict(session, int(edit_id), keep="sis", actor=actor, now=now)
    return "Took what the student information system has."


def _switch_to_call(session: Session, target: str, actor: Actor, now: datetime) -> str:
    contact_id, version = map(int, target.split())
    done = switch_to_call(session, contact_id, version=version, actor=actor, now=now)
    return f"{b.escaped(done.name)} gets autocalls from now on, and no texts."


def _use_suggested(session: Session, target: str, actor: Actor, now: datetime) -> str:
    student_id, contact_id, version, other_id = map(int, target.split())
    one = load_student(session, student_id, actor=actor).contact(contact_id)
    if one.suggestion is None and one.updated_by == actor.user_id:
        return f"{b.escaped(one.name)} has {b.masked(one.phone)}, as you changed it a moment ago."
    if one.suggestion is None or one.suggestion.contact_id != other_id:
        raise UserError(
            "student.not_suggested",
            "That number is not suggested any more: something changed meanwhile. Open the student again.",
        )
    done = use_suggested_number(session, contact_id, version=version, phone=one.suggestion.phone, actor=actor, now=now)
    return (
        f"{b.escaped(done.name)} gets texts at {b.masked(done.phone)} from now on. The next mass "
        "message shows whether they arrive."
    )


def _take(session: Session, contact_id: str, actor: Actor, now: datetime) -> str:
    claim_contact(session, int(contact_id), actor=actor, now=now)
    return f"It's yours for {CLAIM_DURATION.days} days. Your colleagues see that you take care of it."


def _free(session: Session, contact_id: str, actor: Actor, now: datetime) -> str:
    release_contact(session, int(contact_id), actor=actor, now=now)
    return "Nobody in particular takes care of it now."


_ACTS: dict[str, Act] = {
    UNDO_EDIT: _undo_edit,
    UNDO_REMOVAL: _undo_removal,
    KEEP_OURS: _keep_ours,
    TAKE_SIS: _take_sis,
    SWITCH_TO_CALL: _switch_to_call,
    USE_SUGGESTED: _use_suggested,
    TAKE: _take,
    FREE: _free,
}


def redraw(client: WebClient, view_id: str | None, drawn: Block) -> None:
    """Show the dialog as it is now. Where that fails (it was closed, Slack hangs up) nothing is lost: the change is committed."""
    if view_id is None:
        return
    try:
        client.views_update(view_id=view_id, view=drawn)
    except SlackApiError as problem:
        logger.info("dialog could not be redrawn: %s", api_errors.error_code(problem))
    except (OSError, HTTPException) as problem:
        logger.info("dialog could not be redrawn: %s", describe_error(problem))
