"""The student dialog: the student, contact by contact, those removed, and the other students of the same adults."""

from bot.cleanup_list.student import RemovedContact, Sibling, StudentCard
from bot.domain import grade
from bot.domain.display import plural
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.kit.open_views import Notice
from bot.slack.kit.private_metadata import DialogOrigin
from bot.slack.student import contact_block, ids, notice

# A dialog takes 100 blocks: so many for contacts, and at most so many removed ones and siblings.
_CONTACT_BLOCKS, _MAX_REMOVED, _MAX_SIBLINGS = 70, 8, 20


def view(card: StudentCard, origin: DialogOrigin, *, done: Notice | None = None, first: int = 0) -> Block:
    """Draw a student; `first` is the position of the contact to begin with, where one dialog cannot hold them all."""
    blocks = [
        *(notice.above_student(done) if done else []),
        b.section(_summary(card)),
        *_contacts(card, first),
        *(_removed(card.removed) if card.removed else []),
        *(_siblings(card.siblings) if card.siblings else []),
    ]
    return b.modal(card.student.name, blocks, callback_id=ids.VIEW, metadata=origin.as_metadata())


def _summary(card: StudentCard) -> str:
    student = card.student
    level = grade.title(student.grade) if student.grade else "No grade"
    place = " · ".join([level, *(b.escaped(name) for name in (*student.schools, *student.teachers))])
    # The title has the name already, as far as it fits.
    name = [f"*{b.escaped(student.name)}*"] if len(student.name) > b.TITLE else []
    lines = [*name, place]
    if not card.contacts:
        lines.append("⚠️ *No contacts at all.* Add one in the student information system.")
    elif not student.textable:
        lines.append("⚠️ *No adult can be texted.*")
    return "\n".join(lines)


def _contacts(card: StudentCard, first: int) -> list[Block]:
    """Draw as many contacts as fit, and a button to the rest, or from the last of them back to the first."""
    blocks: list[Block] = []
    for position, contact in enumerate(card.contacts[first:], first):
        more = contact_block.draw(contact, card.student.student_id)
        if len(blocks) + len(more) > _CONTACT_BLOCKS:
            label = f"Show {plural(len(card.contacts) - position, 'more contact')}"
            return [*blocks, b.divider(), *b.actions([b.button(label, ids.MORE_CONTACTS, str(position))])]
        blocks += more
    back = b.actions([b.button("Back to the first contacts", ids.MORE_CONTACTS, "0")]) if first else []
    return [*blocks, *back]


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
