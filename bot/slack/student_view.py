"""What the student dialog shows, contact by contact. Numbers are masked here; the edit dialog shows them."""

from bot import grade
from bot.cleanup_list import ContactCard, EditNote, Evidence, RemovedContact, Sibling, StudentCard
from bot.models import ContactMethod, EditState
from bot.slack import blocks as b
from bot.slack.blocks import Block
from bot.slack.origin import Origin
from bot.sms_status import SmsStatus, meaning
from bot.wording import METHODS, count

VIEW = "student.dialog"
EDIT, REMOVE, SPOKEN_STOP = "contact.edit", "contact.remove", "contact.spoken_stop"
UNDO_EDIT, UNDO_REMOVAL = "edit.undo", "removal.undo"
KEEP_OURS, TAKE_SIS = "conflict.keep_ours", "conflict.take_sis"
SETTLED = {"ours": "Kept what was entered here.", "sis": "Took what the student information system has."}
TAKE, FREE = "claim.take", "claim.free"
USE_SUGGESTED = "suggestion.use"
SWITCH_TO_CALL, SIBLING = "method.switch_to_call", "student.open_sibling"
MORE, SHOW_NUMBER, HISTORY = "contact.more", "number", "history"
FURTHER = "student.further_contacts"
_ROOM, _REMOVED, _SIBLINGS = 70, 8, 20
"""Blocks for contacts, and how many removed ones and siblings; a dialog has room for 100 blocks."""


def view(card: StudentCard, origin: Origin, *, done: str | None = None, first: int = 0) -> Block:
    """One student; `first` is the place of the contact to begin with, where one dialog has no room for all."""
    blocks = [
        *([b.section(f"✅ {done}")] if done else []),
        b.section(_about(card)),
        *_contacts(card, first),
        *_removed(card.removed),
        *_siblings(card.siblings),
    ]
    return b.modal(card.student.name, blocks, callback_id=VIEW, metadata=origin.as_metadata())


def _contacts(card: StudentCard, first: int) -> list[Block]:
    """As many contacts as there is room for, and a button to those after them, or from the last of them back to all."""
    blocks: list[Block] = []
    for place, one in enumerate(card.contacts[first:], first):
        more = _contact(one, card.student.student_id)
        if len(blocks) + len(more) > _ROOM:
            left = f"Show {count(len(card.contacts) - place, 'more contact')}"
            return [*blocks, b.divider(), *b.actions([b.button(left, FURTHER, str(place))])]
        blocks += more
    back = b.actions([b.button("Back to the first contacts", FURTHER, "0")]) if first else []
    return [*blocks, *back]


def _siblings(siblings: tuple[Sibling, ...]) -> list[Block]:
    """Other students of the same adults: whoever fixes one number has often the next one at hand."""
    if not siblings:
        return []
    shown = siblings[:_SIBLINGS]
    buttons = [b.button(one.name, f"{SIBLING}.{place}", str(one.student_id)) for place, one in enumerate(shown)]
    more = f" (the first {_SIBLINGS} of {len(siblings):,})" if len(siblings) > _SIBLINGS else ""
    return [b.divider(), b.context(f"The same adults are also contacts of{more}:"), *b.actions(buttons)]


def _about(card: StudentCard) -> str:
    one = card.student
    level = grade.title(one.grade) if one.grade else "No grade"
    where = " · ".join([level, *(b.escaped(name) for name in (*one.schools, *one.teachers))])
    if not card.contacts:
        return f"*{b.escaped(one.name)}*\n{where}\n⚠️ *No contacts at all.* Add one in the student information system."
    reached = "" if one.textable else "\n⚠️ *No adult can be texted.*"
    return f"*{b.escaped(one.name)}*\n{where}{reached}"


def _contact(one: ContactCard, student_id: int) -> list[Block]:
    value = str(one.contact_id)
    texted = one.phone and one.method is ContactMethod.TEXT and not one.opted_out
    rings = texted and one.status is SmsStatus.LANDLINE
    more = [b.option("Show number", f"{SHOW_NUMBER} {value}"), b.option("History", f"{HISTORY} {value}")]
    buttons = [
        *([_switch(one)] if rings else []),
        b.button("Edit", EDIT, value, label=f"Edit {one.name}"),
        *([b.button("I'll take it", TAKE, value, label=f"I take care of {one.name}")] if _is_free(one) else []),
        *([b.button("Told us to stop", SPOKEN_STOP, value, label=f"{one.name} told us to stop")] if texted else []),
        b.button("Remove", REMOVE, value, style="danger", label=f"Remove {one.name}"),
        b.overflow(MORE, more),
    ]
    return [
        b.divider(),
        b.section("\n".join([_who(one), _reached(one), *_advice(one)])),
        *(block for edit in one.edits if edit.state is EditState.CONFLICT for block in _conflict(edit, one.name)),
        *_suggested(one, student_id),
        *b.actions(buttons, block_id=f"contact.{value}"),
        *_claim(one),
        *_last_edit(one),
    ]


