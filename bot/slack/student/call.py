"""The dialog that logs a call: what came of it, and when to call back. It claims the contact, and tells no one else."""

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.cleanup_list.claims import CLAIM_DURATION
from bot.cleanup_list.student import ContactCard, load_student
from bot.contact_edits.confirmed_call import log_call
from bot.db.models.messages import CallOutcome
from bot.domain import display
from bot.domain.sms_status import SmsStatus
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.open_views import Notice
from bot.slack.kit.private_metadata import DialogTarget, read_inputs, refusing_older_versions
from bot.slack.student import ids
from bot.slack.student.contact_dialog import ContactDialog, ContactForm, FollowUp
from bot.slack.student.wrong_person import WrongPersonDialog

OUTCOME, BACK_ON = "outcome", "back_on"
_LABELS = {
    CallOutcome.NO_ANSWER: "No answer",
    CallOutcome.VOICEMAIL: "Left voicemail",
    CallOutcome.CONFIRMED: "They confirmed the number",
    CallOutcome.ASKED: "Asked for the new number",
    CallOutcome.CALL_BACK: "I will call back on the day below",
    CallOutcome.WRONG_PERSON: "Wrong person: someone else answered",
}
_DONE = {
    CallOutcome.NO_ANSWER: "no answer",
    CallOutcome.VOICEMAIL: "left voicemail",
    CallOutcome.CONFIRMED: "they confirmed the number",
    CallOutcome.ASKED: "asked for the new number",
    CallOutcome.CALL_BACK: "will call back",
    CallOutcome.WRONG_PERSON: "someone else answered",
}


class CallDialog(ContactDialog):
    open_action = ids.LOG_CALL
    callback_id = "contact.call_logged"

    def opened(self, _ctx: AppContext, _session: Session, form: ContactForm) -> Block:
        contact = form.contact
        offered = [outcome for outcome in _LABELS if contact.phone or outcome is not CallOutcome.CONFIRMED]
        options = [b.option(_LABELS[outcome], outcome) for outcome in offered]
        claim = f"Colleagues see the call, and that you take care of this contact for {CLAIM_DURATION.days} days."
        blocks = [
            b.section(f"*{b.escaped(contact.name)}* · {b.masked(contact.phone)}"),
            b.input_block(OUTCOME, "What came of it?", b.radio_buttons(options)),
            b.input_block(BACK_ON, "Call back on", {"type": "datepicker"}, optional=True),
            b.context(claim),
        ]
        return b.modal("Log a call", blocks, callback_id=self.callback_id, metadata=form.metadata, submit="Log")

    def save(
        self, ctx: AppContext, session: Session, actor: Actor, target: DialogTarget, view: dict[str, Any]
    ) -> Notice:
        with refusing_older_versions():
            values = read_inputs(view)
            outcome, chosen = CallOutcome(values[OUTCOME]), values[BACK_ON]
        student_id, contact_id = target.origin.student_id, target.contact_id
        back_on = date.fromisoformat(chosen) if chosen else None
        ended_wrong_person = log_call(
            session,
            contact_id,
            student_id=student_id,
            version=target.version,
            outcome=outcome,
            back_on=back_on,
            actor=actor,
            now=ctx.now(),
        )
        contact = load_student(session, student_id, actor=actor).contact(contact_id)
        is_parkable = contact.phone and contact.is_tried and contact.status is not SmsStatus.WRONG_PERSON
        sentence = f"Logged for {b.escaped(contact.name)}: {_DONE[outcome]}."
        if back_on:
            sentence += f" Your Home tab brings it back on {display.short_day(back_on, actor.today)}."
        if outcome is CallOutcome.WRONG_PERSON and is_parkable:
            return FollowUp(sentence, dialog=WrongPersonDialog())
        if outcome is CallOutcome.CONFIRMED:
            sentence += _meaning(contact, ended_wrong_person=ended_wrong_person)
        return Notice(sentence, undo=None if ended_wrong_person else (ids.UNDO_CALL_ON_LIST, contact_id))


def _meaning(contact: ContactCard, *, ended_wrong_person: bool) -> str:
    """Say what it does not mean that the number is theirs."""
    if ended_wrong_person:
        return " It is no longer recorded as Wrong person for them; *Wrong person* takes that back."
    if contact.is_opted_out_by_note:
        return " A note in the student information system asks not to text them: press *Allow texts* if they want our texts."
    if contact.status is SmsStatus.OPT_OUT:
        return " It stays opted out until they text START."
    return " That does not show that texts arrive: the contact stays on the list."
