"""The rows of a file, one per contact and student, a few hundred in memory, or those of 2,000 students. They are the whole list, or
the contacts who are not on it and were not verified for months.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Select,
    SQLColumnExpression,
    Subquery,
    and_,
    func,
    literal,
    literal_column,
    null,
    select,
    true,
)
from sqlalchemy.orm import Session

from bot.access.rights import BOUND_PARAMS, Actor
from bot.cleanup_list import last_verified
from bot.cleanup_list.last_verified import LastVerified
from bot.cleanup_list.query import filter_params, matching_entries, query_params
from bot.cleanup_list.student_columns import grade_order, school_names, teacher_names, work_order
from bot.cleanup_list.unverified import students_of, unverified_links
from bot.db.models.base import ContactMethod
from bot.db.models.folding import full_name
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.db.models.roster import Contact, Student
from bot.db.models.views import effective_contacts
from bot.db.session import plan_for_names
from bot.domain.sms_status import SmsStatus
from bot.filters.filter import Filter

_BATCH, _STUDENTS_AT_ONCE = 500, 2_000


@dataclass(frozen=True)
class ExportRow:
    """A contact of one student. `textable` and `other_ways` concern the student, whichever adult is reached.

    `status` and `since` are None for a contact who is not on the list.

    `is_updated`: the contact was edited since, and the status belongs to the number before the edit.
    """

    student_id: int
    contact_id: int
    family_name: str
    given_name: str
    student_number: str
    grade: str | None
    schools: tuple[str, ...]
    teachers: tuple[str, ...]
    contact: str
    relationship: str | None
    status: SmsStatus | None
    since: datetime | None
    phone: str | None
    method: ContactMethod
    is_updated: bool
    textable: bool
    other_ways: bool
    note: str | None
    verified: LastVerified | None


def iter_export_rows(session: Session, which: Filter, *, actor: Actor) -> Iterator[ExportRow]:
    """Yield every entry this person may see, by grade and name as people sort them; a contact of two students comes with each."""
    if which.names:
        plan_for_names(session)
    entry, adult = matching_entries(which.criteria, actor.level), effective_contacts.c
    rows = (
        select(
            *(entry.c.student_id, entry.c.contact_id, entry.c.family_name, entry.c.given_name, Student.identifier),
            *(entry.c.grade, entry.c.textable, entry.c.other_ways),
            school_names(entry.c.student_id).label("schools"),
            teacher_names(entry.c.student_id, BOUND_PARAMS.today).label("teachers"),
            full_name(adult.given_name, adult.family_name).label("contact"),
            *(adult.relationship, adult.phone, adult.method, ListEntry.status, ListEntry.since, ListEntry.updated_at),
            *(Contact.sis_phone_note, adult.is_tried, *last_verified.COLUMNS),
        )
        .select_from(entry)
        .join(Student, Student.id == entry.c.student_id)
        .join(effective_contacts, and_(adult.student_id == entry.c.student_id, adult.contact_id == entry.c.contact_id))
        .outerjoin(PhoneNumber, PhoneNumber.phone == adult.phone)
        .join(ListEntry, ListEntry.contact_id == entry.c.contact_id)
        .join(Contact, Contact.id == entry.c.contact_id)
        .order_by(
            *(entry.c.grade_order, _by_name(entry.c.family_name, entry.c.given_name), entry.c.student_id),
            *(work_order(ListEntry.status), adult.priority.nulls_last(), entry.c.contact_id),
        )
    )
    for row in session.execute(rows, query_params(which, actor), execution_options={"yield_per": _BATCH}):
        yield _export_row(row)


def iter_unverified_rows(session: Session, which: Filter, *, actor: Actor, since: datetime) -> Iterator[ExportRow]:
    """Yield every contact of the students this person may see, who is texted and not on the list, and was not verified `since`."""
    ids = session.scalars(students_of(session, which, actor=actor).order_by(*_BY_STUDENT)).all()
    params = filter_params(which, today=actor.today)
    for start in range(0, len(ids), _STUDENTS_AT_ONCE):
        some = ids[start : start + _STUDENTS_AT_ONCE]
        students = select(func.unnest(literal(some, ARRAY(BigInteger))).label("id"))
        links = unverified_links(session, students, which, since=since)
        yield from map(_export_row, session.execute(_unverified_rows(links), params))


def _unverified_rows(link: Subquery) -> Select[*tuple[Any, ...]]:
    """Select the rows of these links. `OFFSET 0`: each contact is looked up, and not joined with those of the whole district."""
    contact = effective_contacts.c
    adult = (
        select(
            full_name(contact.given_name, contact.family_name).label("contact"),
            *(contact.relationship, contact.priority, contact.phone, contact.method, contact.is_tried),
            *last_verified.COLUMNS,
        )
        .join_from(effective_contacts, PhoneNumber, PhoneNumber.phone == contact.phone, isouter=True)
        .where(contact.student_id == link.c.student_id, contact.contact_id == link.c.contact_id)
        .offset(literal_column("0"))
        .lateral("adult")
    )
    return (
        select(
            *(link.c.student_id, link.c.contact_id, Student.family_name, Student.given_name, Student.identifier),
            *(Student.grade, literal(1).label("textable"), literal(False).label("other_ways")),
            school_names(link.c.student_id).label("schools"),
            teacher_names(link.c.student_id, BOUND_PARAMS.today).label("teachers"),
            *(null().label(name) for name in ("status", "since", "updated_at")),
            *(adult, Contact.sis_phone_note),
        )
        .select_from(link)
        .join(Student, Student.id == link.c.student_id)
        .join(Contact, Contact.id == link.c.contact_id)
        .join(adult, true())
        .order_by(*_BY_STUDENT, adult.c.priority.nulls_last(), link.c.contact_id)
    )


def _export_row(row: Any) -> ExportRow:
    return ExportRow(
        student_id=row.student_id,
        contact_id=row.contact_id,
        family_name=row.family_name,
        given_name=row.given_name,
        student_number=row.identifier,
        grade=row.grade,
        schools=tuple(row.schools),
        teachers=tuple(row.teachers),
        contact=row.contact,
        relationship=row.relationship,
        status=SmsStatus(row.status) if row.status else None,
        since=row.since,
        phone=row.phone,
        method=ContactMethod(row.method),
        is_updated=row.updated_at is not None,
        textable=row.textable > 0,
        other_ways=row.other_ways,
        note=row.sis_phone_note,
        verified=last_verified.from_row(row),
    )


def _by_name(family: SQLColumnExpression[str], given: SQLColumnExpression[str]) -> SQLColumnExpression[str]:
    """Return a sort key that ignores case and accents: `van der Berg` comes before `Vance`, `Åkesson` among the A.

    Folded names compare the same in every database; ICU collations are missing from the embedded PostgreSQL.
    """
    key: SQLColumnExpression[str] = func.folded_name(family, given).collate("C")
    return key


_BY_STUDENT = grade_order(Student.grade), _by_name(Student.family_name, Student.given_name), Student.id
