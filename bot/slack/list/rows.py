"""One student on the cleanup list: who and where, which contacts cannot be reached and why, what to do, and *Fix…*."""

from collections.abc import Sequence

from bot.cleanup_list.rows import ListedContact, StudentRow
from bot.db.models.base import ContactMethod
from bot.domain import grade
from bot.domain.plural import plural
from bot.domain.sms_status import meaning
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.wording import say

OPEN_STUDENT = "student.open"
_NAME = 60


def row(one: StudentRow, *, here: str, most: int) -> Block:
    """A section with at most so many contacts; the button's value is the student and `here`, the text of this list's filter."""
    lines = [_student(one), *_alone(one), *_contacts(one.listed, most)]
    label = f"Fix contacts of {one.name}"
    fix = b.button("Fix…", OPEN_STUDENT, f"{one.student_id} {here}", label=label)
    return b.section("\n".join(lines), accessory=fix)


def unlisted(one: StudentRow, *, here: str) -> Block:
    """A section for a student of whom nobody is on the list, opened by the same button."""
    label = f"Open {one.name}"
    opened = b.button("Open…", OPEN_STUDENT, f"{one.student_id} {here}", label=label)
    said, where = not_on_the_list(one, f"*{_named(one.name)}*"), " · ".join(_where(one))
    return b.section(f"{said}\n{where}" if where else said, accessory=opened)


def not_on_the_list(one: StudentRow, name: str) -> str:
    if one.textable:
        return f"{name} is not on the list: their contacts can be texted, as far as we know."
    return (
        f"{name} is not on the list: no adult of theirs gets texts, but one can be called or e-mailed."
        if one.other_ways
        else f"{name} is not on the list, and no adult of theirs can be texted now."
    )


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
    return [
        (
            "⚠️ *No adult can be texted*, but an adult can be called or e-mailed."
            if one.other_ways
            else "⚠️ *No adult can be texted*, and none gets calls or e-mail."
        )
    ]


def _contacts(listed: Sequence[ListedContact], most: int) -> list[str]:
    more = len(listed) - most
    return [
        *(_contact(one) for one in listed[:most]),
        *([f"… and {plural(more, 'more contact')}"] if more > 0 else []),
        *_next_steps(listed[:most]),
    ]


def _contact(one: ListedContact) -> str:
    """A status stands beside the number that it is of; the one that was written since is named as the new one."""
    relation = f" ({_named(one.relationship)})" if one.relationship else ""
    who = f"{_named(one.name)}{relation} · {b.masked(one.listed_phone if one.updated_at else one.phone)}"
    head = f"{b.status(one.status)} · {who} · {say('list_rows.since', day=b.date(one.since))}"
    if one.updated_at:
        return f"{head}\n{_updated(one, b.date(one.updated_at))}"
    if one.claimed_by:
        return f"{head}\n{say('list_rows.claimed', who=f'<@{one.claimed_by}>')}"
    return head


def _updated(one: ListedContact, day: str) -> str:
    if one.method is not ContactMethod.TEXT:
        return say(f"list_rows.method_updated.{one.method}", day=day)
    if one.phone == one.listed_phone:
        return f"✏️ _Updated {day}, waiting for the next mass message._"
    return f"✏️ _The number is {b.masked(one.phone)} now. Updated {day}, waiting for the next mass message._"


def _next_steps(listed: Sequence[ListedContact]) -> list[str]:
    """What to do, said once for contacts who share a status; nothing for those who only wait."""
    statuses = dict.fromkeys(one.status for one in listed if not one.updated_at)
    return [f"→ _{meaning(status).next_step}_" for status in statuses]
