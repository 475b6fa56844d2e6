"""Scripts to read out or to copy into a text of one's own, in English and Spanish. Nothing here is ever sent to a family.

The texts are templates, which a district can replace. Ours name neither the student nor the contact: the number may be a stranger's.
"""

import re
from enum import StrEnum
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.cleanup_list.student import ContactCard, StudentCard, load_student
from bot.domain.sms_status import SmsStatus
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.private_metadata import DialogOrigin, read_ids, read_origin
from bot.slack.student import contact_text, ids

VIEW = "contact.script_read"
_MAX_TEXT = 3000
_LANGUAGES = {"en": "English", "es": "Español"}


class Script(StrEnum):
    """The values are parts of the names of templates."""

    NEW_NUMBER = "new_number"
    START = "start"
    VERIFY = "verify"


_LABELS = {
    Script.NEW_NUMBER: "New number",
    Script.START: "START after STOP",
    Script.VERIFY: "Verify at the counter",
}


def register(app: App, ctx: AppContext) -> None:
    @app.action(re.compile(rf"^{re.escape(ids.SCRIPT)}\.\w+$"))
    def show_other(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        script = Script(action["action_id"].rpartition(".")[2])
        client.views_update(view_id=body["view"]["id"], view=_load(ctx, client, body, action["value"], script))

    @app.view(VIEW)
    def close(ack: Ack) -> None:
        ack()


def open_script(ctx: AppContext, client: WebClient, body: dict[str, Any], contact_id: str) -> None:
    """Show the script for the contact's status on top of the dialog."""
    client.views_push(trigger_id=body["trigger_id"], view=_load(ctx, client, body, contact_id))


def _load(
    ctx: AppContext, client: WebClient, body: dict[str, Any], contact_id: str, script: Script | None = None
) -> Block:
    (id_of_contact,) = read_ids(contact_id, count=1)
    origin = read_origin(body["view"])
    with ctx.acting(client, body["user"]["id"]) as (session, actor):
        student = load_student(session, origin.student_id, actor=actor)
    contact = student.contact(id_of_contact)
    return _draw(ctx, student, contact, script or _script_for(contact), origin)


def _script_for(contact: ContactCard) -> Script:
    if contact.is_opted_out_by_note:
        return Script.VERIFY
    if contact.status is SmsStatus.OPT_OUT:
        return Script.START
    return Script.VERIFY if contact_text.is_healthy(contact) else Script.NEW_NUMBER


def _draw(ctx: AppContext, student: StudentCard, contact: ContactCard, script: Script, origin: DialogOrigin) -> Block:
    values = {
        "school": next(iter(student.student.schools), ""),
        "student": student.student.name,
        "contact": contact.name,
        "last_digits": contact.phone[-4:] if contact.phone else "",
        "start_number": ctx.our_number or "",
    }
    kinds = [
        b.button(label, f"{ids.SCRIPT}.{kind}", str(contact.contact_id), style="primary" if kind is script else None)
        for kind, label in _LABELS.items()
    ]
    blocks = [
        b.context("To read out, or to copy into a text of your own. Contact Cleanup never texts families."),
        *b.actions(kinds),
        *(
            _text(f"{script}.{code}", language, ctx.templates.render(f"family_{script}.{code}.txt", **values))
            for code, language in _LANGUAGES.items()
        ),
    ]
    return b.modal("Script", blocks, callback_id=VIEW, metadata=origin.as_metadata(), submit="Done")


def _text(block_id: str, language: str, text: str) -> Block:
    """Draw a text in a field, from which a phone can copy it, too."""
    field = {"type": "plain_text_input", "multiline": True, "initial_value": b.cut(text, _MAX_TEXT)}
    return b.input_block(block_id, language, field, optional=True)
