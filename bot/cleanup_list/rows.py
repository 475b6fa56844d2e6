"""A student with the listed contacts, and the pieces of SQL that every such row is made of.

A student stands above another when no adult of theirs can be texted, and higher still when no adult can be called or
e-mailed either; a contact whose number was just edited counts as one who can be texted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Function,
    Integer,
    Row,
    Select,
    SQLColumnExpression,
    Text,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
)

from bot import access
from bot.db.models.base import ContactMethod
from bot.db.models.messages import ListEntry
from bot.db.models.roster import ClassStudent, ClassTeacher, Contact, School, SchoolClass, Staff, StudentSchool
from bot.db.models.views import effective_contacts, textable
from bot.domain.sms_status import SEVERITY, SmsStatus

_TEACHERS_OF_A_ROW = 3


@dataclass(frozen=True)
class ListedContact:
    """A contact on the list. `listed_phone` is the number that could not be reached, which `status` is of, and `phone` the one it has
    now, both E.164 for the surface to mask; `updated_at` says it was edited since, `claimed_by` which Slack user takes care of it.
    """

    contact_id: int
    version: int
    name: str
    relationship: str | None
    status: SmsStatus
    since: datetime
    listed_phone: str | None
    phone: str | None
    method: ContactMethod
    updated_at: datetime | None
    claimed_by: str | None


@dataclass(frozen=True)
class StudentRow:
    """A student of the list. `textable` adults can be texted; `other_ways`: an adult takes calls or e-mails instead.

    `teachers` are at most three, homeroom first.
    """

    student_id: int
    name: str
    grade: str | None
    schools: tuple[str, ...]
    teachers: tuple[str, ...]
    listed: tuple[ListedContact, ...]
    textable: int
    other_ways: bool


def severity(status: SQLColumnExpression[str]) -> ColumnElement[int]:
    return sort_position(SEVERITY, status)


def sort_position(order: Sequence[str], value: SQLColumnExpression[Any]) -> ColumnElement[int]:
    """Where a word stands in an order, to sort by; words that are not in it come last. Written out, because a parameter for
    each word would take longer than the rest of such a statement.
    """
    places: dict[Any, Any] = {
        literal_column(f"'{one}'", Text): literal_column(str(place)) for place, one in enumerate(order)
    }
    return case(places, value=value, else_=literal_column(str(len(order)), Integer))


def reachability_query(student_id: SQLColumnExpression[int]) -> Select[*tuple[Any, ...]]:
    """How many adults of a student can be texted, whether one can be reached otherwise, and who its contacts are.

    A call to an Inactive number reaches nobody, or a stranger.
    """
    adult = effective_contacts.c
    in_service = and_(adult.phone.is_not(None), adult.sms_status.is_distinct_from(SmsStatus.INACTIVE))
    otherwise = or_(
        and_(adult.method == ContactMethod.CALL, in_service),
        and_(adult.method == ContactMethod.EMAIL, adult.email.is_not(None)),
    )
    return select(
        func.count().filter(textable).label("textable"),
        func.coalesce(func.bool_or(otherwise), False).label("other_ways"),
        func.array_agg(adult.contact_id).label("contact_ids"),
    ).where(adult.student_id == student_id)


def school_names(student_id: SQLColumnExpression[int]) -> Function[Any]:
    """The names of a student's schools, as an array."""
    schools = select(School.name).join(StudentSchool, StudentSchool.school_id == School.id)
    return func.array(schools.where(StudentSchool.student_id == student_id).order_by(School.name).scalar_subquery())


def teacher_names(student_id: SQLColumnExpression[int], today: date | ColumnElement[date]) -> Function[Any]:
    """The names of those who teach a student today, as an array: homeroom first, then primary teachers."""
    teachers = (
        select(Staff.given_name + " " + Staff.family_name)
        .join(ClassTeacher, ClassTeacher.staff_id == Staff.id)
        .join(ClassStudent, ClassStudent.class_id == ClassTeacher.class_id)
        .join(SchoolClass, SchoolClass.id == ClassTeacher.class_id)
        .where(
            ClassStudent.student_id == student_id,
            access.is_current(ClassStudent, today),
            access.is_current(ClassTeacher, today),
        )
        .group_by(Staff.id)
        .order_by(func.bool_or(SchoolClass.homeroom).desc(), func.bool_or(ClassTeacher.is_primary).desc(), Staff.search)
        .limit(_TEACHERS_OF_A_ROW)
    )
    return func.array(teachers.scalar_subquery())


def listed_contacts_query(student_id: SQLColumnExpression[int]) -> Select[*tuple[Any, ...]]:
    """The contacts of a student who are on the list, to be read by `listed_contact`, and whose `turn` it is. As they are numbered,
    PostgreSQL asks for them student by student, and not for those of everybody.
    """
    adult, entry = effective_contacts.c, ListEntry
    return (
        select(
            adult.contact_id,
            (adult.given_name + " " + adult.family_name).label("contact_name"),
            *(adult.relationship, adult.phone, adult.method),
            *(entry.status, entry.since, entry.phone.label("listed_phone")),
            *(entry.updated_at, entry.claimed_by),
            Contact.version,
            func.row_number()
            .over(order_by=(severity(entry.status), adult.priority.nulls_last(), adult.contact_id))
            .label("turn"),
        )
        .join_from(effective_contacts, entry, entry.contact_id == adult.contact_id)
        .join(Contact, Contact.id == adult.contact_id)
        .where(adult.student_id == student_id)
    )


def student_from_row(row: Row[*tuple[Any, ...]], listed: Iterable[ListedContact]) -> StudentRow:
    """From a row with a student's names and grade, `reach_of` them, and their `schools` and `teachers`."""
    return StudentRow(
        student_id=row.student_id,
        name=f"{row.given_name} {row.family_name}",
        grade=row.grade,
        schools=tuple(row.schools),
        teachers=tuple(row.teachers),
        listed=tuple(listed),
        textable=row.textable,
        other_ways=row.other_ways,
    )


def contact_from_row(row: Row[*tuple[Any, ...]]) -> ListedContact:
    """From a row with one of `listed_contacts`."""
    return ListedContact(
        contact_id=row.contact_id,
        version=row.version,
        name=row.contact_name,
        relationship=row.relationship,
        status=SmsStatus(row.status),
        since=row.since,
        listed_phone=row.listed_phone,
        phone=row.phone,
        method=ContactMethod(row.method),
        updated_at=row.updated_at,
        claimed_by=row.claimed_by,
    )
