"""A newer number of the same adult: the SIS often has a parent once for each child, and only one of the records is up to date.

Suggested, never applied. Two records are one adult if they have the same name, and the same e-mail or a student of each with
another contact in common (the same record, or the same number). No number is suggested in place of one that said STOP.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Text, any_, bindparam, func, select
from sqlalchemy.orm import Session

from bot.db.fast_rows import fetch_rows
from bot.db.models.roster import Contact, Student, StudentContact
from bot.db.models.views import effective_contacts, textable
from bot.domain.names import fold


@dataclass(frozen=True)
class Suggestion:
    """A number (E.164) that texts reach, as far as is known, from another record of the same adult."""

    contact_id: int
    phone: str


def find_suggestions(session: Session, rows: Sequence[Any]) -> Mapping[int, Suggestion]:
    """By contact id, for those of a student's contacts that no text reaches and nobody has changed yet.

    `rows` are all the contacts of the student: contact_id, given_name, family_name, email, phone, sms_status, opted_out,
    updated_at.
    """
    unreached = [row for row in rows if _is_unreached(row)]
    if not unreached:
        return {}
    found: dict[int, Suggestion] = {}
    kin = _kin(session, rows)
    some, names = kin | _with_email(session, unreached), {_name(row) for row in unreached}
    others = fetch_rows(session, _SAME_NAMES, {"ids": list(some), "words": list(names)})
    for row in unreached:
        for other in others:
            is_same = other.contact_id != row.contact_id and _is_same_adult(row, other, kin)
            if is_same and other.phone != row.phone:
                found.setdefault(row.contact_id, Suggestion(other.contact_id, other.phone))
    return found


def _is_unreached(row: Any) -> bool:
    return not row.opted_out and not row.updated_at and (row.phone is None or row.sms_status is not None)


def _is_same_adult(row: Any, other: Any, kin: set[int]) -> bool:
    if _name(row) != other.search:
        return False
    return other.contact_id in kin or bool(row.email and other.email and row.email.lower() == other.email.lower())


def _name(row: Any) -> str:
    return fold(f"{row.given_name} {row.family_name}")


_IDS = bindparam("ids", type_=ARRAY(BigInteger))
_WORDS = bindparam("words", type_=ARRAY(Text))

_OTHER = effective_contacts.c
_SAME_NAMES = (
    select(_OTHER.contact_id, _OTHER.phone, _OTHER.email, Contact.search)
    .join_from(effective_contacts, Contact, Contact.id == _OTHER.contact_id)
    .where(_OTHER.contact_id == any_(_IDS), Contact.search == any_(_WORDS), textable)
    .distinct()
    .order_by(_OTHER.contact_id.desc())
)
"""Those of some contacts who are textable and may be one of the unreached."""
_WITH_EMAIL = select(Contact.id).where(func.lower(Contact.email) == any_(_WORDS))
_WITH_NUMBER = select(Contact.id).where(Contact.sis_phone == any_(_WORDS), Contact.active)
_STUDENTS = (
    select(StudentContact.student_id).where(StudentContact.contact_id == any_(_IDS), StudentContact.active).distinct()
)
_CONTACTS = (
    select(StudentContact.contact_id)
    .join(Student, Student.id == StudentContact.student_id)
    .where(StudentContact.student_id == any_(_IDS), StudentContact.active, Student.active)
    .distinct()
)


def _with_email(session: Session, unreached: Sequence[Any]) -> set[int]:
    emails = {row.email.lower() for row in unreached if row.email}
    return {row.id for row in fetch_rows(session, _WITH_EMAIL, {"words": list(emails)})} if emails else set()


def _kin(session: Session, rows: Sequence[Any]) -> set[int]:
    """The contacts of the students who share a contact with this one, or the number of one. Asked step by step: the planner
    takes all at once for a question about the whole district.
    """
    numbers = {row.phone for row in rows if row.phone}
    shared = {row.contact_id for row in rows}
    shared.update(row.id for row in fetch_rows(session, _WITH_NUMBER, {"words": list(numbers)}))
    students = [row.student_id for row in fetch_rows(session, _STUDENTS, {"ids": list(shared)})]
    return {row.contact_id for row in fetch_rows(session, _CONTACTS, {"ids": students})}
