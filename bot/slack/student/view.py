"""The student dialog: the student, contact by contact, those removed, and the other students of the same adults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from bot.cleanup_list.student import ActiveEdit, ContactCard, RemovedContact, Sibling, StudentCard
from bot.cleanup_list.suggestions import Suggestion
from bot.db.models.base import ContactMethod
from bot.db.models.edits import EditState
from bot.db.models.teacher_questions import TeacherAnswer
from bot.domain import grade, phone
from bot.domain.display import plural
from bot.domain.sms_status import SmsStatus
from bot.settings import Settings
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.kit.open_views import Notice
from bot.slack.kit.private_metadata import DialogOrigin
from bot.slack.student import contact_text, ids, notice

# A dialog takes 100 blocks: so many for contacts, and at most so many removed ones and siblings.
_CONTACT_BLOCKS, _MAX_REMOVED, _MAX_SIBLINGS = 70, 8, 20
_MAX_NAMED, _MAX_NAME = 3, 60
_MAX_BUTTONS, _MAX_CHOICES = 3, 5
_VERIFIED = b.confirm(
    "Is the number theirs?",
    "Only if it was recorded by mistake, or the family confirmed the number. It gets texts again for every student with it.",
    yes="Undo",
)
_ALLOW = b.confirm(
    "Text this number?",
    "Only if the family agrees, or the note is out of date. The next mass message goes there, for every student with the number.",
    yes="Allow texts",
)
_ANSWERS: Mapping[TeacherAnswer | None, str] = {
    None: "no answer yet",
    TeacherAnswer.NUMBER: "a number, in a message to the office",
    TeacherAnswer.TRY_OTHER: "someone else to try, in a message to the office",
    TeacherAnswer.NO_IDEA: "no idea",
}


@dataclass(frozen=True)
class Shown:
    """How much of a student is shown: contacts from the position `first`, those without a problem too, and full numbers by
    contact id.
    """

    first: int = 0
    healthy: bool = False
    numbers: Mapping[int, str] = field(default_factory=dict)


def view(
    card: StudentCard,
    origin: DialogOrigin,
    settings: Settings,
    *,
    done: Notice | None = None,
    shown: Shown | None = None,
) -> Block:
    """Draw a student. Contacts in trouble come first, and those without a problem are behind a button."""
    our_number = phone.describe_number(settings.opt_in_number, settings.phone_region)
    blocks = [
        *(notice.above_student(done) if done else []),
        b.section(_summary(card), accessory=_ask_teacher(card, settings)),
        *_contacts(card, shown or Shown(), our_number, done),
        *(_removed(card.removed) if card.removed else []),
        *(_siblings(card.siblings) if card.siblings else []),
    ]
    return b.modal(card.student.name, blocks, callback_id=ids.VIEW, metadata=origin.as_metadata())


def _summary(card: StudentCard) -> str:
    student = card.student
    level = grade.title(student.grade) if student.grade else "No grade"
    number = [f"Student number\u00a0{b.escaped(card.number)}"] if card.number else []
    places = (b.escaped(name) for name in (*student.schools, *student.teachers))
    place = " · ".join([level, *places, *number])
    # The title has the name already, as far as it fits.
    name = [f"*{b.escaped(student.name)}*"] if len(student.name) > b.TITLE else []
    lines = [*name, place]
    if not card.contacts:
        lines.append("⚠️ *No contacts at all.* Add one in the student information system.")
    elif not student.textable:
        lines.append("⚠️ *No adult can be texted.*")
    if card.asked and card.asked.failed:
        teacher = b.escaped(card.asked.teacher)
        lines.append(
            f"⚠️ The message to {teacher} of {b.date(card.asked.at)} may not have arrived in Slack. _Ask them in person._"
        )
    elif card.asked:
        lines.append(f"🙋 The teacher was asked on {b.date(card.asked.at)}: {_ANSWERS[card.asked.answer]}.")
    return "\n".join(lines)


def _ask_teacher(card: StudentCard, settings: Settings) -> Block | None:
    """Return the button for a student with no adult who can be texted, where the district lets teachers be asked."""
    is_asked = card.asked and not card.asked.failed
    if card.student.textable or is_asked or not card.student.teachers or settings.ask_teachers == "off":
        return None
    label = f"Ask the teacher of {card.student.name}"
    return b.button("Ask the teacher", ids.ASK_TEACHER, str(card.student.student_id), label=label)


def _contacts(card: StudentCard, shown: Shown, our_number: str | None, done: Notice | None) -> list[Block]:
    """Draw as many contacts as fit, and a button to the rest, or from the last of them back to the first."""
    blocks: list[Block] = []
    explained: set[str] = set()
    contacts = sorted(card.contacts, key=partial(_trouble, done=done))
    healthy = [contact for contact in contacts if contact_text.is_healthy(contact)]
    is_collapsed = not shown.healthy and len(healthy) < len(contacts)
    drawn = contacts[: len(contacts) - len(healthy)] if is_collapsed else contacts
    for position, contact in enumerate(drawn[shown.first :], shown.first):
        more = _contact(contact, card.student.student_id, shown, explained, our_number)
        if len(blocks) + len(more) > _CONTACT_BLOCKS:
            label = f"Show {plural(len(contacts) - position, 'more contact')}"
            return [*blocks, b.divider(), *b.actions([b.button(label, ids.MORE_CONTACTS, str(position))])]
        blocks += more
    if is_collapsed and healthy:
        return [*blocks, *_collapsed(healthy)]
    back = b.actions([b.button("Back to the first contacts", ids.MORE_CONTACTS, "0")]) if shown.first else []
    return [*blocks, *back]


def _contact(
    contact: ContactCard, student_id: int, shown: Shown, explained: set[str], our_number: str | None
) -> list[Block]:
    """Draw a contact. `explained` are the explanations that stand above, which grow; our texts come from `our_number`."""
    relationship = f" · {b.escaped(contact.relationship)}" if contact.relationship else ""
    explanation = [line for line in contact_text.explain(contact, our_number) if line not in explained]
    explained.update(explanation)
    lines = [
        f"*{b.escaped(contact.name)}*{relationship}",
        *contact_text.state(contact, shown.numbers.get(contact.contact_id)),
        *explanation,
        *contact_text.facts(contact),
        *contact_text.verified(contact),
    ]
    above = [*offers(contact, student_id), *(_claimed(contact) if contact_text.is_claim_shown(contact) else [])]
    buttons_above = sum(len(block.get("elements", ())) + ("accessory" in block) for block in above)
    buttons = _buttons(contact, student_id, shown, space=_MAX_BUTTONS - buttons_above)
    return [b.divider(), b.section("\n".join(lines)), *above, *buttons]


def _trouble(contact: ContactCard, *, done: Notice | None) -> int:
    """Return 0 for a contact to fix, 1 for one that waits or cannot be fixed here, 2 for one without a problem.

    A contact that was changed just now (`done`) stays in its place, in sight with its *Undo*.
    """
    is_disputed = any(edit.state is EditState.CONFLICT for edit in contact.edits)
    is_changed = done and done.undo in [(ids.UNDO_EDIT_ON_LIST, edit.edit_id) for edit in contact.edits]
    if is_disputed or is_changed or (contact.on_list and not contact.updated_at):
        return 0
    return 2 if contact_text.is_healthy(contact) else 1


def _collapsed(healthy: Sequence[ContactCard]) -> list[Block]:
    names = ", ".join(b.escaped(contact.name, _MAX_NAME) for contact in healthy[:_MAX_NAMED])
    more = f" and {len(healthy) - _MAX_NAMED:,} more" if len(healthy) > _MAX_NAMED else ""
    sentence = f"🟢 {plural(len(healthy), 'contact')} without a problem: {names}{more}"
    show = b.button("Show", ids.HEALTHY_CONTACTS, "0", label="Show the contacts without a problem")
    return [b.divider(), b.section(sentence, accessory=show)]


def _claimed(contact: ContactCard) -> list[Block]:
    since = f" {b.date(contact.claimed_at, style=contact_text.SINCE)}" if contact.claimed_at else ""
    sentence = f"🙋 <@{contact.claimed_by}> has been taking care of this contact{since}."
    if contact.call and contact_text.is_of_claim(contact):
        sentence = f"{contact_text.describe_call(contact.call)}, and takes care of this contact."
    release = b.button("Release", ids.RELEASE, str(contact.contact_id), label=f"Release {contact.name}")
    return [b.section(sentence, accessory=release)]


def offers(contact: ContactCard, student_id: int) -> list[Block]:
    """Return what is settled with one press: a conflict with the SIS, and a number that another record of the adult has."""
    conflicts = (edit for edit in contact.edits if edit.state is EditState.CONFLICT)
    return [
        *(block for edit in conflicts for block in _conflict(edit, contact.name)),
        *(_suggestion(contact, suggestion, student_id) for suggestion in contact.suggestions),
    ]


def _buttons(contact: ContactCard, student_id: int, shown: Shown, *, space: int) -> list[Block]:
    """Draw `space` buttons and *I'll take it*, with the rest in the menu behind the three dots.

    First come *Switch to autocall* and *Edit*, then what takes a change or a record back, then the phone: *Show number*, and once it is
    shown *Log a call*. What is destructive asks for a confirmation, or opens a dialog that does.
    """
    value, name, remedies = str(contact.contact_id), contact.name, _remedies(contact, student_id)
    is_masked = contact.phone and contact.contact_id not in shown.numbers
    number = b.button("Show number", ids.SHOW_NUMBER, f"{value} {shown.first}", label=f"Show the number of {name}")
    phone = [number] if is_masked else log_call(contact)
    buttons = [b.button("Edit", ids.EDIT, value, label=f"Edit {name}"), *remedies, *phone]
    if _is_texted(contact) and contact.status is SmsStatus.LANDLINE:
        version, label = f"{value} {contact.version}", f"Autocalls for {name}"
        buttons.insert(0, b.button("Switch to autocall", ids.SWITCH_TO_CALL, version, style="primary", label=label))
    # A remedy asks for a confirmation, which a choice of a menu cannot, so none is left out.
    space = max(space, 1 + len(remedies))
    left_out = [button for button in phone if button not in buttons[:space]]
    visible = buttons[:space]
    if contact.on_list and not contact.updated_at and not contact.claimed_by:
        visible.append(b.button("I'll take it", ids.CLAIM, value, label=f"I take care of {name}"))
    return b.actions([*visible, contact_menu(contact, left_out)], block_id=f"contact.{value}")


def log_call(contact: ContactCard) -> list[Block]:
    if not contact.on_list or contact.updated_at:
        return []
    return [b.button("Log a call", ids.LOG_CALL, str(contact.contact_id), label=f"Log a call to {contact.name}")]


def contact_menu(contact: ContactCard, left_out: Sequence[Block] = ()) -> Block:
    """Return the menu, with the buttons that no space was left for; its choices that change something open a dialog first."""
    choices = [(button["text"]["text"], f"{button['action_id']} {button['value']}") for button in left_out]
    value = contact.contact_id
    if _is_texted(contact):
        choices.append(("Told us to stop", f"{ids.OPT_OUT} {value}"))
    if contact.phone and not contact.wrong_person_by:
        choices.append(("Wrong person", f"{ids.WRONG_PERSON} {value}"))
    others = {"Remove": ids.REMOVE, "Script": ids.SCRIPT, "History": ids.HISTORY}
    choices += [(label, f"{action_id} {value}") for label, action_id in others.items()]
    return b.overflow(ids.MORE, choices[:_MAX_CHOICES])


def _remedies(contact: ContactCard, student_id: int) -> list[Block]:
    name, version = contact.name, f"{contact.contact_id} {contact.version}"
    buttons = []
    if contact.edits and contact.edits[0].state is not EditState.CONFLICT:
        undo = str(contact.undo_edit_id)
        buttons.append(b.button("Undo this change", ids.UNDO_EDIT, undo, label=f"Undo the change of {name}"))
    if contact.noted:
        allow = b.button("Allow texts", ids.ALLOW_TEXTS, f"{student_id} {version}", label=f"Allow texts to {name}")
        buttons.append(allow | {"confirm": _ALLOW})
    if contact.wrong_person_by:
        label = f"The number of {name} is right"
        undo_parking = b.button("Undo wrong person", ids.VERIFIED, f"{student_id} {version}", label=label)
        buttons.append(undo_parking | {"confirm": _VERIFIED})
    return buttons


def _is_texted(contact: ContactCard) -> bool:
    return bool(contact.phone) and contact.method is ContactMethod.TEXT and contact.status is not SmsStatus.OPT_OUT


def _suggestion(contact: ContactCard, suggestion: Suggestion, student_id: int) -> Block:
    """Offer a further number of the contact, or that of another record, without naming the other record's student."""
    number = b.masked(suggestion.phone)
    value = f"{student_id} {contact.contact_id} {contact.version} {suggestion.contact_id} {suggestion.position}"
    label = f"Use {number} for {contact.name}"
    use = b.button(f"Use {number}", ids.USE_SUGGESTED, value, style="primary", label=label)
    name = b.escaped(contact.name)
    source = (
        f"The student information system has another number of {name}, {number}"
        if suggestion.position
        else f"Another record of {name} has {number}"
    )
    return b.section(f"💡 {source}, which can be texted as far as we know.", accessory=use)


