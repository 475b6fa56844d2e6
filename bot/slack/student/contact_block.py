"""One contact in the student dialog: how texts to it go and why, what to do, and the buttons. Numbers are masked here."""

from bot.cleanup_list.student import ActiveEdit, ContactCard
from bot.cleanup_list.suggestions import Suggestion
from bot.db.models.base import ContactMethod
from bot.db.models.edits import EditState
from bot.domain.phone_note import NoteKind, masked_note
from bot.domain.sms_status import MEANINGS, NOT_CALLED, SmsStatus
from bot.mass_messages.wrong_person import DEACTIVATIONS
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.student import ids

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
_NOTED = {
    NoteKind.REFUSED: "*No texts go to this number*: a note in the student information system asks for that.",
    NoteKind.DEAD: "*No texts go to this number*: a note in the student information system says that it does not work.",
    NoteKind.IMPOSSIBLE: "*No texts go to this number*: no phone in the US can have it.",
}
# What recorded a wrong person, where it was not a person or a provider.
_SOURCES = {DEACTIVATIONS: "The carriers' list of deactivated numbers was imported"}


def draw(contact: ContactCard, student_id: int) -> list[Block]:
    relationship = f" · {b.escaped(contact.relationship)}" if contact.relationship else ""
    lines = [f"*{b.escaped(contact.name)}*{relationship}", state(contact), *note(contact), *advice(contact)]
    return [
        b.divider(),
        b.section("\n".join(lines)),
        *offers(contact, student_id),
        *_buttons(contact, student_id),
        *(_claim(contact) if contact.claimed_by and not contact.updated_at else []),
        *(_last_edit(contact) if contact.edits else []),
    ]


def state(contact: ContactCard) -> str:
    """Return the contact's method and number, and the number's status."""
    how = f"{b.METHOD_NAMES[contact.method]} · {b.masked(contact.phone)}"
    if contact.status:
        since = f" since\u00a0{b.date(contact.since)}" if contact.since else ""
        how += f" · {b.status(contact.status)}{since}"
    elif contact.is_tried and not contact.updated_at:
        how += " · 🟢 *No problem known*"
    return how


def offers(contact: ContactCard, student_id: int) -> list[Block]:
    """Return what is settled with one press: a conflict with the SIS, and a number that another record of the adult has."""
    conflicts = (edit for edit in contact.edits if edit.state is EditState.CONFLICT)
    return [
        *(block for edit in conflicts for block in _conflict(edit, contact.name)),
        *(_suggestion(contact, suggestion, student_id) for suggestion in contact.suggestions),
    ]


def note(contact: ContactCard) -> list[str]:
    """Show the words beside the number in the SIS; a second number among them is masked."""
    return [f"📝 In the student information system: “{b.escaped(masked_note(contact.note))}”"] if contact.note else []


def advice(contact: ContactCard) -> list[str]:
    """Return why texts do not arrive, with the evidence, and the next step."""
    if contact.updated_at:
        return [f"✏️ _Updated {b.date(contact.updated_at)}, waiting for the next mass message._"]
    if not contact.is_tried and contact.status is None and contact.method is ContactMethod.TEXT:
        return ["✏️ _New number. The next mass message shows whether texts arrive._"]
    if contact.status is None:
        return []
    if contact.noted:
        next_step = "Ask the family for another number, or allow texts if the note is out of date."
        return [f"{_NOTED[contact.noted]} _{next_step}_", *_wrong_person(contact)]
    known = MEANINGS[contact.status]
    next_step = known.next_step
    if contact.method is not ContactMethod.TEXT and contact.status not in NOT_CALLED:
        means = "autocalls" if contact.method is ContactMethod.CALL else "email"
        next_step = f"Gets {means} now, no texts."
    return [
        f"{known.explanation} _{next_step}_",
        *recorded_opt_out(contact),
        *_wrong_person(contact),
        *_texted_since(contact),
        *_evidence(contact),
    ]


def recorded_opt_out(contact: ContactCard) -> list[str]:
    """Say which colleague recorded a verbal opt-out; nothing for a texted one."""
    colleague = b.mention(contact.stopped_by)
    if not colleague or not contact.since or contact.status is not SmsStatus.OPT_OUT:
        return []
    return [f"Recorded by {colleague} on {b.date(contact.since)}."]


