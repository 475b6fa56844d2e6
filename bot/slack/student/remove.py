"""The remove dialog: from this student or from all, and why. The removal survives every sync, and can be undone."""

from typing import Any

from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.contact_edits.remove import RemovalReason, remove_contact
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.open_views import Notice
from bot.slack.kit.private_metadata import DialogTarget, read_inputs, refusing_older_versions
from bot.slack.student import ids
from bot.slack.student.contact_dialog import ContactDialog, ContactForm, other_students

SCOPE, REASON = "scope", "reason"
_THIS_STUDENT, _ALL_STUDENTS = "one", "all"


class RemoveDialog(ContactDialog):
    open_action = ids.REMOVE
    callback_id = "contact.remove_confirmed"

    def opened(self, _ctx: AppContext, _session: Session, form: ContactForm) -> Block:
        reasons = [b.option(reason.sentence, reason) for reason in RemovalReason]
        blocks = [*_scope(form), b.input_block(REASON, "Why?", b.radio_buttons(reasons))]
        if form.contact.phone and not form.contact.wrong_person_by:
            hint = "Is only the number wrong? *Wrong person* ends texts to it for every student; this button does not."
            blocks.append(b.context(hint))
        if len(form.student.contacts) == 1:
            blocks.append(b.context(f"⚠️ {b.escaped(form.student.student.name)} has no other contact."))
        return b.modal("Remove contact", blocks, callback_id=self.callback_id, metadata=form.metadata, submit="Remove")

    def save(
        self, ctx: AppContext, session: Session, actor: Actor, target: DialogTarget, view: dict[str, Any]
    ) -> Notice:
        with refusing_older_versions():
            values = read_inputs(view)
            from_all, reason = values.get(SCOPE) == _ALL_STUDENTS, RemovalReason(values[REASON])
        removal = remove_contact(
            session,
            target.contact_id,
            student_id=None if from_all else target.origin.student_id,
            version=target.version,
            reason=reason,
            actor=actor,
            now=ctx.now(),
        )
        scope = "all of their students" if from_all else "this student only"
        return Notice(f"Removed from {scope}. *Undo* brings the contact back.", (ids.UNDO_REMOVAL_ON_LIST, removal.id))


def _scope(form: ContactForm) -> list[Block]:
    """Offer this student or all; no choice if there is no other student, or one that the reader may not see."""
    name, student = b.escaped(form.contact.name), form.student.student.name
    others = len(form.impact.siblings)
    if not others or form.impact.more_siblings:
        about = f"*{name}* is removed from {b.escaped(student)} only: no more messages about this student."
        about += " You can undo this later."
        return [b.section(about), *map(b.context, other_students(form.impact, "nothing changes there."))]
    everyone = "Both students of this contact" if others == 1 else f"All {others + 1} students of this contact"
    options = [b.option(f"Only {student}", _THIS_STUDENT), b.option(everyone, _ALL_STUDENTS)]
    about = f"*{name}* will get no more messages about the students chosen here. You can undo this later."
    return [
        b.section(about),
        b.input_block(SCOPE, "Remove from", b.radio_buttons(options, chosen=_THIS_STUDENT)),
    ]
