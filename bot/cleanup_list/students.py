"""Everything a dialog shows of one student: all contacts in the order to call them, listed or not, and those removed.

The status of a contact here is that of its number as it is now; an edited number that no text was sent to has none.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, literal, or_, select, true
from sqlalchemy.orm import Session

from bot import access, providers
from bot.access import Actor
from bot.cleanup_list.cards import ContactCard, EditNote, Evidence, RemovedContact, Sibling, StudentCard
from bot.cleanup_list.rows import (
    StudentRow,
    listed_contact,
    listed_contacts,
    reach_of,
    schools_of,
    student_row,
    teachers_of,
)
from bot.cleanup_list.suggestions import Suggestion, suggestions
from bot.models import (
    IN_FORCE,
    Contact,
    ContactMethod,
    Delivery,
    Edit,
    EditField,
    EditState,
    ListEntry,
    MassMessage,
    PhoneNumber,
    Removal,
    Student,
    StudentContact,
    effective_contacts,
)
from bot.sms_status import SmsStatus


def student_card(session: Session, student_id: int, *, actor: Actor) -> StudentCard:
    """One student, whoever of its contacts is on the list.

    Raises:
        UserError: this person may not see the student.
    """
    access.student(session, student_id, actor=actor)
    return StudentCard(
        student=_student(session, student_id, actor),
        contacts=_contacts(session, student_id),
        removed=tuple(_removed(row) for row in session.execute(_removals(student_id))),
        siblings=_siblings(session, student_id, actor),
    )


def _siblings(session: Session, student_id: int, actor: Actor) -> tuple[Sibling, ...]:
    """Asked step by step: the planner takes all at once for a question about the whole district."""
    of = effective_contacts.c
    contacts = session.scalars(select(of.contact_id).where(of.student_id == student_id)).all()
    others = set(session.scalars(select(of.student_id).where(of.contact_id.in_(contacts), of.student_id != student_id)))
    if not others:
        return ()
    students = (
        select(Student.id, Student.given_name, Student.family_name)
        .where(Student.id.in_(others), Student.id.in_(access.students_for(actor).where(Student.id.in_(others))))
        .order_by(Student.family_name, Student.given_name, Student.id)
    )
    return tuple(Sibling(row.id, f"{row.given_name} {row.family_name}") for row in session.execute(students))


def _student(session: Session, student_id: int, actor: Actor) -> StudentRow:
    reach = reach_of(Student.id).lateral()
    row = session.execute(
        select(
            *(Student.id.label("student_id"), Student.given_name, Student.family_name, Student.grade, reach),
            schools_of(Student.id).label("schools"),
            teachers_of(Student.id, actor.today).label("teachers"),
        )
        .join_from(Student, reach, true())
        .where(Student.id == student_id)
    ).one()
    listed = listed_contacts(literal(student_id)).order_by("turn")
    return student_row(row, map(listed_contact, session.execute(listed)))


def _contacts(session: Session, student_id: int) -> tuple[ContactCard, ...]:
    rows = session.execute(_all_contacts(student_id)).all()
    ids = [row.contact_id for row in rows]
    edits = _edits(session, ids)
    suggested = suggestions(session, rows)
    return tuple(_card(row, edits[row.contact_id], suggested.get(row.contact_id)) for row in rows)


def _all_contacts(student_id: int) -> Select[*tuple[Any, ...]]:
    adult, sis, entry, number = effective_contacts.c, Contact, ListEntry, PhoneNumber
    delivery, message = Delivery, MassMessage
    return (
        select(
            *(adult.contact_id, adult.given_name, adult.family_name, adult.relationship, adult.email),
            *(adult.phone, adult.method, adult.sms_status, adult.opted_out, sis.version),
            *(number.since.label("number_since"), number.opted_out_at, number.opted_out_by),
            *(entry.since.label("listed_since"), entry.updated_at, entry.updated_by),
            *(entry.claimed_by, entry.claimed_at),
            *(delivery.provider, delivery.code, delivery.final_at, message.title, message.sent_at),
        )
        .join_from(effective_contacts, sis, sis.id == adult.contact_id)
        .outerjoin(number, number.phone == adult.phone)
        .outerjoin(delivery, delivery.id == number.delivery_id)
        .outerjoin(message, message.id == delivery.mass_message_id)
        .outerjoin(entry, entry.contact_id == adult.contact_id)
        .where(adult.student_id == student_id)
        .order_by(adult.priority.nulls_last(), adult.family_name, adult.given_name, adult.contact_id)
    )


def _edits(session: Session, contact_ids: Sequence[int]) -> Mapping[int, tuple[EditNote, ...]]:
    """Newest first, so that the first is the one that Undo takes back."""
    in_force = select(Edit).where(Edit.contact_id.in_(contact_ids), Edit.state.in_(IN_FORCE))
    notes: defaultdict[int, tuple[EditNote, ...]] = defaultdict(tuple)
    for edit in session.scalars(in_force.order_by(Edit.made_at.desc(), Edit.id.desc())):
        notes[edit.contact_id] += (_note(edit),)
    return notes


def _note(edit: Edit) -> EditNote:
    return EditNote(
        edit_id=edit.id,
        field=EditField(edit.field),
        state=EditState(edit.state),
        value=edit.value,
        sis_value=edit.sis_value,
        sis_at=edit.sis_at,
        made_by=edit.made_by,
        made_at=edit.made_at,
    )


def _card(row: Row[*tuple[Any, ...]], edits: tuple[EditNote, ...], suggestion: Suggestion | None) -> ContactCard:
    status, since = _standing(row)
    return ContactCard(
        contact_id=row.contact_id,
        version=row.version,
        name=f"{row.given_name} {row.family_name}",
        relationship=row.relationship,
        method=ContactMethod(row.method),
        phone=row.phone,
        email=row.email,
        status=status,
        since=since,
        why=_why(row, status),
        opted_out=row.opted_out,
        stopped_by=row.opted_out_by,
        on_list=row.listed_since is not None,
        updated_at=row.updated_at,
        updated_by=row.updated_by,
        claimed_by=row.claimed_by,
        claimed_at=row.claimed_at,
        edits=edits,
        undo_edit_id=edits[0].edit_id if edits else None,
        suggestion=suggestion,
    )


def _standing(row: Row[*tuple[Any, ...]]) -> tuple[SmsStatus | None, datetime | None]:
    """What texts to this contact meet now, and since when; an opt-out outranks what carriers said before it."""
    if row.phone is None:
        return SmsStatus.NO_NUMBER, row.listed_since
    if row.opted_out:
        return SmsStatus.OPT_OUT, row.opted_out_at
    return (SmsStatus(row.sms_status), row.number_since) if row.sms_status else (None, None)


def _why(row: Row[*tuple[Any, ...]], status: SmsStatus | None) -> Evidence | None:
    """A STOP is no delivery; whatever carriers said before it, it is the reason."""
    if status in {None, SmsStatus.OPT_OUT, SmsStatus.NO_NUMBER} or row.sent_at is None:
        return None
    return Evidence(
        message=row.title,
        sent_at=row.sent_at,
        provider=row.provider,
        code=row.code,
        meaning=providers.meaning(row.provider, row.code),
        answered=row.final_at is not None,
    )


def _removals(student_id: int) -> Select[*tuple[Any, ...]]:
    link = StudentContact
    return (
        select(Removal, Contact.given_name, Contact.family_name, link.relationship)
        .join(Contact, Contact.id == Removal.contact_id)
        .join(link, link.contact_id == Removal.contact_id)
        .where(link.student_id == student_id, link.active, Contact.active, Removal.undone_at.is_(None))
        .where(or_(Removal.student_id == student_id, Removal.student_id.is_(None)))
        .order_by(Removal.made_at.desc(), Removal.id.desc())
    )


def _removed(row: Row[*tuple[Any, ...]]) -> RemovedContact:
    removal: Removal = row.Removal
    return RemovedContact(
        removal_id=removal.id,
        contact_id=removal.contact_id,
        name=f"{row.given_name} {row.family_name}",
        relationship=row.relationship,
        reason=removal.reason,
        made_by=removal.made_by,
        made_at=removal.made_at,
    )
