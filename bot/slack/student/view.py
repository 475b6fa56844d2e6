"""What the student dialog shows, contact by contact. Numbers are masked here; the edit dialog shows them."""

from bot.cleanup_list.cards import ActiveEdit, ContactCard, Evidence, RemovedContact, Sibling, StudentCard
from bot.db.models.base import ContactMethod
from bot.db.models.edits import EditState
from bot.domain import grade
from bot.domain.plural import plural
from bot.domain.sms_status import SmsStatus, meaning
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.kit.private_metadata import DialogOrigin
from bot.wording import say

VIEW = "student.dialog"
EDIT, REMOVE, SPOKEN_STOP = "contact.edit", "contact.remove", "contact.spoken_stop"
UNDO_EDIT, UNDO_REMOVAL = "edit.undo", "removal.undo"
KEEP_OURS, TAKE_SIS = "conflict.keep_ours", "conflict.take_sis"
TAKE, FREE = "claim.take", "claim.free"
USE_SUGGESTED = "suggestion.use"
SWITCH_TO_CALL, SIBLING = "method.switch_to_call", "student.open_sibling"
MORE, SHOW_NUMBER, HISTORY = "contact.more", "number", "history"
FURTHER = "student.further_contacts"
_ROOM, _REMOVED, _SIBLINGS = 70, 8, 20
"""Blocks for contacts, and how many removed ones and siblings; a dialog has room for 100 blocks."""


def view(card: StudentCard, origin: DialogOrigin, *, done: str | None = None, first: int = 0) -> Block:
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
            left = b.button(f"Show {plural(len(card.contacts) - place, 'more contact')}", FURTHER, str(place))
            return [*blocks, b.divider(), *b.actions([left])]
        blocks += more
    back = b.actions([b.button("Back to the first contacts", FURTHER, "0")]) if first else []
    return [*blocks, *back]


def _siblings(siblings: tuple[Sibling, ...]) -> list[Block]:
    """Other students of the same adults: whoever fixes one number has often the next one at hand."""
    if not siblings:
        return []
    shown = siblings[:_SIBLINGS]
    buttons = [b.button(one.name, f"{SIBLING}.{place}", str(one.student_id)) for place, one in enumerate(shown)]
    said = (
        f"The same adults are also contacts of (the first {_SIBLINGS} of {len(siblings):,}):"
        if len(siblings) > _SIBLINGS
        else "The same adults are also contacts of:"
    )
    return [b.divider(), b.context(said), *b.actions(buttons)]


def _about(card: StudentCard) -> str:
    one = card.student
    level = grade.title(one.grade) if one.grade else "No grade"
    where = " · ".join([level, *(b.escaped(name) for name in (*one.schools, *one.teachers))])
    lines = [f"*{b.escaped(one.name)}*", where]
    if not card.contacts:
        lines.append("⚠️ *No contacts at all.* Add one in the student information system.")
    elif not one.textable:
        lines.append("⚠️ *No adult can be texted.*")
    return "\n".join(lines)


