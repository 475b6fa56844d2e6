"""Removing a contact: a tombstone that hides it from one student, or from all, through every sync, until it is undone.

Nobody decides for a student they may not see: removing everywhere, and undoing that, takes rights to all of them.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import access, audit
from bot.access import Actor
from bot.audit import Subject
from bot.contact_edits.locking import lock_contact
from bot.db.models.edits import Removal
from bot.db.models.roster import Student, StudentContact
from bot.errors import UserError


def remove_contact(
    session: Session,
    contact_id: int,
    *,
    student_id: int | None,
    version: int,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Removal:
    """Remove a contact from one student or (null) from all of its students; once more from the same person changes nothing.

    Raises:
        Stale: the contact is not at `version` any more; also when somebody removed it meanwhile.
        UserError: it is a contact of students this person may not see.
    """
    access.require_editor(actor)
    if done := _done_before(session, contact_id, student_id, actor):
        return done
    access.require_contact(session, contact_id, actor=actor, student_id=student_id)
    lock_contact(session, contact_id, version=version)
    if student_id is None:
        _refuse_hidden_students(session, contact_id, actor)
    removal = Removal(contact_id=contact_id, student_id=student_id, reason=reason, made_by=actor.user_id, made_at=now)
    session.add(removal)
    session.flush()
    _record(session, removal, actor=actor, action="contact.removed", now=now, reason=reason)
    return removal


def _done_before(session: Session, contact_id: int, student_id: int | None, actor: Actor) -> Removal | None:
    own = select(Removal).where(Removal.contact_id == contact_id, Removal.made_by == actor.user_id)
    from_same = Removal.student_id.is_not_distinct_from(student_id)
    return session.scalar(own.where(from_same, Removal.undone_at.is_(None)).limit(1))


def undo_removal(session: Session, removal_id: int, *, actor: Actor, now: datetime) -> None:
    """Undo a removal; once more from the same person changes nothing.

    Raises:
        UserError: somebody else undid it already, or it hides the contact from students this person may not see.
    """
    access.require_editor(actor)
    removal = session.get(Removal, removal_id)
    if removal is None or not _concerns(session, removal, actor):
        raise UserError(
            "access.no_contact", "That contact is not on your list any more. Type /cleanup to see it as it is now."
        )
    if removal.undone_by == actor.user_id:
        return
    lock_contact(session, removal.contact_id)
    session.refresh(removal)
    if removal.undone_at:
        raise UserError("removal.brought_back", "Somebody brought this contact back already.")
    if removal.student_id is None:
        _refuse_hidden_students(session, removal.contact_id, actor)
    removal.undone_by, removal.undone_at = actor.user_id, now
    _record(session, removal, actor=actor, action="contact.brought_back", now=now)


def _concerns(session: Session, removal: Removal, actor: Actor) -> bool:
    students = select(StudentContact.student_id).where(
        StudentContact.contact_id == removal.contact_id, StudentContact.student_id.in_(access.visible_students(actor))
    )
    if removal.student_id is not None:
        students = students.where(StudentContact.student_id == removal.student_id)
    return session.scalar(students.limit(1)) is not None


def _refuse_hidden_students(session: Session, contact_id: int, actor: Actor) -> None:
    hidden = (
        select(StudentContact.student_id)
        .join(Student, Student.id == StudentContact.student_id)
        .where(StudentContact.contact_id == contact_id, StudentContact.active, Student.active)
        .where(StudentContact.student_id.not_in(access.visible_students(actor)))
    )
    if session.scalar(hidden.limit(1)) is not None:
        raise UserError(
            "removal.hidden_students",
            (
                "This is also a contact of students outside your list, so it was not removed from all. Open a "
                "student to remove it from that one, or ask your district office."
            ),
            field="scope",
        )


def _record(
    session: Session, removal: Removal, *, actor: Actor, action: str, now: datetime, reason: str | None = None
) -> None:
    subject = Subject("contact", removal.contact_id)
    where = "all students" if removal.student_id is None else f"student {removal.student_id}"
    audit.record(session, subject, actor=actor.user_id, action=action, after=where, reason=reason, now=now)
