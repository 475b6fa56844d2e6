"""The dialog that records a wrong person: the number belongs to someone else. It says who is affected, and how to take it back."""

from typing import Any

from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.contact_edits.wrong_person import mark_wrong_person
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.open_views import Notice
from bot.slack.kit.private_metadata import DialogTarget
from bot.slack.student import ids
from bot.slack.student.contact_dialog import ContactDialog, ContactForm, other_students, sharing_number


class WrongPersonDialog(ContactDialog):
    open_action = ids.WRONG_PERSON
    callback_id = "contact.wrong_person_confirmed"

    def opened(self, _ctx: AppContext, _session: Session, form: ContactForm) -> Block:
        name, number = b.escaped(form.contact.name), b.masked(form.contact.phone)
        meaning = (
            f"*{number} does not belong to {name}.* No one is texted there anymore, from the next mass message on, "
            "until a colleague verifies the number.\n"
            "If they asked us to stop texting, close this and press *Told us to stop*, too."
        )
        blocks = [
            b.section(meaning),
            *map(b.context, other_students(form.impact, "affected there, too.")),
            *map(b.context, sharing_number(form.impact, "theirs gets no more texts either.")),
            b.context(
                "Colleagues who take care of other students with this number get a message. You can undo this later."
            ),
        ]
        return b.modal("Wrong person", blocks, callback_id=self.callback_id, metadata=form.metadata, submit="Record")

    def save(
        self, ctx: AppContext, session: Session, actor: Actor, target: DialogTarget, _view: dict[str, Any]
    ) -> Notice:
        number = mark_wrong_person(
            session,
            target.contact_id,
            version=target.version,
            actor=actor,
            student_id=target.origin.student_id,
            now=ctx.now(),
        )
        sentence = f"Recorded: no more texts to {b.masked(number)}, for any student. *Undo wrong person* takes it back."
        return Notice(sentence)
