"""The rows of the list: a student with the contacts to fix, and a student who is not on the list."""

from bot.cleanup_list.query import ListedContact, StudentRow
from bot.db.models.base import ContactMethod
from bot.domain import grade
from bot.domain.display import plural
from bot.domain.sms_status import MEANINGS
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block

OPEN_STUDENT = "student.open"
_MAX_NAME = 60


def student_row(student: StudentRow, *, here: str, limit: int) -> Block:
    """Draw a student with at most `limit` contacts. The button carries the student's id and `here`, the text of this list."""
    lines = [" · ".join([f"*{b.escaped(student.name, _MAX_NAME)}*", *_place(student)])]
    if not student.textable and student.other_ways:
        lines.append("⚠️ *No adult can be texted*, but an adult can be called or emailed.")
    elif not student.textable:
        lines.append("⚠️ *No adult can be texted*, and none gets calls or email.")
    shown = student.listed[:limit]
    lines += [line for contact in shown for line in _contact_lines(contact)]
    if (more := len(student.listed) - limit) > 0:
        lines.append(f"… and {plural(more, 'more contact')}")
    # What to do, once per status; nothing for contacts who only wait.
    statuses = dict.fromkeys(contact.status for contact in shown if not contact.updated_at)
    lines += [f"→ _{MEANINGS[status].next_step}_" for status in statuses]
    button = b.button("Fix…", OPEN_STUDENT, f"{student.student_id} {here}", label=f"Fix contacts of {student.name}")
    return b.section("\n".join(lines), accessory=button)


def unlisted_row(student: StudentRow, *, here: str) -> Block:
    """Draw a student without a contact on the list, opened by the same button."""
    name = f"*{b.escaped(student.name, _MAX_NAME)}*"
    if student.textable:
        sentence = f"{name} is not on the list: their contacts can be texted, as far as we know."
    elif student.other_ways:
        sentence = f"{name} is not on the list: no adult gets texts, but one can be called or emailed."
    else:
        sentence = f"{name} is not on the list, and no adult can be texted now."
    place = " · ".join(_place(student))
    button = b.button("Open…", OPEN_STUDENT, f"{student.student_id} {here}", label=f"Open {student.name}")
    return b.section(f"{sentence}\n{place}" if place else sentence, accessory=button)


def _place(student: StudentRow) -> list[str]:
    level = [grade.label(student.grade)] if student.grade else []
    return [*level, *(b.escaped(name, _MAX_NAME) for name in (*student.teachers[:1], *student.schools[:1]))]


def _contact_lines(contact: ListedContact) -> list[str]:
    """The status is shown beside the number it belongs to; a number entered since is named as the new one."""
    relationship = f" ({b.escaped(contact.relationship, _MAX_NAME)})" if contact.relationship else ""
    number = b.masked(contact.listed_phone if contact.updated_at else contact.phone)
    since = f"since\u00a0{b.date(contact.since)}"
    lines = [f"{b.status(contact.status)} · {b.escaped(contact.name, _MAX_NAME)}{relationship} · {number} · {since}"]
    if contact.updated_at:
        updated = f"Updated {b.date(contact.updated_at)}, waiting for the next mass message."
        if contact.method is not ContactMethod.TEXT:
            means = "calls" if contact.method is ContactMethod.CALL else "email"
            updated = f"Gets {means} now, no texts. {updated}"
        elif contact.phone != contact.listed_phone:
            number = b.masked(contact.phone)
            if number == b.masked(contact.listed_phone):
                updated = f"The number is new; its last four digits are the same. {updated}"
            else:
                updated = f"The number is {number} now. {updated}"
        lines.append(f"✏️ _{updated}_")
    elif contact.claimed_by:
        lines.append(f"🙋 <@{contact.claimed_by}> takes care of it.")
    return lines
