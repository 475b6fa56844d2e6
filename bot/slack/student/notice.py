"""The line above a list or a student after a change: what was done, and the buttons that follow from it."""

from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.access import rights
from bot.cleanup_list.student import load_student
from bot.db import audit
from bot.db.audit import Subject
from bot.domain import phone
from bot.slack.kit import blocks as b
from bot.slack.kit import respond
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.open_views import Notice
from bot.slack.kit.private_metadata import read_ids
from bot.slack.list import links
from bot.slack.student import ids

COPIED = "contact.number_copied"


def above_list(notice: Notice, here: str, *, in_message: bool = False) -> list[Block]:
    """Draw the line with *Undo*; `here` is the text of the list, which the button shows again.

    Only a message has the button to the pending changes, which takes its place; the Home tab shows them itself.
    """
    buttons = []
    if notice.undo:
        action_id, changed_id = notice.undo
        buttons.append(b.button("Undo", action_id, f"{changed_id} {here}", label="Undo this change"))
    buttons += _copy(notice)
    if notice.leads_to_pending and in_message:
        buttons.append(b.button("Pending changes", f"{links.RUN_PREFIX}.0", "pending"))
    return [_line(notice), *b.actions(buttons)]


def above_student(notice: Notice) -> list[Block]:
    """Draw the line. A logged call has its *Undo* here, and a change in the contact below."""
    action_id, undone_id = notice.undo or ("", 0)
    is_call = action_id == ids.UNDO_CALL_ON_LIST
    undo = [b.button("Undo", ids.UNDO_CALL, str(undone_id), label="Undo this call")] if is_call else []
    return [_line(notice), *b.actions([*undo, *_copy(notice)])]


def _line(notice: Notice) -> Block:
    return b.section(f"✅ {notice.sentence}")


def _copy(notice: Notice) -> list[Block]:
    if notice.copy is None:
        return []
    contact_id, student_id = notice.copy
    return [b.button("Copy number", ids.COPY_NUMBER, f"{contact_id} {student_id}")]


def register(app: App, ctx: AppContext) -> None:
    @app.action(ids.COPY_NUMBER)
    def copy_number(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        contact_id, student_id = read_ids(action["value"], count=2)
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            rights.require_editor(actor)
            contact = load_student(session, student_id, actor=actor).contact(contact_id)
            subject = Subject("contact", contact_id)
            audit.record(session, subject, actor=actor.user_id, action="phone.shown", now=ctx.now())
        number = phone.format_number(contact.phone, ctx.settings.phone_region) if contact.phone else ""
        field: Block = {"type": "plain_text_input", **({"initial_value": number} if number else {})}
        label = f"Number of {contact.name}"
        hint = "Copy it from here. Nothing that is typed here is saved."
        blocks = [b.input_block("number", b.cut(label, b.HEADER), field, hint=hint, optional=True)]
        view = b.modal("Copy number", blocks, callback_id=COPIED, metadata="{}", submit="Done")
        respond.open_dialog(client, body, view)

    @app.view(COPIED)
    def close(ack: Ack) -> None:
        ack()
