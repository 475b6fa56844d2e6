"""The line above a list or a student after a change: what was done, where it goes, and the buttons that follow from it.

A sender that reads `effective_contacts` uses an edit with its next message. Any other gets its contacts from the student information
system (SIS), so until a person enters the change there, texts go to the old number.
"""

from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot.access import rights
from bot.cleanup_list.student import load_student
from bot.cleanup_list.tried_numbers import is_parked
from bot.contact_edits.change import SavedChange
from bot.db import audit
from bot.db.audit import Subject
from bot.db.models.base import ContactMethod
from bot.db.models.messages import PhoneNumber
from bot.db.models.roster import Contact
from bot.domain import phone
from bot.settings import Settings
from bot.slack.kit import blocks as b
from bot.slack.kit import respond
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.open_views import Notice
from bot.slack.kit.private_metadata import read_ids
from bot.slack.list import links
from bot.slack.student import ids

COPIED, DONE = "contact.number_copied", "student.done"
# The buttons of a list, and those that do the same in the student dialog.
_IN_DIALOG = {
    ids.UNDO_EDIT_ON_LIST: ids.UNDO_EDIT,
    ids.UNDO_REMOVAL_ON_LIST: ids.UNDO_REMOVAL,
    ids.UNDO_CALL_ON_LIST: ids.UNDO_CALL,
}


def saved_notice(session: Session, saved: SavedChange, *, student_id: int | None, settings: Settings) -> Notice:
    """Return what was saved and what follows, with *Undo*, and *Copy number* where the number has to be entered elsewhere.

    `student_id` is the student in whose dialog it was saved, for *Copy number*.
    """
    contact = session.get_one(Contact, saved.contact_id)
    is_elsewhere = bool(saved.edit_ids) and not settings.messenger_reads_edits
    sentences = [
        f"Saved: {b.escaped(saved.name)}, {b.METHOD_NAMES[saved.method].lower()}, {b.masked(saved.phone)}.",
        *(_where_it_goes(session, saved, contact, settings) if saved.edit_ids else []),
        *_what_follows(saved, is_used_now=not is_elsewhere),
    ]
    has_new_number = saved.phone and saved.phone != contact.sis_phone
    return Notice(
        " ".join(sentences),
        undo=(ids.UNDO_EDIT_ON_LIST, saved.edit_ids[0]) if saved.edit_ids else None,
        copy=(saved.contact_id, student_id) if is_elsewhere and has_new_number and student_id else None,
        leads_to_pending=is_elsewhere,
    )


def _what_follows(saved: SavedChange, *, is_used_now: bool) -> list[str]:
    if saved.method is not ContactMethod.TEXT:
        means = "autocalls" if saved.method is ContactMethod.CALL else "email"
        gets = [f"They get {means} and no texts from now on."] if is_used_now else []
        return [*gets, *(["The next mass message takes this contact off the list."] if saved.is_listed else [])]
    if not saved.phone:
        if saved.is_listed:
            return ["They stay on the list until there is a number."]
        return ["They get no texts until there is a number."] if is_used_now else []
    return ["They leave the list when a text arrives."] if saved.is_listed else []


def _where_it_goes(session: Session, saved: SavedChange, contact: Contact, settings: Settings) -> list[str]:
    if settings.messenger_reads_edits:
        return ["The next message will use it."] if saved.phone or saved.method is ContactMethod.EMAIL else []
    sis = b.escaped(settings.sis_name)
    if contact.sis_method != ContactMethod.TEXT or not _is_sis_number_texted(session, contact):
        return [f"*Until {sis} has it, the next message does not use it.*"]
    old = b.masked(contact.sis_phone)
    if saved.phone and saved.phone != contact.sis_phone and b.masked(saved.phone) == old:
        old = "the old number"
    return [f"*Until {sis} has it, texts still go to {old}.*"]


def _is_sis_number_texted(session: Session, contact: Contact) -> bool:
    """Return whether senders text the number of the SIS: not after STOP, a wrong person, or a note against it."""
    if contact.sis_phone is None:
        return False
    number = session.get(PhoneNumber, contact.sis_phone)
    is_refused = number and (number.opted_out_at or number.noted)
    return not (is_refused or is_parked(session, contact.sis_phone, contact.id))


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
    """Draw the line with *Undo*, which a change also has in its contact: that may be further down than a phone shows."""
    undo = []
    if notice.undo:
        action_id, undone_id = notice.undo
        undo.append(b.button("Undo", _IN_DIALOG[action_id], str(undone_id), label="Undo what was done last"))
    return [_line(notice), *b.actions([*undo, *_copy(notice)], block_id=DONE)]


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
