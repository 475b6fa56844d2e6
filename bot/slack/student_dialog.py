"""The student dialog: every contact of one student with status and method; Edit, Remove, Undo, and the SIS's disagreements.

Its metadata is the student's id and the id of the list behind it. Numbers are masked here; the edit dialog shows them.
"""

import logging
from http.client import HTTPException
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy.orm import Session

from bot import cleanup_list, contact_edits, grade
from bot.access import Actor
from bot.cleanup_list import ContactCard, EditNote, Evidence, RemovedContact, StudentCard
from bot.errors import traced
from bot.models import ContactMethod, EditField, EditState
from bot.slack import blocks as b
from bot.slack import open_list
from bot.slack.blocks import Block
from bot.slack.desk import Desk
from bot.slack.list_rows import OPEN_STUDENT
from bot.slack.origin import Origin, origin_of
from bot.sms_status import meaning
from bot.wording import METHODS

logger = logging.getLogger(__name__)

VIEW = "student.dialog"
EDIT, REMOVE, SPOKEN_STOP = "contact.edit", "contact.remove", "contact.spoken_stop"
UNDO_EDIT, UNDO_REMOVAL = "edit.undo", "removal.undo"
KEEP_OURS, TAKE_SIS = "conflict.keep_ours", "conflict.take_sis"
_CONTACTS, _REMOVED = 20, 10


def register(app: App, desk: Desk) -> None:
    @app.action(OPEN_STUDENT)
    def open_student(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        student_id, _, filter_text = action["value"].partition(" ")
        with desk.acting(client, body["user"]["id"]) as (session, actor):
            card = cleanup_list.student_card(session, int(student_id), actor=actor)
            origin = Origin(int(student_id), open_list.remember(session, body, filter_text, now=desk.now()))
        client.views_open(trigger_id=body["trigger_id"], view=view(card, origin))

    refresh = open_list.refresher(desk)
    for action_id, act in _ACTS.items():
        app.action(action_id)(ack=_acting(desk, act), lazy=[refresh])


def _acting(desk: Desk, act: Any) -> Any:
    """A button of this dialog: do it, commit, and draw the dialog again with what was done."""

    def pressed(
        ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any], context: BoltContext
    ) -> None:
        ack()
        origin = origin_of(body["view"])
        with desk.acting(client, body["user"]["id"]) as (session, actor):
            done = act(session, int(action["value"]), actor, desk.now())
            session.flush()
            card = cleanup_list.student_card(session, origin.student_id, actor=actor)
        open_list.changed(context, origin.list_id)
        redraw(client, body["view"]["id"], view(card, origin, done=done))

    return pressed


def _undo_edit(session: Session, edit_id: int, actor: Actor, now: Any) -> str:
    contact_edits.undo(session, edit_id, actor=actor, now=now)
    return "Undone. The contact is as it was before."


def _undo_removal(session: Session, removal_id: int, actor: Actor, now: Any) -> str:
    contact_edits.bring_back(session, removal_id, actor=actor, now=now)
    return "The contact is back."


def _keep_ours(session: Session, edit_id: int, actor: Actor, now: Any) -> str:
    contact_edits.settle_conflict(session, edit_id, keep="ours", actor=actor, now=now)
    return "Kept what was entered here."


def _take_sis(session: Session, edit_id: int, actor: Actor, now: Any) -> str:
    contact_edits.settle_conflict(session, edit_id, keep="sis", actor=actor, now=now)
    return "Took what the student information system has."


_ACTS = {UNDO_EDIT: _undo_edit, UNDO_REMOVAL: _undo_removal, KEEP_OURS: _keep_ours, TAKE_SIS: _take_sis}


def redraw(client: WebClient, view_id: str | None, drawn: Block) -> None:
    """Show the dialog as it is now. Where that fails (it was closed, Slack hangs up) nothing is lost: the change is committed."""
    if view_id is None:
        return
    try:
        client.views_update(view_id=view_id, view=drawn)
    except SlackApiError as problem:
        logger.info("dialog could not be redrawn: %s", problem.response["error"])
    except (OSError, HTTPException) as problem:
        logger.info("dialog could not be redrawn: %s", traced(problem))


def view(card: StudentCard, origin: Origin, *, done: str | None = None) -> Block:
    blocks = [
        *([b.section(f"✅ {done}")] if done else []),
        b.section(_about(card)),
        *(block for one in card.contacts[:_CONTACTS] for block in _contact(one)),
        *_removed(card.removed[:_REMOVED]),
    ]
    return b.modal(card.student.name, blocks, callback_id=VIEW, metadata=origin.as_metadata())


