"""The buttons of one contact: at most three and *I'll take it*, with the rest in the menu behind the three dots.

First come *Switch to autocall* and *Edit*, then what takes a change or a record back, then the phone: *Show number*, and once it is
shown *Log a call*. What is destructive asks for a confirmation, or opens a dialog that does.
"""

from bot.cleanup_list.student import ActiveEdit, ContactCard
from bot.cleanup_list.suggestions import Suggestion
from bot.db.models.base import ContactMethod
from bot.db.models.edits import EditState
from bot.domain.sms_status import SmsStatus
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.student import ids

_MAX_BUTTONS, _MAX_OPTIONS = 3, 5
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


def offers(contact: ContactCard, student_id: int) -> list[Block]:
    """Return what is settled with one press: a conflict with the SIS, and a number that another record of the adult has."""
    conflicts = (edit for edit in contact.edits if edit.state is EditState.CONFLICT)
    return [
        *(block for edit in conflicts for block in _conflict(edit, contact.name)),
        *(_suggestion(contact, suggestion, student_id) for suggestion in contact.suggestions),
    ]


def row(contact: ContactCard, student_id: int, *, first: int, is_number_shown: bool) -> list[Block]:
    """Draw the buttons and the menu; `first` is the position of the contact with which the dialog begins."""
    value = str(contact.contact_id)
    number = b.button("Show number", ids.SHOW_NUMBER, f"{value} {first}", label=f"Show the number of {contact.name}")
    edit = b.button("Edit", ids.EDIT, value, label=f"Edit {contact.name}")
    is_masked = contact.phone and not is_number_shown
    phone = [number] if is_masked else log_call(contact)
    remedies = _remedies(contact, student_id)
    buttons = [*_switch(contact), edit, *remedies, *phone]
    # A remedy asks for a confirmation, which a choice of a menu cannot, so none is left out.
    space = max(_MAX_BUTTONS - _beside(contact), 1 + len(remedies))
    left_out = [button for button in phone if button not in buttons[:space]]
    hidden = [b.option(button["text"]["text"], f"{button['action_id']} {button['value']}") for button in left_out]
    options = [*hidden, *_options(contact)]
    shown = [*buttons[:space], *_claim(contact)]
    return b.actions([*shown, b.overflow(ids.MORE, options[:_MAX_OPTIONS])], block_id=f"contact.{value}")


def log_call(contact: ContactCard) -> list[Block]:
    if not contact.on_list or contact.updated_at:
        return []
    return [b.button("Log a call", ids.LOG_CALL, str(contact.contact_id), label=f"Log a call to {contact.name}")]


def menu(contact: ContactCard) -> Block:
    """Return the menu alone, for the edit form that a list opened."""
    return b.overflow(ids.MORE, _options(contact)[:_MAX_OPTIONS])


def _beside(contact: ContactCard) -> int:
    """Return how many buttons the contact has above this row."""
    conflicts = sum(edit.state is EditState.CONFLICT for edit in contact.edits)
    return 2 * conflicts + len(contact.suggestions) + is_claim_shown(contact)


def is_claim_shown(contact: ContactCard) -> bool:
    return bool(contact.claimed_by) and not contact.updated_at


def _switch(contact: ContactCard) -> list[Block]:
    if not _is_texted(contact) or contact.status is not SmsStatus.LANDLINE:
        return []
    version, label = f"{contact.contact_id} {contact.version}", f"Autocalls for {contact.name}"
    return [b.button("Switch to autocall", ids.SWITCH_TO_CALL, version, style="primary", label=label)]


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


def _claim(contact: ContactCard) -> list[Block]:
    if not contact.on_list or contact.updated_at or contact.claimed_by:
        return []
    label = f"I take care of {contact.name}"
    return [b.button("I'll take it", ids.CLAIM, str(contact.contact_id), label=label)]


def _options(contact: ContactCard) -> list[Block]:
    """Return the choices of the menu; those that change something open a dialog first."""
    value = contact.contact_id
    stop = [b.option("Told us to stop", f"{ids.OPT_OUT} {value}")] if _is_texted(contact) else []
    is_parkable = contact.phone and not contact.wrong_person_by
    wrong = [b.option("Wrong person", f"{ids.WRONG_PERSON} {value}")] if is_parkable else []
    return [
        *stop,
        *wrong,
        b.option("Remove", f"{ids.REMOVE} {value}"),
        b.option("Script", f"{ids.SCRIPT} {value}"),
        b.option("History", f"{ids.HISTORY} {value}"),
    ]


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
