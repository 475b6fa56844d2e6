"""A newer number of the same adult: the SIS often has a parent once for each child, and only one of the records is up to date.

Suggested, never applied. Two records are one adult if they have the same name, and the same e-mail or a student of each with
another contact in common (the same record, or the same number). No number is suggested in place of one that said STOP.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from bot.models import Contact, Student, StudentContact, effective_contacts, textable
from bot.names import fold


@dataclass(frozen=True)
class Suggestion:
    """A number (E.164) that texts reach, as far as is known, from another record of the same adult."""

    contact_id: int
    phone: str


def suggestions(session: Session, rows: Sequence[Row[*tuple[Any, ...]]]) -> Mapping[int, Suggestion]:
    """By contact id, for those of a student's contacts that no text reaches and nobody has changed yet.

    `rows` are all the contacts of the student: contact_id, given_name, family_name, email, phone, sms_status, opted_out,
    updated_at.
    """
    unreached = [row for row in rows if _is_unreached(row)]
    if not unreached:
        return {}
    found: dict[int, Suggestion] = {}
    kin = _kin(session, rows)
    others = session.execute(_same_names(kin | _with_email(session, unreached), unreached)).all()
    for row in unreached:
        for other in others:
            is_same = other.contact_id != row.contact_id and _is_same_adult(row, other, kin)
            if is_same and other.phone != row.phone:
                found.setdefault(row.contact_id, Suggestion(other.contact_id, other.phone))
    return found


def _is_unreached(row: Row[*tuple[Any, ...]]) -> bool:
    return not row.opted_out and not row.updated_at and (row.phone is None or row.sms_status is not None)


def _is_same_adult(row: Row[*tuple[Any, ...]], other: Row[*tuple[Any, ...]], kin: set[int]) -> bool:
    if _name(row) != other.search:
        return False
    return other.contact_id in kin or bool(row.email and other.email and row.email.lower() == other.email.lower())


def _name(row: Row[*tuple[Any, ...]]) -> str:
    return fold(f"{row.given_name} {row.family_name}")


def _same_names(some: set[int], unreached: Sequence[Row[*tuple[Any, ...]]]) -> Select[*tuple[Any, ...]]:
    """Those of some contacts who are textable and may be one of the unreached."""
    other = effective_contacts.c
    return (
        select(other.contact_id, other.phone, other.email, Contact.search)
        .join_from(effective_contacts, Contact, Contact.id == other.contact_id)
        .where(other.contact_id.in_(some), Contact.search.in_({_name(row) for row in unreached}), textable)
        .distinct()
        .order_by(other.contact_id.desc())
    )


def _with_email(session: Session, unreached: Sequence[Row[*tuple[Any, ...]]]) -> set[int]:
    emails = {row.email.lower() for row in unreached if row.email}
    return set(session.scalars(select(Contact.id).where(func.lower(Contact.email).in_(emails)))) if emails else set()


def _kin(session: Session, rows: Sequence[Row[*tuple[Any, ...]]]) -> set[int]:
    """The contacts of the students who share a contact with this one, or the number of one. Asked step by step: the planner
    takes all at once for a question about the whole district.
    """
    link, numbers = StudentContact, {row.phone for row in rows if row.phone}
    with_number = session.scalars(select(Contact.id).where(Contact.sis_phone.in_(numbers), Contact.active))
    shared = {row.contact_id for row in rows}.union(with_number)
    students = set(session.scalars(select(link.student_id).where(link.contact_id.in_(shared), link.active)))
    beside = select(link.contact_id).join(Student, Student.id == link.student_id)
    return set(session.scalars(beside.where(link.student_id.in_(students), link.active, Student.active)))
