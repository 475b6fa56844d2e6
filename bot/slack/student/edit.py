"""The edit dialog: phone and contact method of one contact. It shows the full number, which is recorded in the history.

A person who saves second sees what the first one saved, and chooses.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.cleanup_list.student import ContactCard
from bot.contact_edits.change import change_contact
from bot.contact_edits.locking import VersionConflict
from bot.db import audit
from bot.db.audit import Subject
from bot.db.models.base import ContactMethod
from bot.domain import phone
from bot.domain.sms_status import SmsStatus
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.open_views import Notice
from bot.slack.kit.private_metadata import DialogTarget, read_inputs, refusing_older_versions
from bot.slack.student import contact_text, counter, ids
from bot.slack.student import view as student_view
from bot.slack.student.contact_dialog import ContactDialog, ContactForm, other_students, sharing_number
from bot.slack.student.notice import saved_notice

PHONE, METHOD = "phone", "method"
_METHOD_HINTS = {
    ContactMethod.TEXT: "Gets every mass message as a text",
    ContactMethod.CALL: "Gets autocalls, no texts",
    ContactMethod.EMAIL: "Gets email, no texts",
}


@dataclass(frozen=True)
class _Entered:
    """The content of the fields: the phone as typed, the method's word."""

    phone: str | None
    method: str


@refusing_older_versions()
def _read(view: dict[str, Any]) -> _Entered:
    values = read_inputs(view)
    return _Entered(values[PHONE], ContactMethod(values[METHOD]))


class EditDialog(ContactDialog):
    open_action = ids.EDIT
    callback_id = "contact.save"

    def opened(self, ctx: AppContext, session: Session, form: ContactForm) -> Block:
        subject = Subject("contact", form.contact.contact_id)
        audit.record(session, subject, actor=form.actor.user_id, action="phone.shown", now=ctx.now())
        return self._view(ctx, form, [], _current(form.contact, ctx.settings.phone_region))

    def save(
        self, ctx: AppContext, session: Session, actor: Actor, target: DialogTarget, view: dict[str, Any]
    ) -> Notice:
        entered = _read(view)
        saved = change_contact(
            session,
            target.contact_id,
            version=target.version,
            phone=entered.phone,
            method=entered.method,
            actor=actor,
            region=ctx.settings.phone_region,
            opt_in_number=ctx.settings.opt_in_number,
            now=ctx.now(),
        )
        return saved_notice(session, saved, student_id=target.origin.student_id, settings=ctx.settings)

    def conflict(self, ctx: AppContext, form: ContactForm, conflict: VersionConflict, view: dict[str, Any]) -> Block:
        """Keep what this person typed, and show above it what the other one saved."""
        contact = form.contact
        who = b.mention(conflict.by) or "The student information system"
        number = phone.format_number(contact.phone, ctx.settings.phone_region) if contact.phone else "no number"
        sentence = (
            f"✋ *{who} changed this contact while you were editing.* It now has {number}, "
            f"{b.METHOD_NAMES[contact.method].lower()}. *Cancel* keeps that; *Save* replaces it with what is below."
        )
        return self._view(ctx, form, [b.section(sentence)], _read(view))

    def _view(self, ctx: AppContext, form: ContactForm, notice: list[Block], entered: _Entered) -> Block:
        contact, region = form.contact, ctx.settings.phone_region
        siblings = other_students(form.impact, "changed there, too.")
        affected = [*siblings, *sharing_number(form.impact, "theirs stays.")]
        blocks = [
            *_heading(form, region, ctx.our_number),
            *notice,
            *_wrong_person(contact),
            *_opted_out(contact, phone.describe_opt_in_number(ctx.settings.opt_in_number, region)),
            _phone_input(entered.phone, region),
            *([] if form.origin.is_direct else _further_numbers(contact, region)),
            _method_input(contact, entered.method),
            *counter.button(contact, ctx.settings),
            *([b.context(*affected)] if affected else []),
            *_other_ways(form),
        ]
        return b.modal("Edit contact", blocks, callback_id=self.callback_id, metadata=form.metadata, submit="Save")


