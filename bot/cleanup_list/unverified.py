"""Contacts who are not on the list, but whose number nothing has verified for months: a page of them, of a school or less.

A text that arrived, a code at the counter, a call, and an entry here count, as in `last_verified`. To look through the deliveries of a
whole large district would take minutes, so for a page more students than `MAX_STUDENTS` are refused. A file may have them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Subquery,
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

from bot.access import rights
from bot.access.rights import Actor
from bot.cleanup_list.empty_reasons import is_or_has_named
from bot.cleanup_list.last_verified import COLUMNS, KEPT_EDITS, LastVerified, from_row
from bot.cleanup_list.query import NAMES, filter_params, has_words, narrow_students
from bot.db.models.base import ContactMethod
from bot.db.models.edits import Edit, EditField
from bot.db.models.folding import full_name
from bot.db.models.messages import Delivery, ListEntry, MassMessage, PhoneNumber
from bot.db.models.roster import Contact, Student
from bot.db.models.views import effective_contacts
from bot.db.session import plan_for_names, use_indexes
from bot.domain.display import plural
from bot.domain.sms_status import Outcome
from bot.errors import UserError
from bot.filters.filter import Filter, page_count
from bot.filters.unverified import DEFAULT_MONTHS

MAX_STUDENTS = 6_000
_YEAR = timedelta(days=365)
_ADULT = effective_contacts.c


@dataclass(frozen=True)
class UnverifiedContact:
    """A contact who is texted, with the first student by name, and how the number (E.164) was verified last, if ever."""

    contact_id: int
    name: str
    relationship: str | None
    phone: str
    student_id: int
    student: str
    grade: str | None
    verified: LastVerified | None


@dataclass(frozen=True)
class UnverifiedPage:
    """Page `page` of `pages`, by the names of the students; `total` counts the contacts. `is_too_large`: nothing was looked up."""

    contacts: tuple[UnverifiedContact, ...]
    total: int
    page: int
    pages: int
    months: int
    is_too_large: bool = False


def checked_months(typed: int | None, *, kept: timedelta) -> int:
    """Return the months that were typed, or the usual ones; texts that arrived are known for as long as messages are `kept`.

    Raises:
        UserError: they are no whole number, or more than that.
    """
    most = max(1, 12 * kept // _YEAR)
    if typed is None:
        return min(DEFAULT_MONTHS, most)
    if not 1 <= typed <= most:
        sentence = (
            f"Write a whole number of months from 1 to {most}, for example `unverified 6 months`. "
            f"Our records of texts go back {plural(kept.days, 'day')}."
        )
        raise UserError("unverified.months", sentence)
    return typed


def age_of(months: int) -> timedelta:
    return months * _YEAR / 12


def load_unverified(
    session: Session, which: Filter, *, actor: Actor, months: int, page_size: int, now: datetime
) -> UnverifiedPage:
    """Return the contacts of the filter's students who were not verified for `months`; of those with its names, if it has any."""
    ids = session.scalars(students_of(session, which, actor=actor).limit(MAX_STUDENTS + 1)).all()
    if len(ids) > MAX_STUDENTS:
        return UnverifiedPage((), 0, 1, 1, months, is_too_large=True)
    # To look for names twice would take twice as long.
    students = select(func.unnest(literal(ids, ARRAY(BigInteger))).label("id"))
    links = unverified_links(session, students, which, since=now - age_of(months))
    params = filter_params(which, today=actor.today)
    rows = session.execute(_page_query(_first_links(links), which.page, page_size), params).all()
    if not rows:
        return UnverifiedPage((), 0, 1, 1, months)
    pages = page_count(rows[0].total, page_size)
    return UnverifiedPage(tuple(map(_contact, rows)), rows[0].total, min(which.page, pages), pages, months)


def students_of(session: Session, which: Filter, *, actor: Actor) -> Select[int]:
    """Return a query of the ids of this person's students that a filter selects, who or whose contact has its names."""
    students = rights.visible_students(actor)
    if which.names:
        plan_for_names(session)
        students = students.where(is_or_has_named(actor))
    return narrow_students(students, which, today=actor.today)


def unverified_links(session: Session, students: Select[int], which: Filter, *, since: datetime) -> Subquery:
    """Select each contact with each of the students, `OFFSET 0`: the contacts of each student are looked up."""
    use_indexes(session)
    chosen = students.cte("chosen").prefix_with("MATERIALIZED")
    adult = (
        select(_ADULT.contact_id)
        .join_from(effective_contacts, PhoneNumber, PhoneNumber.phone == _ADULT.phone, isouter=True)
        .where(_ADULT.student_id == chosen.c.id, _ADULT.method == ContactMethod.TEXT, _ADULT.phone.is_not(None))
        .where(
            _ADULT.sms_status.is_(None),
            # A number that was only typed may be a stranger's: what is known of it shows neither here nor by what is left out.
            or_(~_ADULT.is_tried, ~_ADULT.opted_out),
            or_(~_ADULT.is_tried, PhoneNumber.verified_at.is_(None), PhoneNumber.verified_at < since),
        )
        .where(~exists().where(ListEntry.contact_id == _ADULT.contact_id), ~_delivered(since), ~_entered(since))
        .offset(literal_column("0"))
        .lateral("adult")
    )
    names = (Student.family_name, Student.given_name)
    links = (
        select(adult.c.contact_id, Student.id.label("student_id"), *names)
        .join_from(chosen, Student, Student.id == chosen.c.id)
        .join(adult, true())
    )
    if which.names:
        named = or_(has_words(Student.search, NAMES), has_words(Contact.search, NAMES))
        links = links.join(Contact, Contact.id == adult.c.contact_id).where(named)
    return links.subquery("links")


def _first_links(links: Subquery) -> CTE:
    """Select each contact once, with the first student by name."""
    names = (links.c.family_name, links.c.given_name, links.c.student_id)
    place = func.row_number().over(partition_by=links.c.contact_id, order_by=names)
    placed = select(links, place.label("place")).subquery()
    return select(placed).where(placed.c.place == 1).cte("unverified").prefix_with("MATERIALIZED")


def _delivered(since: datetime) -> ColumnElement[bool]:
    return (
        select(literal_column("1"))
        .join_from(Delivery, MassMessage, MassMessage.id == Delivery.mass_message_id)
        .where(Delivery.phone == _ADULT.phone, Delivery.outcome == Outcome.DELIVERED, MassMessage.sent_at >= since)
        .where(_ADULT.is_tried)
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
            *(Student.grade, _ADULT.is_tried, *COLUMNS, total.label("total")),
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
        verified=from_row(row),
    )
