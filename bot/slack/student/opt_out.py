"""The dialog for a verbal opt-out: on which day they said so. It names the others it affects, and says that only the contact can lift it."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.contact_edits.opt_out import record_verbal_opt_out
from bot.domain import phone
from bot.errors import UserError
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.open_views import Notice
from bot.slack.kit.private_metadata import DialogTarget, read_inputs, refusing_older_versions
from bot.slack.student import ids
from bot.slack.student.contact_dialog import ContactDialog, ContactForm, sharing_number

SAID_ON = "said_on"
_OLDEST = timedelta(days=366)


class OptOutDialog(ContactDialog):
    open_action = ids.OPT_OUT
    callback_id = "contact.stop_confirmed"

    def opened(self, ctx: AppContext, _session: Session, form: ContactForm) -> Block:
        name, number = b.escaped(form.contact.name), b.masked(form.contact.phone)
        start = phone.describe_opt_in_number(ctx.settings.opt_in_number, ctx.settings.phone_region)
        meaning = (
            f"*{name}* · {number} gets no more texts, from the next mass message on.\n"
            f"🛑 *No one here can take that back.* Only the contact can, with a text *START* to *{start}* from that phone."
        )
        picker = {"type": "datepicker", "initial_date": form.actor.today.isoformat()}
        blocks = [
            b.section(meaning),
            b.input_block(SAID_ON, "When did they say so?", picker),
            *map(b.context, sharing_number(form.impact, "theirs gets no more texts either.")),
        ]
        return b.modal(
            "They told us to stop", blocks, callback_id=self.callback_id, metadata=form.metadata, submit="Record"
        )

    def save(
        self, ctx: AppContext, session: Session, actor: Actor, target: DialogTarget, view: dict[str, Any]
    ) -> Notice:
        with refusing_older_versions():
            chosen = date.fromisoformat(read_inputs(view)[SAID_ON])
        number = record_verbal_opt_out(
            session,
            target.contact_id,
            student_id=target.origin.student_id,
            version=target.version,
            said_at=_end_of_day(chosen, actor.today, ctx.settings.zone),
            actor=actor,
            now=ctx.now(),
        )
        return Notice(f"Recorded: no more texts to {b.masked(number)}.")


def _end_of_day(chosen: date, today: date, zone: ZoneInfo) -> datetime:
    if chosen > today:
        sentence = "That day is in the future. Choose the day on which they said so."
        raise UserError("opt_out.in_future", sentence, field=SAID_ON)
    if chosen < today - _OLDEST:
        sentence = "That is more than a year ago. Ask them again, then record it."
        raise UserError("opt_out.too_old", sentence, field=SAID_ON)
    return datetime.combine(chosen, time.max, zone)
