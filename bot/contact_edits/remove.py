"""Remove a contact from one student or from all. The removal is stored, so no sync brings the contact back, and it can be undone."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import Actor
from bot.contact_edits.locking import lock_contact, lock_for_staff
from bot.db import audit
from bot.db.audit import Subject
from bot.db.models.edits import Removal
from bot.db.models.roster import Student, StudentContact
from bot.errors import UserError

# Who ends a removal with which the SIS agrees.
SYNC = "sync"


class RemovalReason(StrEnum):
    """Why a contact is removed: chosen, never typed, because free text about families is not kept."""

    WRONG_PERSON = "wrong_person"
    NOT_A_CONTACT = "not_a_contact"
    DUPLICATE = "duplicate"
    ASKED = "asked"
    CUSTODY = "custody"

    @property
    def sentence(self) -> str:
        return _REASONS[self]


_REASONS = {
    RemovalReason.WRONG_PERSON: "Wrong person or wrong number",
    RemovalReason.NOT_A_CONTACT: "No longer a contact of the family",
    RemovalReason.DUPLICATE: "The same person is listed twice",
    RemovalReason.ASKED: "They asked to be removed",
    RemovalReason.CUSTODY: "Custody or court order",
}


def remove_contact(
    session: Session,
    contact_id: int,
    *,
    student_id: int | None,
    version: int,
    reason: RemovalReason,
    actor: Actor,
    now: datetime,
) -> Removal:
    """Remove a contact from one student or (None) from all; the same again from the same person changes nothing.

    Raises:
        VersionConflict: the contact is not at `version` anymore; also where someone else removed it.
        UserError: it is also a contact of students this person may not see.
    """
    rights.require_editor(actor)
    if removal := _removed_before(session, contact_id, student_id, actor):
        return removal
    lock_for_staff(session, contact_id, version=version, actor=actor, student_id=student_id)
    if student_id is None:
        _refuse_hidden_students(session, contact_id, actor)
    removal = Removal(
        contact_id=contact_id, student_id=student_id, reason=reason.sentence, made_by=actor.user_id, made_at=now
    )
    session.add(removal)
    session.flush()
    _record(session, removal, actor=actor, action="contact.removed", reason=reason.sentence, now=now)
    return removal


def _removed_before(session: Session, contact_id: int, student_id: int | None, actor: Actor) -> Removal | None:
    own = select(Removal).where(Removal.contact_id == contact_id, Removal.made_by == actor.user_id)
    same = own.where(Removal.student_id.is_not_distinct_from(student_id), Removal.undone_at.is_(None))
    return session.scalar(same.limit(1))


def undo_removal(session: Session, removal_id: int, *, actor: Actor, now: datetime) -> None:
    """Bring a contact back; the same again from the same person changes nothing.

    Raises:
        UserError: someone else brought it back, or the removal concerns students this person may not see.
    """
    rights.require_editor(actor)
    removal = session.get(Removal, removal_id)
    if removal is None or not _concerns(session, removal, actor):
        sentence = "That contact is not on your list anymore. Type /cleanup to see the list as it is now."
        raise UserError("access.no_contact", sentence)
    if removal.undone_by == actor.user_id:
        return
    lock_contact(session, removal.contact_id)
    session.refresh(removal)
    if removal.undone_at and removal.undone_by == SYNC:
        sentence = (
            "The student information system has removed this contact, too. Add the contact there to have them back."
        )
        raise UserError("removal.agreed", sentence)
    if removal.undone_at:
        raise UserError("removal.undone", "Someone already brought this contact back.")
    if removal.student_id is None:
        _refuse_hidden_students(session, removal.contact_id, actor)
    removal.undone_by, removal.undone_at = actor.user_id, now
    _record(session, removal, actor=actor, action="contact.brought_back", now=now)


def _concerns(session: Session, removal: Removal, actor: Actor) -> bool:
    students = select(StudentContact.student_id).where(
        StudentContact.contact_id == removal.contact_id, StudentContact.student_id.in_(rights.visible_students(actor))
    )
    if removal.student_id is not None:
        students = students.where(StudentContact.student_id == removal.student_id)
    return session.scalar(students.limit(1)) is not None


def _refuse_hidden_students(session: Session, contact_id: int, actor: Actor) -> None:
    hidden = (
        select(StudentContact.student_id)
        .join(Student, Student.id == StudentContact.student_id)
        .where(StudentContact.contact_id == contact_id, StudentContact.active, Student.active)
        .where(StudentContact.student_id.not_in(rights.visible_students(actor)))
    )
    if session.scalar(hidden.limit(1)) is not None:
        sentence = (
            "This is also a contact of students outside your list, so it was not removed from all. "
            "Open a student to remove it from that one, or ask your district office."
        )
        raise UserError("removal.hidden_students", sentence, field="scope")


def _record(
    session: Session, removal: Removal, *, actor: Actor, action: str, now: datetime, reason: str | None = None
) -> None:
    subject = Subject("contact", removal.contact_id)
    scope = "all students" if removal.student_id is None else f"student {removal.student_id}"
    audit.record(session, subject, actor=actor.user_id, action=action, after=scope, reason=reason, now=now)
