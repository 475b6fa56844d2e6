"""Notices of numbers recorded as Wrong person, for editors of schools whose other students have a
contact with such a number.

A notice is about all numbers that were recorded at one moment. The clock turns each new one into one
per reader. Its students are read when it is sent, so it names only those that the reader may still see.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CompoundSelect, Select, delete, func, select
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.identity import CLASS_ROLES, DISTRICT_ROLES, NO_ROLES
from bot.access.rights import Actor
from bot.db import outbox
from bot.db.models.edits import IN_FORCE, Edit, EditField
from bot.db.models.folding import full_name
from bot.db.models.messages import PhoneNumber
from bot.db.models.notices import WrongPersonNotice, WrongPersonState
from bot.db.models.roster import Contact, Staff, StaffRole, Student, StudentSchool
from bot.db.models.views import effective_contacts

_KEPT = timedelta(days=90)
_ADULT = effective_contacts.c


@dataclass(frozen=True)
class WrongContact:
    """A contact with a parked number (E.164), and those of its students that the reader may see."""

    name: str
    students: tuple[str, ...]
    phone: str


def enqueue_notices(session: Session, *, editor_roles: Sequence[str], now: datetime) -> int:
    """Turn each new notice into one for each reader, and return how many there are; delete old ones.

    `editor_roles` are the roles that may edit, empty for all. Readers are staff of a school, who have its students in their care;
    the district's are not told of each number.
    """
    outdated = delete(WrongPersonNotice).where(WrongPersonNotice.due_at < now - _KEPT)
    session.execute(outdated, execution_options={"synchronize_session": False})
    new = select(WrongPersonNotice).where(WrongPersonNotice.state == WrongPersonState.NEW)
    added = 0
    for notice in session.scalars(new.with_for_update(skip_locked=True)).all():
        for reader in session.scalars(_readers(notice, editor_roles)).all():
            values = {"recorded_at": notice.recorded_at, "recorded_by": notice.recorded_by}
            session.add(WrongPersonNotice(**values, student_id=notice.student_id, reader=reader, due_at=now))
            added += 1
        session.delete(notice)
    return added


def claim_notice(session: Session, *, now: datetime) -> WrongPersonNotice | None:
    """Lease the next pending notice. One whose lease has expired may have been sent, and is not sent again."""
    on_expiry = {"state": WrongPersonState.FAILED}
    return outbox.claim(session, WrongPersonNotice, now=now, on_expiry=on_expiry)


def load_wrong_contacts(session: Session, notice: WrongPersonNotice, *, actor: Actor) -> list[WrongContact]:
    """Return the contacts that the notice is about, of students the actor may see, whose numbers are still parked."""
    contact, student = (
        full_name(_ADULT.given_name, _ADULT.family_name),
        full_name(Student.given_name, Student.family_name),
    )
    rows = (
        _affected(notice)
        .with_only_columns(contact.label("name"), func.array_agg(student.distinct()).label("students"), _ADULT.phone)
        .join(Student, Student.id == _ADULT.student_id)
        .where(Student.id.in_(rights.visible_students(actor)))
        .group_by(_ADULT.contact_id, contact, _ADULT.phone)
        .order_by(func.min(student), contact, _ADULT.contact_id)
    )
    return [WrongContact(row.name, tuple(row.students), row.phone) for row in session.execute(rows)]


def _affected(notice: WrongPersonNotice) -> Select[int]:
    """Return a query of the ids of the other students with one of the numbers, once per contact of theirs.

    A contact whose number was typed and not texted yet is left out: its status is not told. So is one who proved the number since.
    """
    parked = _parked(notice)
    contacts = (
        select(_contacts_with(parked).subquery().c[0].label("contact_id")).cte("wrong").prefix_with("MATERIALIZED")
    )
    affected = (
        select(_ADULT.student_id)
        .join(contacts, contacts.c.contact_id == _ADULT.contact_id)
        .where(_ADULT.phone.in_(parked), _ADULT.is_tried, _ADULT.opted_out)
    )
    return affected.where(_ADULT.student_id != notice.student_id) if notice.student_id else affected


def _parked(notice: WrongPersonNotice) -> Select[str]:
    """Return a query of the numbers that were recorded with the notice, and are still parked."""
    number = PhoneNumber
    return select(number.phone).where(
        number.wrong_person_at == notice.recorded_at, number.wrong_person_by == notice.recorded_by
    )


def _contacts_with(numbers: Select[str]) -> CompoundSelect[int]:
    """Return a query of the ids of contacts with one of the numbers in the SIS or in an edit, found by the indexes of both."""
    by_sis = select(Contact.id).where(Contact.sis_phone.in_(numbers))
    by_edit = select(Edit.contact_id).where(
        Edit.value.in_(numbers), Edit.field == EditField.PHONE, Edit.state.in_([str(state) for state in IN_FORCE])
    )
    return by_sis.union(by_edit)


def _readers(notice: WrongPersonNotice, editor_roles: Sequence[str]) -> Select[str | None]:
    """Return a query of the emails of staff who may edit, at the schools of the affected students."""
    schools = select(StudentSchool.school_id).where(StudentSchool.student_id.in_(_affected(notice)))
    role = func.lower(StaffRole.role)
    readers = (
        select(func.lower(Staff.email))
        .join(StaffRole, StaffRole.staff_id == Staff.id)
        .where(Staff.active, Staff.email.is_not(None), StaffRole.school_id.in_(schools))
        .where(StaffRole.role.not_in([*CLASS_ROLES, *DISTRICT_ROLES, *NO_ROLES]))
        .distinct()
    )
    return readers.where(role.in_(editor_roles)) if editor_roles else readers
