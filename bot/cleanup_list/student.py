"""Everything a dialog shows of one student: all contacts in the order to call them, listed or not, and those removed.

The status of a contact here is that of its number as it is now; an edited number that no text was sent to has none.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Select, any_, bindparam, or_, select, true
from sqlalchemy.orm import Session

from bot import access
from bot.access import BOUND_PARAMS, Actor, Reach
from bot.cleanup_list.cards import ActiveEdit, ContactCard, Evidence, RemovedContact, Sibling, StudentCard
from bot.cleanup_list.rows import (
    StudentRow,
    contact_from_row,
    listed_contacts_query,
    reachability_query,
    school_names,
    student_from_row,
    teacher_names,
)
from bot.cleanup_list.suggestions import Suggestion, find_suggestions
from bot.db.fast_rows import fetch_rows
from bot.db.models.base import ContactMethod
from bot.db.models.edits import IN_FORCE, Edit, EditField, EditState, Removal
from bot.db.models.messages import Delivery, ListEntry, MassMessage, PhoneNumber
from bot.db.models.roster import Contact, Student, StudentContact
from bot.db.models.views import effective_contacts
from bot.domain.sms_status import SmsStatus
from bot.providers import registry


def load_student(session: Session, student_id: int, *, actor: Actor) -> StudentCard:
    """One student, whoever of its contacts is on the list.

    Raises:
        UserError: this person may not see the student.
    """
    access.require_student(session, student_id, actor=actor)
    contacts = fetch_rows(session, _CONTACTS, {"student_id": student_id})
    return StudentCard(
        student=_student(session, student_id, actor),
        contacts=_cards(session, contacts),
        removed=tuple(_removed(row) for row in fetch_rows(session, _REMOVALS, {"student_id": student_id})),
        siblings=_siblings(session, student_id, [row.contact_id for row in contacts], actor),
    )


_STUDENT_ID = bindparam("student_id", type_=BigInteger)
_IDS = bindparam("ids", type_=ARRAY(BigInteger))

_REACH = reachability_query(Student.id).lateral()
_STUDENT = (
    select(
        *(Student.id.label("student_id"), Student.given_name, Student.family_name, Student.grade, _REACH),
        school_names(Student.id).label("schools"),
        teacher_names(Student.id, BOUND_PARAMS.today).label("teachers"),
    )
    .join_from(Student, _REACH, true())
    .where(Student.id == _STUDENT_ID)
)
_LISTED = listed_contacts_query(_STUDENT_ID).order_by("turn")


def _student(session: Session, student_id: int, actor: Actor) -> StudentRow:
    (row,) = fetch_rows(session, _STUDENT, {"student_id": student_id, "today": actor.today})
    return student_from_row(row, map(contact_from_row, fetch_rows(session, _LISTED, {"student_id": student_id})))


_ADULT = effective_contacts.c
_CONTACTS = (
    select(
        *(_ADULT.contact_id, _ADULT.given_name, _ADULT.family_name, _ADULT.relationship, _ADULT.email),
        *(_ADULT.phone, _ADULT.method, _ADULT.sms_status, _ADULT.opted_out, Contact.version),
        *(PhoneNumber.since.label("number_since"), PhoneNumber.opted_out_at, PhoneNumber.opted_out_by),
        *(ListEntry.since.label("listed_since"), ListEntry.updated_at, ListEntry.updated_by),
        *(ListEntry.claimed_by, ListEntry.claimed_at),
        *(Delivery.provider, Delivery.code, Delivery.final_at, MassMessage.title, MassMessage.sent_at),
    )
    .join_from(effective_contacts, Contact, Contact.id == _ADULT.contact_id)
    .outerjoin(PhoneNumber, PhoneNumber.phone == _ADULT.phone)
    .outerjoin(Delivery, Delivery.id == PhoneNumber.delivery_id)
    .outerjoin(MassMessage, MassMessage.id == Delivery.mass_message_id)
    .outerjoin(ListEntry, ListEntry.contact_id == _ADULT.contact_id)
    .where(_ADULT.student_id == _STUDENT_ID)
    .order_by(_ADULT.priority.nulls_last(), _ADULT.family_name, _ADULT.given_name, _ADULT.contact_id)
)


def _cards(session: Session, contacts: Sequence[Any]) -> tuple[ContactCard, ...]:
    edits = _edits(session, [row.contact_id for row in contacts])
    suggested = find_suggestions(session, contacts)
    return tuple(_card(row, edits[row.contact_id], suggested.get(row.contact_id)) for row in contacts)


_BESIDE = select(_ADULT.student_id).where(_ADULT.contact_id == any_(_IDS), _ADULT.student_id != _STUDENT_ID).distinct()


def _siblings(session: Session, student_id: int, contact_ids: Sequence[int], actor: Actor) -> tuple[Sibling, ...]:
    """Asked step by step: the planner takes all at once for a question about the whole district."""
    others = [row.student_id for row in fetch_rows(session, _BESIDE, {"ids": contact_ids, "student_id": student_id})]
    if not others:
        return ()
    found = fetch_rows(session, _named(actor.reach), {**actor.sight.values, "ids": others})
    return tuple(Sibling(row.id, f"{row.given_name} {row.family_name}") for row in found)


@cache
def _named(reach: Reach) -> Select[*tuple[Any, ...]]:
    """The names of those of some students who may be seen."""
    return (
        select(Student.id, Student.given_name, Student.family_name)
        .where(Student.id == any_(_IDS), Student.active, access.can_see(reach, Student.id))
        .order_by(Student.family_name, Student.given_name, Student.id)
    )


_EDITS = (
    select(
        *(Edit.contact_id, Edit.id, Edit.field, Edit.state, Edit.value),
        *(Edit.sis_value, Edit.sis_at, Edit.made_by, Edit.made_at),
    )
    .where(Edit.contact_id == any_(_IDS), Edit.state.in_(IN_FORCE))
    .order_by(Edit.made_at.desc(), Edit.id.desc())
)


def _edits(session: Session, contact_ids: Sequence[int]) -> Mapping[int, tuple[ActiveEdit, ...]]:
    """Newest first, so that the first is the one that Undo takes back."""
    notes: defaultdict[int, tuple[ActiveEdit, ...]] = defaultdict(tuple)
    for edit in fetch_rows(session, _EDITS, {"ids": contact_ids}):
        notes[edit.contact_id] += (_note(edit),)
    return notes


def _note(edit: Any) -> ActiveEdit:
    return ActiveEdit(
        edit_id=edit.id,
        field=EditField(edit.field),
        state=EditState(edit.state),
        value=edit.value,
        sis_value=edit.sis_value,
        sis_at=edit.sis_at,
        made_by=edit.made_by,
        made_at=edit.made_at,
    )


def _card(row: Any, edits: tuple[ActiveEdit, ...], suggestion: Suggestion | None) -> ContactCard:
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


def _standing(row: Any) -> tuple[SmsStatus | None, datetime | None]:
    """What texts to this contact meet now, and since when; an opt-out outranks what carriers said before it."""
    if row.phone is None:
        return SmsStatus.NO_NUMBER, row.listed_since
    if row.opted_out:
        return SmsStatus.OPT_OUT, row.opted_out_at
    return (SmsStatus(row.sms_status), row.number_since) if row.sms_status else (None, None)


def _why(row: Any, status: SmsStatus | None) -> Evidence | None:
    """A STOP is no delivery; whatever carriers said before it, it is the reason."""
    if status in {None, SmsStatus.OPT_OUT, SmsStatus.NO_NUMBER} or row.sent_at is None:
        return None
    return Evidence(
        message=row.title,
        sent_at=row.sent_at,
        provider=row.provider,
        code=row.code,
        meaning=registry.meaning(row.provider, row.code),
        answered=row.final_at is not None,
    )


_LINK = StudentContact
_REMOVALS = (
    select(
        *(Removal.id, Removal.contact_id, Removal.reason, Removal.made_by, Removal.made_at),
        *(Contact.given_name, Contact.family_name, _LINK.relationship),
    )
    .join(Contact, Contact.id == Removal.contact_id)
    .join(_LINK, _LINK.contact_id == Removal.contact_id)
    .where(_LINK.student_id == _STUDENT_ID, _LINK.active, Contact.active, Removal.undone_at.is_(None))
    .where(or_(Removal.student_id == _STUDENT_ID, Removal.student_id.is_(None)))
    .order_by(Removal.made_at.desc(), Removal.id.desc())
)


def _removed(row: Any) -> RemovedContact:
    return RemovedContact(
        removal_id=row.id,
        contact_id=row.contact_id,
        name=f"{row.given_name} {row.family_name}",
        relationship=row.relationship,
        reason=row.reason,
        made_by=row.made_by,
        made_at=row.made_at,
    )
