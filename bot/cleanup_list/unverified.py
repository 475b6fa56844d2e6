"""Contacts who are not on the list, but whose number nothing has verified for twelve months: a page of them, of a school or less.

A text that arrived, a code at the counter, a call, and an entry here count, as in `last_verified`. To look through the deliveries of a
whole large district would take minutes, so more students than `MAX_STUDENTS` are refused.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    and_,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from bot.cleanup_list.last_verified import KEPT_EDITS, LAST_VERIFIED_AT
from bot.cleanup_list.query import use_indexes
from bot.db.models.base import ContactMethod
from bot.db.models.edits import Edit, EditField
from bot.db.models.folding import full_name
from bot.db.models.messages import Delivery, ListEntry, MassMessage, PhoneNumber
from bot.db.models.roster import Student
from bot.db.models.views import effective_contacts
from bot.domain.sms_status import Outcome
from bot.filters.filter import page_count

STALE_AFTER = timedelta(days=365)
MAX_STUDENTS = 6_000
_ADULT = effective_contacts.c


@dataclass(frozen=True)
class UnverifiedContact:
    """A contact who is texted, with the first student by name, and when the number (E.164) was verified last, if ever."""

    contact_id: int
    name: str
    relationship: str | None
    phone: str
    student_id: int
    student: str
    grade: str | None
    verified_at: datetime | None


@dataclass(frozen=True)
class UnverifiedPage:
    """Page `page` of `pages`, by the names of the students; `total` counts the contacts. `is_too_large`: nothing was looked up."""

    contacts: tuple[UnverifiedContact, ...]
    total: int
    page: int
    pages: int
    is_too_large: bool = False


def load_unverified(
    session: Session, students: Select[int], *, page: int, page_size: int, now: datetime
) -> UnverifiedPage:
    """Return the contacts of `students` (a query of ids) who were not verified for twelve months."""
    number = session.scalar(select(func.count()).select_from(students.limit(MAX_STUDENTS + 1).subquery())) or 0
    if number > MAX_STUDENTS:
        return UnverifiedPage((), 0, 1, 1, is_too_large=True)
    use_indexes(session)
    rows = session.execute(_page_query(_unverified(students, now - STALE_AFTER), page, page_size)).all()
    if not rows:
        return UnverifiedPage((), 0, 1, 1)
    pages = page_count(rows[0].total, page_size)
    return UnverifiedPage(tuple(map(_contact, rows)), rows[0].total, min(page, pages), pages)


def _unverified(students: Select[int], since: datetime) -> CTE:
    """Select each contact once, with the first student. `OFFSET 0`: the contacts of each student are looked up."""
    chosen = students.cte("chosen").prefix_with("MATERIALIZED")
    adult = (
        select(_ADULT.contact_id)
        .join_from(effective_contacts, PhoneNumber, PhoneNumber.phone == _ADULT.phone, isouter=True)
        .where(_ADULT.student_id == chosen.c.id, _ADULT.method == ContactMethod.TEXT, _ADULT.phone.is_not(None))
        .where(
            _ADULT.sms_status.is_(None),
            ~_ADULT.opted_out,
            or_(PhoneNumber.verified_at.is_(None), PhoneNumber.verified_at < since),
        )
        .where(~exists().where(ListEntry.contact_id == _ADULT.contact_id), ~_delivered(since), ~_entered(since))
        .offset(literal_column("0"))
        .lateral("adult")
    )
    names = (Student.family_name, Student.given_name, Student.id)
    place = func.row_number().over(partition_by=adult.c.contact_id, order_by=names)
    links = (
        select(adult.c.contact_id, Student.id.label("student_id"), *names[:2], place.label("place"))
        .join_from(chosen, Student, Student.id == chosen.c.id)
        .join(adult, true())
        .subquery()
    )
    return select(links).where(links.c.place == 1).cte("unverified").prefix_with("MATERIALIZED")


def _delivered(since: datetime) -> ColumnElement[bool]:
    return (
        select(literal_column("1"))
        .join_from(Delivery, MassMessage, MassMessage.id == Delivery.mass_message_id)
        .where(Delivery.phone == _ADULT.phone, Delivery.outcome == Outcome.DELIVERED, MassMessage.sent_at >= since)
        .exists()
    )


def _entered(since: datetime) -> ColumnElement[bool]:
    typed = and_(Edit.contact_id == _ADULT.contact_id, Edit.field == EditField.PHONE, Edit.value == _ADULT.phone)
    return exists().where(typed, Edit.state.in_(KEPT_EDITS), Edit.made_at >= since)


def _page_query(unverified: CTE, page: int, page_size: int) -> Select[*tuple[Any, ...]]:
    total = select(func.count()).select_from(unverified).scalar_subquery()
    first = func.greatest(func.least(literal(page, Integer), (total + page_size - 1) // page_size) - 1, 0) * page_size
    order = (unverified.c.family_name, unverified.c.given_name, unverified.c.student_id, unverified.c.contact_id)
    shown = select(unverified).order_by(*order).limit(page_size).offset(first).cte("shown")
    return (
        select(
            *(shown.c.contact_id, shown.c.student_id, full_name(_ADULT.given_name, _ADULT.family_name).label("name")),
            *(_ADULT.relationship, _ADULT.phone, full_name(Student.given_name, Student.family_name).label("student")),
            *(Student.grade, LAST_VERIFIED_AT.label("verified_at"), total.label("total")),
        )
        .join_from(shown, effective_contacts, _ADULT.contact_id == shown.c.contact_id)
        .join(Student, Student.id == shown.c.student_id)
        .outerjoin(PhoneNumber, PhoneNumber.phone == _ADULT.phone)
        .where(_ADULT.student_id == shown.c.student_id)
        .order_by(shown.c.family_name, shown.c.given_name, shown.c.student_id, shown.c.contact_id)
    )


def _contact(row: Any) -> UnverifiedContact:
    return UnverifiedContact(
        contact_id=row.contact_id,
        name=row.name,
        relationship=row.relationship,
        phone=row.phone,
        student_id=row.student_id,
        student=row.student,
        grade=row.grade,
        verified_at=row.verified_at,
    )