def _conflict(edit: ActiveEdit, name: str) -> list[Block]:
    theirs, ours = b.display_value(edit.field, edit.sis_value), b.display_value(edit.field, edit.value)
    since = f"Since {b.date(edit.sis_at)} it has" if edit.sis_at else "It has"
    sentence = (
        f"⚖️ *The student information system disagrees.* {since} {theirs}; "
        f"<@{edit.made_by}> entered {ours} on {b.date(edit.made_at)}."
    )
    value = str(edit.edit_id)
    choices = [
        b.button(f"Keep ours: {ours}", ids.KEEP_OURS, value, style="primary", label=f"Keep ours of {name}"),
        b.button(f"Take the SIS's: {theirs}", ids.TAKE_SIS, value, label=f"Take the SIS's of {name}"),
    ]
    return [b.section(sentence), *b.actions(choices)]


def _removed(removed: tuple[RemovedContact, ...]) -> list[Block]:
    """Draw the contacts removed last; bringing one back makes space for the next."""
    blocks: list[Block] = []
    for removal in removed[:_MAX_REMOVED]:
        when, reason = b.date(removal.made_at), b.escaped(removal.reason)
        sentence = f"~{b.escaped(removal.name)}~ removed by <@{removal.made_by}> {when}: {reason}"
        undo = b.button("Undo", ids.UNDO_REMOVAL, str(removal.removal_id), label=f"Bring back {removal.name}")
        blocks += [b.divider(), b.section(sentence, accessory=undo)]
    if (more := len(removed) - _MAX_REMOVED) > 0:
        blocks.append(b.context(f"… and {more:,} removed earlier."))
    return blocks


def _siblings(siblings: tuple[Sibling, ...]) -> list[Block]:
    """Offer the other students of the same adults, whose numbers often need the same fix."""
    buttons = [
        b.button(sibling.name, f"{ids.SIBLING}.{position}", str(sibling.student_id))
        for position, sibling in enumerate(siblings[:_MAX_SIBLINGS])
    ]
    part = f" (the first {_MAX_SIBLINGS} of {len(siblings):,})" if len(siblings) > _MAX_SIBLINGS else ""
    return [b.divider(), b.context(f"Other students with a contact shown here{part}:"), *b.actions(buttons)]