def _contact(one: ContactCard, student_id: int) -> list[Block]:
    value = str(one.contact_id)
    texted = one.phone and one.method is ContactMethod.TEXT and not one.opted_out
    rings = texted and one.status is SmsStatus.LANDLINE
    more = [
        b.option("Show number", f"{SHOW_NUMBER} {value}"),
        b.option("History", f"{HISTORY} {value}"),
    ]
    buttons = [
        *([_switch(one)] if rings else []),
        _button("edit", one.name, EDIT, value),
        *([_button("take", one.name, TAKE, value)] if _is_free(one) else []),
        *([_button("stop", one.name, SPOKEN_STOP, value)] if texted else []),
        _button("remove", one.name, REMOVE, value, style="danger"),
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


def _button(said: str, name: str, action_id: str, value: str, *, style: str | None = None, **shown: str) -> Block:
    """A button that is read aloud with the name of the contact; `shown` is what stands in its words."""
    aloud = say(f"student_view.aloud.{said}", name=name, **shown)
    return b.button(say(f"student_view.button.{said}", **shown), action_id, value, style=style, label=aloud)


def _suggested(one: ContactCard, student_id: int) -> list[Block]:
    """Another record's number, for a person to take: whose child's record it is stays untold."""
    if one.suggestion is None:
        return []
    number = b.masked(one.suggestion.phone)
    value = f"{student_id} {one.contact_id} {one.version} {one.suggestion.contact_id}"
    use = _button("use", one.name, USE_SUGGESTED, value, style="primary", number=number)
    return [
        b.section(
            f"💡 Another record of {b.escaped(one.name)} has {number}, which texts reach as far as we know.",
            accessory=use,
        )
    ]


def _is_free(one: ContactCard) -> bool:
    return one.on_list and not one.updated_at and not one.claimed_by


def _claim(one: ContactCard) -> list[Block]:
    if one.claimed_by is None or one.claimed_at is None or one.updated_at:
        return []
    said = f"🙋 <@{one.claimed_by}> has been taking care of this contact since {b.date(one.claimed_at)}."
    return [b.section(said, accessory=_button("free", one.name, FREE, str(one.contact_id)))]


def _switch(one: ContactCard) -> Block:
    value = f"{one.contact_id} {one.version}"
    return _button("switch_to_call", one.name, SWITCH_TO_CALL, value, style="primary")


def _who(one: ContactCard) -> str:
    relation = f" · {b.escaped(one.relationship)}" if one.relationship else ""
    return f"*{b.escaped(one.name)}*{relation}"


def _reached(one: ContactCard) -> str:
    how = f"{say(f'method.{one.method}')} · {b.masked(one.phone)}"
    if one.status is None:
        return how if one.updated_at else f"{how} · {say('student_view.no_problem')}"
    status = b.status(one.status)
    told = f"{status} since\u00a0{b.date(one.since)}" if one.since else status
    return f"{how} · {told}"


def _advice(one: ContactCard) -> list[str]:
    if one.updated_at:
        return [f"✏️ _Updated {b.date(one.updated_at)}, waiting for the next mass message._"]
    if one.status is None:
        return []
    return [f"{meaning(one.status).explanation} _{_next_step(one, one.status)}_", *recorded(one), *_why(one.why)]


def _next_step(one: ContactCard, status: SmsStatus) -> str:
    """Nothing is left to do for whoever gets no texts any more; a number out of service is one that nobody can call either."""
    if one.method is ContactMethod.TEXT or status is SmsStatus.INACTIVE:
        return meaning(status).next_step
    return say(f"student_view.not_texted.{one.method}")


def recorded(one: ContactCard) -> list[str]:
    """Which colleague wrote down that they said STOP, where it was none of their texts that did."""
    by = b.mention(one.stopped_by)
    if not by or not one.since or one.status is not SmsStatus.OPT_OUT:
        return []
    return [f"Recorded by {by} on {b.date(one.since)}."]


def _why(why: Evidence | None) -> list[str]:
    """Which text taught us the status, and what the provider answered to it."""
    if why is None:
        return []
    said = " ".join(word for word in ((why.provider or "").title(), why.code) if word)
    reason = why.meaning or ("A reason that is new to us." if why.code else "No reason was given.")
    answer = reason if why.answered else "No answer came in time."
    whole = f"{said}: {answer}" if said else answer
    return [f"Why: “{b.escaped(why.message)}”, {b.date(why.sent_at)} · {whole}"]


def _conflict(edit: ActiveEdit, name: str) -> list[Block]:
    theirs, ours = b.value_of(edit.field, edit.sis_value), b.value_of(edit.field, edit.value)
    facts = {"theirs": theirs, "who": f"<@{edit.made_by}>", "ours": ours, "day": b.date(edit.made_at)}
    text = (
        say("student_view.disagrees_since", since=b.date(edit.sis_at), **facts)
        if edit.sis_at
        else say("student_view.disagrees", **facts)
    )
    value = str(edit.edit_id)
    choices = [
        _button("keep_ours", name, KEEP_OURS, value, style="primary", ours=ours),
        _button("take_sis", name, TAKE_SIS, value, theirs=theirs),
    ]
    return [b.section(text), *b.actions(choices)]


def _last_edit(one: ContactCard) -> list[Block]:
    """The change that Undo takes back. Where the SIS disagrees with it, the choice above is what is to be made."""
    if not one.edits or one.edits[0].state is EditState.CONFLICT:
        return []
    newest = one.edits[0]
    said = f"✏️ Changed by <@{newest.made_by}> {b.date(newest.made_at)}, not yet in the student information system"
    return [b.context(said), *b.actions([_button("undo_edit", one.name, UNDO_EDIT, str(one.undo_edit_id))])]


def _removed(removed: tuple[RemovedContact, ...]) -> list[Block]:
    """The newest of those who were removed; bringing one back makes room for the next."""
    more = len(removed) - _REMOVED
    blocks = [block for one in removed[:_REMOVED] for block in (b.divider(), _gone(one))]
    return [*blocks, *([b.context(f"… and {more:,} more removed before these.")] if more > 0 else [])]


def _gone(one: RemovedContact) -> Block:
    name, who, reason = b.escaped(one.name), f"<@{one.made_by}>", b.escaped(one.reason)
    undo = _button("undo_removal", one.name, UNDO_REMOVAL, str(one.removal_id))
    return b.section(f"~{name}~ removed by {who} {b.date(one.made_at)}: {reason}", accessory=undo)
