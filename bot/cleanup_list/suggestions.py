"""Another number of the same adult: the SIS may have several, and it often has a parent once per child, with only one of the records
up to date.

A number is suggested, never applied. Two records are one adult if they have the same name, and the same email or a student each with
another contact in common (the same record, or the same number). Nothing is suggested in place of a number that texted STOP.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    SQLColumnExpression,
    Text,
    any_,
    bindparam,
    exists,
    func,
    select,
)
from sqlalchemy.orm import Session, aliased

from bot.db.models.erased_numbers import ErasedNumber
from bot.db.models.messages import PhoneNumber
from bot.db.models.roster import Contact, OtherNumber, Student, StudentContact
from bot.db.models.views import effective_contacts, textable
from bot.domain.names import fold
from bot.domain.sms_status import SmsStatus


@dataclass(frozen=True)
class Suggestion:
    """A number (E.164) that can be texted, as far as is known: a further one of the record `contact_id`, which has it at `position`,
    or (`position` 0) the number of another record of the same adult.
    """

    contact_id: int
    phone: str
    position: int = 0


# More would hide the rest of the dialog.
_MOST = 3
_IDS = bindparam("ids", type_=ARRAY(BigInteger))
_TEXTS = bindparam("texts", type_=ARRAY(Text))
_OTHER = effective_contacts.c
_SAME_NAME_AND_TEXTABLE = (
    select(_OTHER.contact_id, _OTHER.phone, _OTHER.email, Contact.search)
    .join_from(effective_contacts, Contact, Contact.id == _OTHER.contact_id)
    .where(_OTHER.contact_id == any_(_IDS), Contact.search == any_(_TEXTS), textable)
    .distinct()
    .order_by(_OTHER.contact_id.desc())
)
_WITH_EMAIL = select(Contact.id).where(func.lower(Contact.email) == any_(_TEXTS))
# By the SIS's numbers only: a person who typed a stranger's number would see that family's.
_SAME = aliased(Contact)
_WITH_SAME_NUMBER = (
    select(_SAME.id).join(Contact, Contact.sis_phone == _SAME.sis_phone).where(Contact.id == any_(_IDS), _SAME.active)
)
_TEXTABLE_NUMBERS = (
    select(OtherNumber.contact_id, OtherNumber.phone, OtherNumber.position)
    .outerjoin(PhoneNumber, PhoneNumber.phone == OtherNumber.phone)
    .where(PhoneNumber.status.is_(None), PhoneNumber.noted.is_(None))
    .where(PhoneNumber.opted_out_at.is_(None), PhoneNumber.wrong_person_at.is_(None))
    .where(~exists().where(ErasedNumber.number_hash == func.erased_number_hash(OtherNumber.phone)))
)
_FURTHER_NUMBERS = _TEXTABLE_NUMBERS.where(OtherNumber.contact_id == any_(_IDS)).order_by(
    OtherNumber.contact_id, OtherNumber.position
)
_STUDENTS_OF = (
    select(StudentContact.student_id).where(StudentContact.contact_id == any_(_IDS), StudentContact.active).distinct()
)
_CONTACTS_OF = (
    select(StudentContact.contact_id)
    .join(Student, Student.id == StudentContact.student_id)
    .where(StudentContact.student_id == any_(_IDS), StudentContact.active, Student.active)
    .distinct()
)


def has_further_number(contact_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Return the condition that the SIS has a further number of a contact, which can be texted as far as is known."""
    return _TEXTABLE_NUMBERS.where(OtherNumber.contact_id == contact_id).exists()


def find_suggestions(session: Session, rows: Sequence[Any]) -> Mapping[int, Sequence[Suggestion]]:
    """Return suggestions by contact id, the best first, for the contacts of one student that cannot be texted and were not edited yet.

    `rows` are all contacts of the student: contact_id, given_name, family_name, email, phone, sms_status, updated_at.
    """
    not_edited = (row for row in rows if not row.updated_at and row.sms_status != SmsStatus.OPT_OUT)
    unreachable = {row.contact_id: row for row in not_edited if row.phone is None or row.sms_status is not None}
    if not unreachable:
        return {}
    found = defaultdict[int, dict[str, Suggestion]](dict)
    for number in session.execute(_FURTHER_NUMBERS, {"ids": list(unreachable)}):
        if number.phone != unreachable[number.contact_id].phone:
            found[number.contact_id][number.phone] = Suggestion(*number)
    for contact_id, suggestion in _of_other_records(session, rows, list(unreachable.values())):
        found[contact_id].setdefault(suggestion.phone, suggestion)
    return {contact_id: list(suggestions.values())[:_MOST] for contact_id, suggestions in found.items()}


def _of_other_records(
    session: Session, rows: Sequence[Any], unreachable: Sequence[Any]
) -> Iterator[tuple[int, Suggestion]]:
    """Yield at most one suggestion for each contact."""
    related = _related_contacts(session, rows)
    emails = {row.email.lower() for row in unreachable if row.email}
    same_email = set(session.scalars(_WITH_EMAIL, {"texts": list(emails)})) if emails else set()
    params = {"ids": list(related | same_email), "texts": list({_folded(row) for row in unreachable})}
    candidates = session.execute(_SAME_NAME_AND_TEXTABLE, params).all()
    for row in unreachable:
        for candidate in candidates:
            if candidate.phone != row.phone and _is_same_adult(row, candidate, related):
                yield row.contact_id, Suggestion(candidate.contact_id, candidate.phone)
                break


def _is_same_adult(row: Any, candidate: Any, related: set[int]) -> bool:
    if candidate.contact_id == row.contact_id or _folded(row) != candidate.search:
        return False
    same_email = row.email and candidate.email and row.email.lower() == candidate.email.lower()
    return candidate.contact_id in related or bool(same_email)


def _folded(row: Any) -> str:
    return fold(f"{row.given_name} {row.family_name}")


def _related_contacts(session: Session, rows: Sequence[Any]) -> set[int]:
    """Return the contacts of the students who share a contact, or the number of one, with this student.

    In steps: the planner mistakes all of them in one for a question about the whole district.
    """
    shared = {row.contact_id for row in rows}
    shared.update(session.scalars(_WITH_SAME_NUMBER, {"ids": list(shared)}))
    students = session.scalars(_STUDENTS_OF, {"ids": list(shared)}).all()
    return set(session.scalars(_CONTACTS_OF, {"ids": students}))
