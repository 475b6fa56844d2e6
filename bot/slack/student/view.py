"""The student dialog: the student, contact by contact, those removed, and the other students of the same adults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.cleanup_list.student import ContactCard, RemovedContact, Sibling, StudentCard
from bot.db.models.edits import EditState
from bot.db.models.teacher_questions import TeacherAnswer
from bot.domain import grade, phone
from bot.domain.display import plural
from bot.settings import Settings
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.kit.open_views import Notice
from bot.slack.kit.private_metadata import DialogOrigin
from bot.slack.student import contact_block, ids, notice

# A dialog takes 100 blocks: so many for contacts, and at most so many removed ones and siblings.
_CONTACT_BLOCKS, _MAX_REMOVED, _MAX_SIBLINGS = 70, 8, 20
_MAX_NAMED, _MAX_NAME = 3, 60
_ANSWERS: Mapping[TeacherAnswer | None, str] = {
    None: "no answer yet",
    TeacherAnswer.NUMBER: "a number, in a message to the office",
    TeacherAnswer.TRY_OTHER: "someone else to try, in a message to the office",
    TeacherAnswer.NO_IDEA: "no idea",
}


@dataclass(frozen=True)
class Shown:
    """How much of a student is shown: contacts from the position `first`, those without a problem too, and whole numbers by
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
        *_contacts(card, shown or Shown(), our_number),
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


def _contacts(card: StudentCard, shown: Shown, our_number: str | None) -> list[Block]:
    """Draw as many contacts as fit, and a button to the rest, or from the last of them back to the first."""
    blocks: list[Block] = []
    explained: set[str] = set()
    contacts = sorted(card.contacts, key=_trouble)
    healthy = [contact for contact in contacts if contact_block.is_healthy(contact)]
    is_collapsed = not shown.healthy and len(healthy) < len(contacts)
    drawn = contacts[: len(contacts) - len(healthy)] if is_collapsed else contacts
    for position, contact in enumerate(drawn[shown.first :], shown.first):
        number = shown.numbers.get(contact.contact_id)
        more = contact_block.draw(
            contact,
            card.student.student_id,
            first=shown.first,
            whole_number=number,
            explained=explained,
            our_number=our_number,
        )
        if len(blocks) + len(more) > _CONTACT_BLOCKS:
            label = f"Show {plural(len(contacts) - position, 'more contact')}"
            return [*blocks, b.divider(), *b.actions([b.button(label, ids.MORE_CONTACTS, str(position))])]
        blocks += more
    if is_collapsed and healthy:
        return [*blocks, *_collapsed(healthy)]
    back = b.actions([b.button("Back to the first contacts", ids.MORE_CONTACTS, "0")]) if shown.first else []
    return [*blocks, *back]


def _trouble(contact: ContactCard) -> int:
    """Return 0 for a contact to fix, 1 for one that waits or cannot be fixed here, 2 for one without a problem."""
    is_disputed = any(edit.state is EditState.CONFLICT for edit in contact.edits)
    if is_disputed or (contact.on_list and not contact.updated_at):
        return 0
    return 2 if contact_block.is_healthy(contact) else 1


def _collapsed(healthy: Sequence[ContactCard]) -> list[Block]:
    names = ", ".join(b.escaped(contact.name, _MAX_NAME) for contact in healthy[:_MAX_NAMED])
    more = f" and {len(healthy) - _MAX_NAMED:,} more" if len(healthy) > _MAX_NAMED else ""
    sentence = f"🟢 {plural(len(healthy), 'contact')} without a problem: {names}{more}"
    show = b.button("Show", ids.HEALTHY_CONTACTS, "0", label="Show the contacts without a problem")
    return [b.divider(), b.section(sentence, accessory=show)]


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
