"""One student on the cleanup list: who and where, which contacts cannot be reached and why, what to do, and *Fix…*."""

from collections.abc import Sequence

from bot import grade
from bot.cleanup_list import ListedContact, StudentRow
from bot.slack import blocks as b
from bot.slack.blocks import Block
from bot.sms_status import meaning
from bot.wording import count

OPEN_STUDENT = "student.open"
_NAME = 60


def row(one: StudentRow, *, here: str, most: int) -> Block:
    """A section with at most so many contacts; the button's value is the student and `here`, the text of this list's filter."""
    lines = [_student(one), *_alone(one), *_contacts(one.listed, most)]
    fix = b.button("Fix…", OPEN_STUDENT, f"{one.student_id} {here}", label=f"Fix contacts of {one.name}")
    return b.section("\n".join(lines), accessory=fix)


def unlisted(one: StudentRow, *, here: str) -> Block:
    """A section for a student of whom nobody is on the list, opened by the same button."""
    opened = b.button("Open…", OPEN_STUDENT, f"{one.student_id} {here}", label=f"Open {one.name}")
    who = f"*{_named(one.name)}* {not_on_the_list(one)}"
    return b.section("\n".join([who, *([" · ".join(_where(one))] if _where(one) else [])]), accessory=opened)


def not_on_the_list(one: StudentRow) -> str:
    if one.textable:
        return "is not on the list: their contacts can be texted, as far as we know."
    return "is not on the list, and no adult of theirs can be texted now."


def _student(one: StudentRow) -> str:
    return " · ".join([f"*{_named(one.name)}*", *_where(one)])


def _where(one: StudentRow) -> list[str]:
    level = [grade.label(one.grade)] if one.grade else []
    return [*level, *(_named(name) for name in (*one.teachers[:1], *one.schools[:1]))]


def _named(name: str) -> str:
    return b.escaped(b.cut(name, _NAME))


def _alone(one: StudentRow) -> list[str]:
    if one.textable:
        return []
    rest = "another adult can be called or e-mailed" if one.other_ways else "and nobody is set to call or e-mail"
    return [f"⚠️ *No adult can be texted*, {rest}."]


def _contacts(listed: Sequence[ListedContact], most: int) -> list[str]:
    more = len(listed) - most
    return [
        *(_contact(one) for one in listed[:most]),
        *([f"… and {count(more, 'more contact')}"] if more > 0 else []),
        *_next_steps(listed[:most]),
    ]


def _contact(one: ListedContact) -> str:
    """A status stands beside the number that it is of; the one that was written since is named as the new one."""
    relation = f" ({_named(one.relationship)})" if one.relationship else ""
    who = f"{_named(one.name)}{relation} · {b.masked(one.listed_phone if one.updated_at else one.phone)}"
    head = f"{b.status(one.status)} · {who} · since\u00a0{b.date(one.since)}"
    if one.updated_at:
        now = "" if one.phone == one.listed_phone else f"The number is {b.masked(one.phone)} now. "
        return f"{head}\n✏️ _{now}Updated {b.date(one.updated_at)}, waiting for the next mass message._"
    if one.claimed_by:
        return f"{head}\n🙋 <@{one.claimed_by}> takes care of it."
    return head


def _next_steps(listed: Sequence[ListedContact]) -> list[str]:
    """What to do, said once for contacts who share a status; nothing for those who only wait."""
    statuses = dict.fromkeys(one.status for one in listed if not one.updated_at)
    return [f"→ _{meaning(status).next_step}_" for status in statuses]