def _heading(form: ContactForm, region: str, our_number: str | None) -> list[Block]:
    """Name the contact; opened from the list, say what the student dialog would have said before."""
    contact, student = form.contact, form.student.student
    relationship = f" · {b.escaped(contact.relationship)}" if contact.relationship else ""
    name = f"*{b.escaped(contact.name)}*{relationship}"
    if not form.origin.is_direct:
        return [b.section(name)]
    is_explained = contact.wrong_person_by or contact.status is SmsStatus.OPT_OUT
    advice = [] if is_explained else [*contact_text.explain(contact, our_number), *contact_text.facts(contact)]
    number = contact_text.phone_link(contact.phone, region) if contact.phone else None
    state, last = contact_text.state(contact, number), contact_text.verified(contact)
    lines = [f"{name} of {b.escaped(student.name)}", *state, *advice, *last]
    return [b.section("\n".join(lines)), *student_view.offers(contact, student.student_id)]


def _other_ways(form: ContactForm) -> list[Block]:
    """Lead from a form that the list opened to everything else of the student."""
    if not form.origin.is_direct:
        return []
    label = f"All contacts of {form.student.student.name}"
    students = b.button("All contacts…", ids.ALL_CONTACTS, str(form.contact.contact_id), label=label)
    return b.actions([students, *student_view.log_call(form.contact), student_view.contact_menu(form.contact)])


def _current(contact: ContactCard, region: str) -> _Entered:
    number = phone.format_number(contact.phone, region) if contact.phone else None
    return _Entered(number, contact.method)


def _wrong_person(contact: ContactCard) -> list[Block]:
    if not contact.wrong_person_by:
        return []
    sentence = (
        "🚷 *This number belongs to someone else (Wrong person).* Enter the family's new number. If this one is theirs after all, "
        "press *Cancel*, then *Undo wrong person*."
    )
    return [b.section(sentence)]


def _further_numbers(contact: ContactCard, region: str) -> list[Block]:
    numbers = [
        phone.format_number(suggestion.phone, region) for suggestion in contact.suggestions if suggestion.position
    ]
    return [b.context(f"💡 The student information system also has {' and '.join(numbers)}.")] if numbers else []


def _opted_out(contact: ContactCard, opt_in_number: str) -> list[Block]:
    if contact.status is not SmsStatus.OPT_OUT:
        return []
    if contact.is_opted_out_by_note:
        sentence = (
            "🛑 *A note in the student information system asks not to text this number.* It may be about the person: a new number would "
            "get texts, so enter one only if the family agrees."
        )
        return [b.section(sentence)]
    sentence = (
        "🛑 *This number opted out (STOP). No one here can lift that.* To get texts again, the contact must text *START* to "
        f"*{opt_in_number}* from that phone. Until then, use another number, or autocalls or email."
    )
    return [b.section(sentence), *map(b.context, contact_text.recorded_opt_out(contact))]


def _phone_input(shown: str | None, region: str) -> Block:
    element: Block = {
        "type": "plain_text_input",
        "max_length": 60,
        "placeholder": b.plain("(312) 555-0142" if region == "US" else "With area code, or + and the country"),
        "dispatch_action_config": {"trigger_actions_on": ["on_character_entered"]},
    }
    if shown:
        element["initial_value"] = shown
    hint = "Leave empty if there is no number that could be texted."
    return b.input_block(PHONE, "Phone number", element, hint=hint, optional=True) | {"dispatch_action": True}


def _method_input(contact: ContactCard, chosen: str) -> Block:
    """Offer text, call, and email; without an address, explain why email is missing."""
    has_email = contact.email is not None or chosen == ContactMethod.EMAIL
    offered = [method for method in ContactMethod if method is not ContactMethod.EMAIL or has_email]
    options = [b.option(b.METHOD_NAMES[method], method, description=_METHOD_HINTS[method]) for method in offered]
    hint = None if has_email else "Email can be chosen once the student information system has their address."
    return b.input_block(METHOD, "Contact method", b.radio_buttons(options, chosen=chosen), hint=hint)
