"""What stands around the list: whom else a contact touches, which words a filter may use, how fresh everything is.

Names only of students and contacts the asking person may see; of the others, how many there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, Select, Text, any_, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from bot import access, selection
from bot.access import TODAY, Actor, Reach, current
from bot.cleanup_list.cards import Sibling
from bot.cleanup_list.matching import values
from bot.filters import Filter, Vocabulary
from bot.grade import LEVELS
from bot.models import (
    ClassStudent,
    ClassTeacher,
    MassMessage,
    School,
    SchoolClass,
    Staff,
    Student,
    StudentSchool,
    contact_reach,
    contacts_with,
    effective_contacts,
    last_synced_at,
)

_NAMED = 3
"""How many of those with the same number are named."""
_NAME = (Staff.given_name + " " + Staff.family_name).label("name")


@dataclass(frozen=True)
class Touches:
    """Whom a change of a contact touches: its other students, and other contacts with the same number.

    `sharing` names a few whom one may see, and `more_sharing` counts the rest: an office's line stands with thousands.
    """

    siblings: tuple[Sibling, ...]
    more_siblings: int
    sharing: tuple[str, ...]
    more_sharing: int


@dataclass(frozen=True)
class Latest:
    """The mass message the list stands after, and the end of the last sync that was applied; None where there was none."""

    title: str
    sent_at: datetime | None
    synced_at: datetime | None


def touches(session: Session, contact_id: int, *, actor: Actor, student_id: int | None = None) -> Touches:
    """Whom else a change touches; `student_id` is the student at hand, no sibling of their own.

    Raises:
        UserError: this person may not see the contact.
    """
    access.contact(session, contact_id, actor=actor)
    siblings = session.execute(_siblings(contact_id).where(Student.id != (student_id or 0))).all()
    students = {row.student_id for row in siblings}
    seen = set(session.scalars(access.students_for(actor).where(Student.id.in_(students))))
    shown = [
        Sibling(row.student_id, f"{row.given_name} {row.family_name}") for row in siblings if row.student_id in seen
    ]
    of_number = _sharing(session, contact_id)
    named = session.execute(_named(of_number, actor)).all()
    sharing = session.scalar(select(func.count()).select_from(of_number.distinct().subquery()))
    return Touches(
        siblings=tuple(shown),
        more_siblings=len(siblings) - len(shown),
        sharing=tuple(f"{row.given_name} {row.family_name}" for row in named),
        more_sharing=(sharing or 0) - len(named),
    )


def _siblings(contact_id: int) -> Select[*tuple[Any, ...]]:
    of_contact = effective_contacts.c
    return (
        select(Student.id.label("student_id"), Student.given_name, Student.family_name)
        .join(effective_contacts, of_contact.student_id == Student.id)
        .where(of_contact.contact_id == contact_id)
        .order_by(Student.family_name, Student.given_name, Student.id)
    )


def _sharing(session: Session, contact_id: int) -> Select[int]:
    """The ids of the other contacts with the same number, once for each student of theirs. The number, and who has it,
    are found first: the planner takes all at once for a question about the whole district.
    """
    phone = session.scalar(select(contact_reach.c.phone).where(contact_reach.c.contact_id == contact_id))
    other = effective_contacts.c.contact_id
    same = contacts_with(phone or "").cte("same").prefix_with("MATERIALIZED")
    return select(other).join(same, same.c.contact_id == other).where(other != contact_id)


def _named(sharing: Select[int], actor: Actor) -> Select[*tuple[Any, ...]]:
    """The first few of them who are contacts of a student this person may see."""
    other = effective_contacts.c
    by_name = (other.family_name, other.given_name, other.contact_id)
    seen = sharing.where(other.student_id.in_(access.students_for(actor)))
    return seen.with_only_columns(*by_name).distinct().order_by(*by_name).limit(_NAMED)


def vocabulary(session: Session, actor: Actor, mentioned: Mapping[str, str] | None = None) -> Vocabulary:
    """The schools and the teachers of this person's students, as a filter may name them.

    `mentioned` are colleagues' e-mails (lower case) by Slack user id; those who teach none of these students stay unknown.
    """
    return Vocabulary(
        schools=tuple(session.scalars(_schools(actor.reach), actor.values)),
        teachers=tuple(session.scalars(_names_of_teachers(actor.reach), actor.values)),
        mentions=_mentions(session, actor, mentioned) if mentioned else {},
    )


def _mentions(session: Session, actor: Actor, mentioned: Mapping[str, str]) -> Mapping[str, str]:
    with_email = teachers_for(actor).with_only_columns(Staff.email, _NAME).where(Staff.email.in_(mentioned.values()))
    names = {row.email: row.name for row in session.execute(with_email)}
    return {user_id: names[email] for user_id, email in mentioned.items() if email in names}


@cache
def _schools(reach: Reach) -> Select[str]:
    schools = select(School.name).where(School.active).distinct().order_by(School.name)
    if reach is Reach.DISTRICT:
        return schools
    of_students = select(StudentSchool.school_id).where(StudentSchool.student_id.in_(access.taught()))
    return schools.where(or_(School.id == any_(access.SCHOOLS), School.id.in_(of_students)))


@cache
def _names_of_teachers(reach: Reach) -> Select[str]:
    return _teachers_within(reach).with_only_columns(_NAME).distinct().order_by(_NAME)


def teachers_for(actor: Actor) -> Select[int]:
    """The ids of those who teach any of this person's students today."""
    return _teachers_within(actor.reach).params(actor.values)


@cache
def _teachers_within(reach: Reach) -> Select[int]:
    teaching = select(ClassTeacher.staff_id).where(current(ClassTeacher, TODAY))
    if reach is not Reach.DISTRICT:
        learning = select(ClassStudent.class_id).where(
            ClassStudent.student_id.in_(access.taught()), current(ClassStudent, TODAY)
        )
        at_schools = select(SchoolClass.id).where(SchoolClass.school_id == any_(access.SCHOOLS))
        teaching = teaching.where(ClassTeacher.class_id.in_(learning.union(at_schools)))
    return select(Staff.id).where(Staff.active, Staff.id.in_(teaching))


def grades(session: Session, which: Filter, *, actor: Actor) -> tuple[str, ...]:
    """The levels that this person's students of the filter's school and teacher are in, lowest first."""
    place = Filter(school=which.school, teacher=which.teacher)
    held = set(session.scalars(_grades(place.parts, actor.reach), values(place, actor)))
    return tuple(one for one in LEVELS if one in held)


@cache
def _grades(parts: frozenset[str], reach: Reach) -> Select[str | None]:
    """Of the whole district a probe of the index for each level: counting its students for a menu would take too long."""
    if parts or reach is not Reach.DISTRICT:
        students = access.students_within(reach).where(*selection.of_students(parts))
        return students.with_only_columns(Student.grade).distinct()
    level = func.unnest(literal(list(LEVELS), ARRAY(Text))).column_valued("level")
    return select(level).where(exists().where(Student.active, Student.grade == level))


def latest(session: Session) -> Latest:
    """For the line below every list: after which message it stands, and how old the student information is."""
    message = session.execute(
        select(MassMessage.title, MassMessage.sent_at)
        .where(MassMessage.settled_at.is_not(None))
        .order_by(MassMessage.sent_at.desc())
        .limit(1)
    ).first()
    synced_at = session.scalar(last_synced_at())
    return Latest(message.title if message else "", message.sent_at if message else None, synced_at)