def _suggested(one: ContactCard, student_id: int) -> list[Block]:
    """Another record's number, for a person to take: whose child's record it is stays untold."""
    if one.suggestion is None:
        return []
    number = b.masked(one.suggestion.phone)
    said = f"💡 Another record of {b.escaped(one.name)} has {number}, which texts reach as far as we know."
    value = f"{student_id} {one.contact_id} {one.version} {one.suggestion.contact_id}"
    use = b.button(f"Use {number}", USE_SUGGESTED, value, style="primary", label=f"Use {number} for {one.name}")
    return [b.section(said, accessory=use)]


def _is_free(one: ContactCard) -> bool:
    return one.on_list and not one.updated_at and not one.claimed_by


def _claim(one: ContactCard) -> list[Block]:
    if one.claimed_by is None or one.claimed_at is None or one.updated_at:
        return []
    free = b.button("Free it again", FREE, str(one.contact_id), label=f"Nobody takes care of {one.name} any more")
    said = f"🙋 <@{one.claimed_by}> has been taking care of this contact since {b.date(one.claimed_at)}."
    return [b.section(said, accessory=free)]


def _switch(one: ContactCard) -> Block:
    value = f"{one.contact_id} {one.version}"
    return b.button("Switch to autocall", SWITCH_TO_CALL, value, style="primary", label=f"Autocalls for {one.name}")


def _who(one: ContactCard) -> str:
    relation = f" · {b.escaped(one.relationship)}" if one.relationship else ""
    return f"*{b.escaped(one.name)}*{relation}"


def _reached(one: ContactCard) -> str:
    how = f"{METHODS[one.method]} · {b.masked(one.phone)}"
    if one.status is None:
        return how if one.updated_at else f"{how} · 🟢 *No problem known*"
    since = f" since\u00a0{b.date(one.since)}" if one.since else ""
    return f"{how} · {b.status(one.status)}{since}"


def _advice(one: ContactCard) -> list[str]:
    if one.updated_at:
        return [f"✏️ _Updated {b.date(one.updated_at)}, waiting for the next mass message._"]
    if one.status is None:
        return []
    return [f"{meaning(one.status).explanation} _{meaning(one.status).next_step}_", *recorded(one), *_why(one.why)]


def recorded(one: ContactCard) -> list[str]:
    """Which colleague wrote down that they said STOP, where it was none of their texts that did."""
    by = b.mention(one.stopped_by)
    return [f"Recorded by {by} on {b.date(one.since)}."] if by and one.since and one.status is SmsStatus.OPT_OUT else []


def _why(why: Evidence | None) -> list[str]:
    """Which text taught us the status, and what the provider answered to it."""
    if why is None:
        return []
    said = " ".join(word for word in ((why.provider or "").title(), why.code) if word)
    reason = why.meaning or ("A reason that is new to us." if why.code else "No reason was given.")
    answer = reason if why.answered else "No answer came in time."
    return [f"Why: “{b.escaped(why.message)}”, {b.date(why.sent_at)} · {f'{said}: ' if said else ''}{answer}"]


def _conflict(edit: EditNote, name: str) -> list[Block]:
    theirs, ours = b.value_of(edit.field, edit.sis_value), b.value_of(edit.field, edit.value)
    since = f"Since {b.date(edit.sis_at)} it" if edit.sis_at else "It"
    text = (
        f"⚖️ *The student information system disagrees.* {since} has {theirs}; "
        f"<@{edit.made_by}> entered {ours} on {b.date(edit.made_at)}."
    )
    value = str(edit.edit_id)
    choices = [
        b.button(f"Keep ours: {ours}", KEEP_OURS, value, style="primary", label=f"Keep ours of {name}"),
        b.button(f"Take the SIS's: {theirs}", TAKE_SIS, value, label=f"Take the SIS's of {name}"),
    ]
    return [b.section(text), *b.actions(choices)]


def _last_edit(one: ContactCard) -> list[Block]:
    """The change that Undo takes back. Where the SIS disagrees with it, the choice above is what is to be made."""
    if not one.edits or one.edits[0].state is EditState.CONFLICT:
        return []
    newest = one.edits[0]
    said = f"✏️ Changed by <@{newest.made_by}> {b.date(newest.made_at)}, not yet in the student information system"
    undo = b.button("Undo this change", UNDO_EDIT, str(one.undo_edit_id), label=f"Undo the change of {one.name}")
    return [b.context(said), *b.actions([undo])]


def _removed(removed: tuple[RemovedContact, ...]) -> list[Block]:
    """The newest of those who were removed; bringing one back makes room for the next."""
    more = len(removed) - _REMOVED
    blocks = [
        block
        for one in removed[:_REMOVED]
        for block in (
            b.divider(),
            b.section(
                f"~{b.escaped(one.name)}~ removed by <@{one.made_by}> {b.date(one.made_at)}: {b.escaped(one.reason)}",
                accessory=b.button("Undo", UNDO_REMOVAL, str(one.removal_id), label=f"Bring back {one.name}"),
            ),
        )
    ]
    return [*blocks, *([b.context(f"… and {more:,} more removed before these.")] if more > 0 else [])]
