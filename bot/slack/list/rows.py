"""The rows of the list, at most three lines each: a student, and a line for each contact to fix.

Siblings are one call: a contact stands once, under the first of the students in the order of the list
(`bot.cleanup_list.page.ranking`), with the others named beside it. A student whose contacts all stand under a student further
up has no row; a line below the rows names such students, so that each student of a page can be found on it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import chain, groupby

from bot.cleanup_list import calls
from bot.cleanup_list.query import ListedContact, OtherStudent, StudentRow
from bot.db.models.base import ContactMethod
from bot.domain import grade
from bot.domain.sms_status import GROUP_WORDS, MEANINGS, WAITS_FOR_FAMILY, WORK_ORDER, SmsStatus
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block

OPEN_STUDENT = "student.open"
_MAX_NAME = 60
_MAX_OTHERS = 3
_SHARED_DATES = 4
_SINCE = "since\u00a0{date_short_pretty}"
_FIXED = "fixed\u00a0{date_short_pretty}"


def draw(
    students: Sequence[StudentRow], *, here: str, contacts: int, has_schools: bool, our_number: str | None
) -> list[Block]:
    """Return what to do, once for each status, and the rows with a heading over each kind of them.

    `here` is the text of this list, which the buttons carry; a row names at most so many `contacts`.
    """
    own = {row.student_id: [contact for contact in row.listed if not contact.stands_above] for row in students}
    with_rows = [student for student in students if own[student.student_id]]
    shown = [contact for student in with_rows for contact in own[student.student_id][:contacts]]
    since = _common_date(shown)
    is_mixed = len({contact.status for contact in shown}) > 1
    blocks = _advice(shown, our_number, since)
    for heading, group in groupby(with_rows, key=_heading):
        blocks.append(b.context(heading))
        for student in group:
            adults = own[student.student_id]
            lines = [
                _contact_line(contact, student, is_mixed=is_mixed, has_date=since is None)
                for contact in adults[:contacts]
            ]
            if (more := len(adults) - contacts) > 0:
                lines[-1] += f" · and {more} more"
            blocks.append(_section(student, lines, here=here, has_schools=has_schools))
    if above := [_seen_above(student) for student in students if not own[student.student_id]]:
        blocks.append(b.context(f"Listed with a contact of a student further up: {', '.join(above)}."))
    return blocks


def _heading(student: StudentRow) -> str:
    """Return the words over the rows of one kind, of which the students come together in the order of the list."""
    to_fix = [contact for contact in student.listed if not contact.updated_at]
    if not to_fix:
        return "✏️ *Waiting for the next message*"
    reach = "Another adult can be texted" if student.textable else _without_adult(student)
    if all(contact.status is SmsStatus.OPT_OUT for contact in to_fix):
        return f"*{WAITS_FOR_FAMILY}* · {reach}"
    return f"*{reach}*"


def _without_adult(student: StudentRow) -> str:
    """Return what messages reach the family; a landline that gets no autocalls can still be called by hand."""
    if student.other_ways:
        return "⚠️ No adult gets texts, but one gets autocalls or email"
    return "⚠️ No adult gets texts, autocalls, or email"


def _common_date(contacts: Sequence[ListedContact]) -> datetime | None:
    """Return since when all contacts to fix are on the list, None if that differs, or if each of a few can say it."""
    dates = [contact.since for contact in contacts if not contact.updated_at]
    is_common = len(dates) >= _SHARED_DATES and max(dates) - min(dates) < timedelta(hours=1)
    return max(dates) if is_common else None


def _advice(contacts: Sequence[ListedContact], our_number: str | None, since: datetime | None) -> list[Block]:
    """Return what to do, once for each status of a contact that is not fixed, and the date that all of them have."""
    lines: dict[str, list[str]] = {}
    for status in sorted({contact.status for contact in contacts if not contact.updated_at}, key=WORK_ORDER.index):
        step = b.next_step(status, our_number)
        line = f"{MEANINGS[status].label}: {step[0].lower()}{step[1:]}"
        lines.setdefault(f"{b.DOTS[status]}\u00a0*{GROUP_WORDS[status]}*", []).append(line)
    texts = ["\n".join([words, *steps]) for words, steps in lines.items()]
    texts += [f"All of these are on the list {b.date(since, style=_SINCE)}."] if since else []
    return [b.context("\n".join(texts))] if texts else []


def _seen_above(student: StudentRow) -> str:
    """Return `Nora O'Connor (Gr 4, see Finn)`."""
    first = next(other for contact in student.listed for other in contact.others if other.stands_before)
    level = f"{grade.short(student.grade)}, " if student.grade else ""
    return f"*{b.escaped(student.name, _MAX_NAME)}* ({level}see {b.escaped(first.name, _MAX_NAME)})"


def of_forecast(students: Sequence[StudentRow], *, here: str, has_schools: bool) -> list[Block]:
    """Draw students of a forecast, without their contacts, with a heading over those that no message reaches."""
    blocks = []
    for heading, group in groupby(students, key=_without_adult):
        blocks += [
            b.context(f"*{heading}*"),
            *(_section(student, [], here=here, has_schools=has_schools) for student in group),
        ]
    return blocks


def _section(student: StudentRow, lines: Sequence[str], *, here: str, has_schools: bool) -> Block:
    """Draw a student by name and place, with further lines and the button that opens the dialog."""
    title = " · ".join([f"*{b.escaped(student.name, _MAX_NAME)}*", *_place(student, has_schools=has_schools)])
    button = b.button("Fix", OPEN_STUDENT, f"{student.student_id} {here}", label=f"Fix contacts of {student.name}")
    return b.section("\n".join([title, *lines]), accessory=button)


def unlisted(student: StudentRow, *, here: str) -> Block:
    """Draw a student without a contact on the list, opened by the same button."""
    name = f"*{b.escaped(student.name, _MAX_NAME)}*"
    if student.textable:
        sentence = f"{name} is not on the list: their contacts can be texted, as far as we know."
    elif student.other_ways:
        sentence = f"{name} is not on the list: no adult gets texts, but one can be called or emailed."
    else:
        sentence = f"{name} is not on the list, and no adult can be texted now."
    place = " · ".join(_place(student, has_schools=True))
    button = b.button("Open…", OPEN_STUDENT, f"{student.student_id} {here}", label=f"Open {student.name}")
    return b.section(f"{sentence}\n{place}" if place else sentence, accessory=button)


def _place(student: StudentRow, *, has_schools: bool) -> list[str]:
    level = [grade.short(student.grade)] if student.grade else []
    schools = student.schools[:1] if has_schools else ()
    return [*level, *(b.escaped(name, _MAX_NAME) for name in (*student.teachers[:1], *schools))]


def _contact_line(contact: ListedContact, student: StudentRow, *, is_mixed: bool, has_date: bool) -> str:
    """Return `🔴 *Blocked* · Colleen O'Connor (parent) · ••• 0169 · since today`; the status stands first where the list `is_mixed`."""
    relationship = f" ({b.escaped(contact.relationship, _MAX_NAME)})" if contact.relationship else ""
    name = f"{b.escaped(contact.name, _MAX_NAME)}{relationship}"
    label = MEANINGS[contact.status].label
    if contact.updated_at:
        dot, number, rest = "✏️", contact.listed_phone, [*_change(contact), b.date(contact.updated_at, style=_FIXED)]
    else:
        since = b.date(contact.since, style=_SINCE)
        dot, number = b.DOTS[contact.status], contact.phone
        dates = [since if is_mixed else f"{label.lower()} {since}"] if has_date else []
        rest = [*dates, *_work(contact)]
    parts = [f"{dot}\u00a0*{label}*", name] if is_mixed else [f"{dot}\u00a0{name}"]
    if contact.listed_phone or contact.status is not SmsStatus.NO_NUMBER:
        parts.append(b.masked(number))
    others = [_others(contact.others, student)] if contact.others else []
    return " · ".join([*parts, *rest, *others])


def _work(contact: ListedContact) -> list[str]:
    """Return who works on the contact: the last call, or else the claim."""
    if call := contact.call:
        return [f"📞\u00a0{calls.describe(call, who=b.mention(call.by) or 'a colleague')}"]
    return [f"🙋\u00a0<@{contact.claimed_by}>"] if contact.claimed_by else []


def _change(contact: ListedContact) -> list[str]:
    """Return what staff changed: how the contact is reached now, or the new number."""
    if contact.method is not ContactMethod.TEXT:
        return ["gets autocalls now" if contact.method is ContactMethod.CALL else "gets email now"]
    if contact.phone == contact.listed_phone:
        return []
    number = b.masked(contact.phone)
    same = ", with the same last digits" if number == b.masked(contact.listed_phone) else ""
    return [f"now {number}{same}"]


def _others(others: Sequence[OtherStudent], student: StudentRow) -> str:
    """Return `also Nora (Gr 4)`; a family name is repeated only where it is another one."""
    named = [_sibling(other, student) for other in others[:_MAX_OTHERS]]
    more = [f"{len(others) - _MAX_OTHERS} more"] if len(others) > _MAX_OTHERS else []
    return f"also {', '.join(chain(named, more))}"


def _sibling(other: OtherStudent, student: StudentRow) -> str:
    is_same_family = other.family_name == student.family_name
    name = other.name.removesuffix(f" {student.family_name}") if is_same_family else other.name
    level = f"\u00a0({grade.short(other.grade)})" if other.grade else ""
    return f"{b.escaped(name, _MAX_NAME)}{level}"