def _about(card: StudentCard) -> str:
    one = card.student
    level = grade.title(one.grade) if one.grade else "No grade"
    where = " · ".join([level, *(b.escaped(name) for name in (*one.schools, *one.teachers))])
    if not card.contacts:
        return f"*{b.escaped(one.name)}*\n{where}\n⚠️ *No contacts at all.* Add one in the student information system."
    reached = "" if one.textable else "\n⚠️ *No adult can be texted.*"
    return f"*{b.escaped(one.name)}*\n{where}{reached}"


def _contact(one: ContactCard) -> list[Block]:
    value = str(one.contact_id)
    texted = one.phone and one.method is ContactMethod.TEXT and not one.opted_out
    buttons = [
        b.button("Edit", EDIT, value, label=f"Edit {one.name}"),
        *([b.button("Told us to stop", SPOKEN_STOP, value, label=f"{one.name} told us to stop")] if texted else []),
        b.button("Remove", REMOVE, value, style="danger", label=f"Remove {one.name}"),
    ]
    return [
        b.divider(),
        b.section("\n".join([_who(one), _reached(one), *_advice(one)])),
        *(block for edit in one.edits if edit.state is EditState.CONFLICT for block in _conflict(edit)),
        *b.actions(buttons, block_id=f"contact.{value}"),
        *_last_edit(one),
    ]


def _who(one: ContactCard) -> str:
    relation = f" · {b.escaped(one.relationship)}" if one.relationship else ""
    return f"*{b.escaped(one.name)}*{relation}"


def _reached(one: ContactCard) -> str:
    how = f"{METHODS[one.method]} · {b.masked(one.phone)}"
    if one.status is None:
        return how if one.updated_at else f"{how} · 🟢 *No problem known*"
    since = f" since\u00a0{b.date(one.since)}" if one.since else ""
    return f"{how} · {b.status(one.status)}{since}"


def _advice(one: ContactCard) -> list[str]:
    if one.updated_at:
        return [f"✏️ _Updated {b.date(one.updated_at)}, waiting for the next mass message._"]
    if one.status is None:
        return []
    return [f"{meaning(one.status).explanation} _{meaning(one.status).next_step}_", *_why(one.why)]


def _why(why: Evidence | None) -> list[str]:
    """Which text taught us the status, and what the provider answered to it."""
    if why is None:
        return []
    said = " ".join(word for word in ((why.provider or "").title(), why.code) if word)
    reason = why.meaning or ("A reason that is new to us." if why.code else "No reason was given.")
    answer = reason if why.answered else "No answer came in time."
    return [f"Why: “{b.escaped(why.message)}”, {b.date(why.sent_at)} · {f'{said}: ' if said else ''}{answer}"]


def _conflict(edit: EditNote) -> list[Block]:
    theirs, ours = _masked(edit.field, edit.sis_value), _masked(edit.field, edit.value)
    since = f"Since {b.date(edit.sis_at)} it" if edit.sis_at else "It"
    text = (
        f"⚖️ *The student information system disagrees.* {since} has {theirs}; "
        f"<@{edit.made_by}> entered {ours} on {b.date(edit.made_at)}."
    )
    value = str(edit.edit_id)
    choices = [
        b.button(f"Keep ours: {ours}", KEEP_OURS, value, style="primary"),
        b.button(f"Take the SIS's: {theirs}", TAKE_SIS, value),
    ]
    return [b.section(text), *b.actions(choices)]


def _masked(field: EditField, value: str | None) -> str:
    return b.masked(value) if field is EditField.PHONE else METHODS[value or ContactMethod.TEXT]


def _last_edit(one: ContactCard) -> list[Block]:
    """The change that Undo takes back. Where the SIS disagrees with it, the choice above is what is to be made."""
    if not one.edits or one.edits[0].state is EditState.CONFLICT:
        return []
    newest = one.edits[0]
    said = f"✏️ Changed by <@{newest.made_by}> {b.date(newest.made_at)}, not yet in the student information system"
    undo = b.button("Undo this change", UNDO_EDIT, str(one.undo_edit_id), label=f"Undo the change of {one.name}")
    return [b.context(said), *b.actions([undo])]


def _removed(removed: tuple[RemovedContact, ...]) -> list[Block]:
    return [
        block
        for one in removed
        for block in (
            b.divider(),
            b.section(
                f"~{b.escaped(one.name)}~ removed by <@{one.made_by}> {b.date(one.made_at)}: {b.escaped(one.reason)}",
                accessory=b.button("Undo", UNDO_REMOVAL, str(one.removal_id), label=f"Bring back {one.name}"),
            ),
        )
    ]