def _wrong_person(contact: ContactCard) -> list[str]:
    """Say who recorded or reported that the number belongs to someone else."""
    if not contact.wrong_person_by:
        return []
    if contact.status is not SmsStatus.WRONG_PERSON or not contact.since:
        return ["Also recorded: this number belongs to someone else."]
    colleague = b.mention(contact.wrong_person_by)
    who = f"Recorded by {colleague}" if colleague else _SOURCES.get(contact.wrong_person_by, "Reported by the provider")
    return [f"{who} on {b.date(contact.since)}."]


def _texted_since(contact: ContactCard) -> list[str]:
    """Say that a text arrived after the opt-out, and what to ask the family."""
    if not contact.texted_since:
        return []
    sentence = f"📬 A text sent on {b.date(contact.texted_since)} arrived all the same. Ask the family: “Do you want our texts?”"
    return [f"{sentence} _If yes, they text START from that phone. If no, tell the person who sends the messages._"]


def _evidence(contact: ContactCard) -> list[str]:
    """Say which text led to the status, and what the provider answered."""
    evidence = contact.evidence
    if evidence is None:
        return []
    reason = "No answer came in time."
    if evidence.answered:
        unknown = "An unknown reason." if evidence.code else "No reason was given."
        reason = evidence.meaning or unknown
    provider = " ".join(word for word in ((evidence.provider or "").title(), evidence.code) if word)
    answer = f"{provider}: {reason}" if provider else reason
    return [f"Why: “{b.escaped(evidence.message)}”, {b.date(evidence.sent_at)} · {answer}"]


def _buttons(contact: ContactCard, student_id: int) -> list[Block]:
    name, value = contact.name, str(contact.contact_id)
    is_texted = contact.phone and contact.method is ContactMethod.TEXT and contact.status is not SmsStatus.OPT_OUT
    buttons = []
    if is_texted and contact.status is SmsStatus.LANDLINE:
        version = f"{value} {contact.version}"
        label = f"Autocalls for {name}"
        buttons.append(b.button("Switch to autocall", ids.SWITCH_TO_CALL, version, style="primary", label=label))
    buttons.append(b.button("Edit", ids.EDIT, value, label=f"Edit {name}"))
    if contact.on_list and not contact.updated_at and not contact.claimed_by:
        buttons.append(b.button("I'll take it", ids.CLAIM, value, label=f"I take care of {name}"))
    if is_texted:
        buttons.append(b.button("Told us to stop", ids.OPT_OUT, value, label=f"{name} told us to stop"))
    if contact.noted:
        number = f"{student_id} {value} {contact.version}"
        allow = b.button("Allow texts", ids.ALLOW_TEXTS, number, label=f"Allow texts to {contact.name}")
        buttons.append(allow | {"confirm": _ALLOW})
    if contact.wrong_person_by:
        number = f"{student_id} {value} {contact.version}"
        undo = b.button("Undo wrong person", ids.VERIFIED, number, label=f"The number of {name} is right")
        buttons.append(undo | {"confirm": _VERIFIED})
    elif contact.phone:
        buttons.append(
            b.button("Wrong person", ids.WRONG_PERSON, value, label=f"The number of {name} is someone else's")
        )
    buttons.append(b.button("Remove", ids.REMOVE, value, style="danger", label=f"Remove {name}"))
    more = [b.option("Show number", f"{ids.SHOW_NUMBER} {value}"), b.option("History", f"{ids.HISTORY} {value}")]
    return b.actions([*buttons, b.overflow(ids.MORE, more)], block_id=f"contact.{value}")


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


def _claim(contact: ContactCard) -> list[Block]:
    since = f" since {b.date(contact.claimed_at)}" if contact.claimed_at else ""
    sentence = f"🙋 <@{contact.claimed_by}> has been taking care of this contact{since}."
    release = b.button("Release", ids.RELEASE, str(contact.contact_id), label=f"Release {contact.name}")
    return [b.section(sentence, accessory=release)]


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


def _last_edit(contact: ContactCard) -> list[Block]:
    """Offer Undo for the newest edit, except where the SIS disagrees with it: that choice comes first."""
    newest = contact.edits[0]
    if newest.state is EditState.CONFLICT:
        return []
    changed = f"✏️ Changed by <@{newest.made_by}> {b.date(newest.made_at)}, not yet in the student information system"
    label = f"Undo the change of {contact.name}"
    undo = b.button("Undo this change", ids.UNDO_EDIT, str(contact.undo_edit_id), label=label)
    return [b.context(changed), *b.actions([undo])]
