"""What people read of a bulk change: its dialogs, its progress, its answer, and the direct message with *Undo all*.

The message has counts and reasons only: messages are kept and exported. Names are in dialogs.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from bot.cleanup_list.bulk_preview import MAX_CONTACTS, BulkPreview, PreviewContact, PreviewStudent
from bot.cleanup_list.claims import CLAIM_DURATION
from bot.contact_edits.bulk import UNDO_FOR, BulkResult
from bot.contact_edits.remove import RemovalReason
from bot.db.models.bulk import BulkAction, BulkChange, BulkOutcome
from bot.domain import grade
from bot.domain.display import plural
from bot.domain.sms_status import MEANINGS
from bot.filters.filter import Filter, describe
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block, Card

START, START_CALLS = "list.bulk_start", "list.bulk_calls_start"
UNDO, WHO_STAYED = "list.bulk_undo", "list.bulk_stayed"
WHICH, CONTACTS, ACTION = "which", "who", "what"
ALL, SOME = "all", "some"
_TITLE = "Bulk edit"
_UNDO_HINT = "You can undo it all for 24 hours."
# Contacts to choose from, so that a dialog stays well under the 250 kB that Slack accepts; options of a group.
_MAX_CHOICES, _GROUP = 500, 100
# Reasons in an answer, and names under each: a section has space for some 35.
_MAX_REASONS, _MAX_NAMES, _MAX_OTHERS = 20, 30, 8


# Dialogs.


def choice_dialog(which: Filter, preview: BulkPreview, *, metadata: str) -> Block:
    count = len(preview.contacts)
    choices = [b.option("All of them" if count == 1 else f"All {count:,} in this list", ALL)]
    selection = []
    if count <= _MAX_CHOICES:
        choices.append(b.option("Only those chosen here:", SOME))
        selection = [b.input_block(CONTACTS, "Contacts", _selection(preview.contacts), optional=True)]
    actions = [
        b.option("I'll take these", BulkAction.CLAIM, description=f"Colleagues see it for {CLAIM_DURATION.days} days"),
        b.option("Switch to autocall", BulkAction.CALL, description="The same number gets autocalls, and no texts"),
        *(
            b.option(
                f"Remove from all students: {reason.sentence[0].lower()}{reason.sentence[1:]}",
                f"{BulkAction.REMOVE} {reason}",
            )
            for reason in RemovalReason
        ),
    ]
    blocks = [
        b.section(
            f"*{b.escaped(describe(which))}* · {plural(count, 'contact')} to fix, on all pages{_others(preview)}"
        ),
        b.input_block(WHICH, "Which contacts?", b.radio_buttons(choices)),
        *selection,
        b.input_block(ACTION, "What should happen to them?", b.radio_buttons(actions)),
        b.context(
            "*Remove* here takes a contact away from all of their students; in the dialog of a student, it can be that student "
            f"only. {_UNDO_HINT}"
        ),
    ]
    return b.modal(_TITLE, blocks, callback_id=START, metadata=metadata, submit="Apply")


def calls_dialog(which: Filter, preview: BulkPreview, *, metadata: str) -> Block:
    """Return the confirmation of *Switch all landlines to autocalls*."""
    count = len(preview.contacts)
    gets = "gets" if count == 1 else "get"
    sentence = (
        f"*{plural(count, 'landline')}* {gets} autocalls from now on, and no texts. The numbers stay as they are."
    )
    blocks = [
        b.section(f"*{b.escaped(describe(which))}*\n{sentence}{_others(preview)}"),
        b.context(f"Landlines cannot receive texts. {_UNDO_HINT}"),
    ]
    return b.modal(
        "Switch to autocalls", blocks, callback_id=START_CALLS, metadata=metadata, submit=f"Switch {count:,}"
    )


def _others(preview: BulkPreview) -> str:
    """Return a line with the students outside the list that the contacts belong to, too."""
    others = preview.others
    if not others:
        return ""
    names = [_student(student) for student in others[:_MAX_OTHERS]]
    more = len(others) - len(names)
    rest = f", and {more:,} more" if more else ""
    return f"\nThey are also contacts of {plural(len(others), 'student')} outside this list: {', '.join(names)}{rest}."


def _student(student: PreviewStudent) -> str:
    level = f" ({grade.short(student.grade)})" if student.grade else ""
    return f"{b.escaped(student.name)}{level}"


def _selection(contacts: Sequence[PreviewContact]) -> Block:
    """Return a menu in which people search by typing; Slack accepts a hundred options, or groups of a hundred."""
    element: Block = {"type": "multi_static_select", "placeholder": b.plain("Type a name")}
    if len(contacts) <= _GROUP:
        return element | {"options": list(map(_option, contacts))}
    groups: list[Block] = []
    by_grade = groupby(sorted(contacts, key=_grade_order), key=lambda contact: contact.student.grade)
    for level, of_grade in by_grade:
        options = list(map(_option, of_grade))
        label = b.plain(grade.title(level) if level else "No grade")
        groups += [{"label": label, "options": options[at : at + _GROUP]} for at in range(0, len(options), _GROUP)]
    return element | {"option_groups": groups}


def _grade_order(contact: PreviewContact) -> int:
    return grade.order(contact.student.grade) if contact.student.grade else -1


def _option(contact: PreviewContact) -> Block:
    also = ", ".join(_plain_student(student) for student in contact.others)
    text = f"{contact.name} ({contact.student.name}), {MEANINGS[contact.status].label}"
    return b.option(text, str(contact.contact_id), description=f"Also {also}" if also else None)


def _plain_student(student: PreviewStudent) -> str:
    return f"{student.name} ({grade.short(student.grade)})" if student.grade else student.name


def nothing_to_do(preview: BulkPreview) -> Block:
    """Return the dialog of a list that has nothing to change, or too much."""
    sentence = "✅ No contact of this list is left to fix."
    if preview.is_too_long:
        sentence = (
            f"This list is too long: at most {MAX_CONTACTS:,} contacts can be changed at once. Narrow it by school, grade, or "
            "status first, and press the button again."
        )
    return dialog([b.section(sentence)])


def dialog(blocks: Sequence[Block]) -> Block:
    return b.modal(_TITLE, blocks, callback_id=START, metadata="{}")


# Progress and answer.


def progress(change: BulkChange, done: int, total: int) -> Block:
    word = "undone" if change.undo_at else "done"
    sentence = f"⏳ *{done:,} of {total:,}* {word}. You may close this: the answer comes as a direct message, too."
    return dialog([b.section(sentence)])


def answer(change: BulkChange, result: BulkResult, *, now: datetime) -> Block:
    """Return the answer in the dialog, with names."""
    can_undo = change.started_at is not None and now - change.started_at <= UNDO_FOR
    undo = _undo_button(change, result) if can_undo else []
    return dialog([*_headline(change, result), *_refusals(result), *b.actions(undo)])


def who_stayed(result: BulkResult) -> Block:
    return dialog(list(_refusals(result)) or [b.section("✅ None stayed as it was.")])


def message(change: BulkChange, result: BulkResult) -> Card:
    """Return the direct message: counts and reasons, without names."""
    blocks = _headline(change, result)
    for reason in list(result.names_by_reason)[:_MAX_REASONS]:
        number = len(result.names_by_reason[reason]) + result.hidden_by_reason[reason]
        blocks.append(b.context(f"{plural(number, 'contact')}: {b.escaped(reason)}"))
    names = [b.button("Show names", WHO_STAYED, str(change.id))] if result.names_by_reason else []
    blocks += b.actions([*_undo_button(change, result), *names])
    return Card(blocks, "Contact Cleanup has changed the contacts that you chose.")


def _headline(change: BulkChange, result: BulkResult) -> list[Block]:
    undone, kept = (result.counts.get(outcome, 0) for outcome in (BulkOutcome.UNDONE, BulkOutcome.KEPT))
    changed = result.counts.get(BulkOutcome.CHANGED, 0)
    facts = []
    if changed:
        facts.append(f"✅ {_SENTENCES[BulkAction(str(change.action))](changed)}.")
    if undone:
        facts.append(f"↩️ {plural(undone, 'contact is', 'contacts are')} as before.")
    if kept:
        facts.append(f"⚠️ *{plural(kept, 'contact was', 'contacts were')} not changed back:*")
    if result.stayed:
        facts.append(f"⚠️ *{plural(result.stayed, 'contact stayed as it was', 'contacts stayed as they were')}:*")
    return [b.section("\n".join(facts or ["Nothing was changed: the contacts were deleted meanwhile."]))]


_SENTENCES = {
    BulkAction.CLAIM: lambda number: plural(number, "contact is yours now", "contacts are yours now"),
    BulkAction.CALL: lambda number: plural(
        number, "contact gets autocalls from now on", "contacts get autocalls from now on"
    ),
    BulkAction.REMOVE: lambda number: (
        f"{plural(number, 'contact was removed', 'contacts were removed')} from all of their students"
    ),
}


def _refusals(result: BulkResult) -> Iterator[Block]:
    for reason, names in list(result.names_by_reason.items())[:_MAX_REASONS]:
        shown = [f"• {b.escaped(name)}" for name in names[:_MAX_NAMES]]
        rest = len(names) - len(shown) + result.hidden_by_reason[reason]
        more = [f"• {plural(rest, 'more contact' if shown else 'contact')}"] if rest else []
        yield b.section("\n".join([b.escaped(reason), *shown, *more]))


def _undo_button(change: BulkChange, result: BulkResult) -> list[Block]:
    """Return *Undo all*, or nothing where it was pressed already or nothing was changed."""
    changed = result.counts.get(BulkOutcome.CHANGED, 0)
    if change.undo_at or not changed:
        return []
    question = f"{plural(changed, 'contact goes', 'contacts go')} back as before, unless changed again since."
    undo = b.button("Undo all", UNDO, str(change.id))
    return [undo | {"confirm": b.confirm("Undo all of this?", question, yes="Undo all")}]
