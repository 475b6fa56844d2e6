"""Edits on their way into the SIS: a person approves a batch, and each change is settled by what the SIS has in the end.

    approved -> writing -> done | conflict | blocked | withdrawn

`writing` is committed before each call that changes the SIS, so a crash leaves a row that is looked up before anything is sent
again. `write_back_worker` makes the calls. Locks are taken as by every edit: the contact, its edits, then the row here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, exists, func, select, update
from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.contact_edits.locking import LockedContact, edit_state, lock_contact
from bot.db import audit, outbox
from bot.db.audit import Subject
from bot.db.models.edits import Edit, EditField, EditState
from bot.db.models.roster import Contact, Student, SyncRun, SyncState
from bot.db.models.sis_writes import OPEN, BatchState, SisWrite, SisWriteBatch, WriteState
from bot.db.models.views import effective_contacts
from bot.domain import display
from bot.errors import UserError
from bot.sis.contact_phones import ContactNumber
from bot.sis.write_plan import ContactEdit, Obstacle

_SYNC = "sync"


def is_roster_of(session: Session, host: str) -> bool:
    """Return whether the last complete sync read this server, so that contacts here have its ids."""
    done = select(SyncRun.source).where(SyncRun.state == SyncState.DONE).order_by(SyncRun.finished_at.desc())
    return session.scalar(done.limit(1)) == host


@dataclass(frozen=True)
class Writable:
    """How many edits can be written now, and the id of the newest: an approval covers only what its reader could see.

    `approved` more are being written.
    """

    count: int
    newest: int
    approved: int


def count_writable(session: Session, students: Select[int]) -> Writable:
    """Count the new numbers of the contacts of `students` (a query of ids) that are not in conflict, and not approved yet."""
    count, newest = session.execute(select(func.count(), func.max(Edit.id)).where(*_writable(students))).one()
    approved = select(func.count(SisWrite.id)).join(Edit, Edit.id == SisWrite.edit_id).where(SisWrite.state.in_(OPEN))
    return Writable(count, newest or 0, session.scalar(approved.where(_of_students(students))) or 0)


def approve_writes(session: Session, students: Select[int], *, newest: int, actor: Actor, now: datetime) -> int:
    """Approve the edits of these students up to the id `newest`, and return how many they are.

    Raises:
        UserError: writing is for other roles, or there is nothing to write.
    """
    require_writer(actor)
    edits = session.scalars(select(Edit.id).where(*_writable(students), Edit.id <= newest).with_for_update()).all()
    if not edits:
        raise UserError("write_back.nothing", "These changes are being written already, or were changed since.")
    batch = SisWriteBatch(approved_by=actor.user_id, approved_at=now, state=BatchState.NEW, due_at=now)
    session.add(batch)
    session.flush()
    session.add_all(SisWrite(batch_id=batch.id, edit_id=edit_id, due_at=now) for edit_id in edits)
    subject, after = Subject("file", None), display.plural(len(edits), "change")
    audit.record(session, subject, actor=actor.user_id, action="changes.approved", after=after, now=now)
    return len(edits)


def require_writer(actor: Actor) -> None:
    """Refuse a person who may not write to the SIS.

    Raises:
        UserError: writing is for other roles, or for none.
    """
    if not (actor.may_export and actor.may_edit):
        raise UserError(
            "access.no_writer",
            "Writing to the student information system is for other roles here. Please ask your registrar.",
        )


def _writable(students: Select[int]) -> list[ColumnElement[bool]]:
    open_write = exists().where(SisWrite.edit_id == Edit.id, SisWrite.state.in_(OPEN))
    return [
        Edit.field == EditField.PHONE,
        Edit.state == EditState.PENDING,
        _of_students(students),
        ~open_write,
    ]


def _of_students(students: Select[int]) -> ColumnElement[bool]:
    links = effective_contacts.c
    return Edit.contact_id.in_(select(links.contact_id).where(links.student_id.in_(students)))


@dataclass(frozen=True)
class DueWrite:
    """A write that is due.

    `in_force`: the edit is still the one in force, and the SIS had no third value at the last sync. `is_active`: the contact is
    still one of a student.
    """

    id: int
    edit: ContactEdit
    in_force: bool
    is_active: bool
    attempts: int
    approved_at: datetime


def due_ids(session: Session, *, now: datetime, limit: int) -> Sequence[int]:
    due = select(SisWrite.id).where(SisWrite.state.in_(OPEN), SisWrite.due_at <= now)
    return session.scalars(due.order_by(SisWrite.due_at, SisWrite.id).limit(limit)).all()


def load_write(session: Session, write_id: int) -> DueWrite:
    write = session.get_one(SisWrite, write_id)
    edit = session.get_one(Edit, write.edit_id)
    contact = session.get_one(Contact, edit.contact_id)
    reach = effective_contacts.c
    method = session.scalar(select(reach.method).where(reach.contact_id == contact.id).limit(1))
    return DueWrite(
        id=write.id,
        edit=ContactEdit(
            contact=contact.sourced_id,
            search=contact.search,
            students=_student_numbers(session, contact.id),
            base=edit.base,
            value=edit.value,
            takes_texts=method == "text",
        ),
        in_force=edit.state == EditState.PENDING,
        is_active=contact.active and method is not None,
        attempts=write.attempts,
        approved_at=session.get_one(SisWriteBatch, write.batch_id).approved_at,
    )


def _student_numbers(session: Session, contact_id: int) -> tuple[str, ...]:
    """Return the SIS's number of each student of a contact: the sourced_id if it is a number, else the student number."""
    reach = effective_contacts.c
    students = select(Student.sourced_id, Student.identifier).where(
        Student.id.in_(select(reach.student_id).where(reach.contact_id == contact_id))
    )
    rows = session.execute(students.order_by(Student.id))
    return tuple(sourced_id if sourced_id.isdecimal() else identifier for sourced_id, identifier in rows)


def begin_call(session: Session, write_id: int, *, now: datetime, look_up_after: timedelta) -> bool:
    """Store that a call which changes the SIS is about to be made; commit before it. Return False if the edit is not in force.

    After a crash it is looked up when the call has had time to arrive.
    """
    row = session.get_one(SisWrite, write_id, with_for_update=True)
    if session.get_one(Edit, row.edit_id).state != EditState.PENDING:
        return False
    row.state, row.attempts, row.due_at = WriteState.WRITING, row.attempts + 1, now + look_up_after
    return True


def postpone(session: Session, write_id: int, *, until: datetime) -> None:
    """Try no open write before `until`: the SIS does not let us in, or is down. The one that failed is tried last."""
    waiting = update(SisWrite).where(SisWrite.state.in_(OPEN))
    session.execute(waiting.where(SisWrite.due_at < until).values(due_at=until))
    session.execute(waiting.where(SisWrite.id == write_id).values(due_at=until + timedelta(seconds=1)))


def block(session: Session, write_id: int, obstacle: Obstacle, *, now: datetime) -> None:
    """A person has to make this change in the SIS. The edit stays pending."""
    _finish(session, session.get_one(SisWrite, write_id), WriteState.BLOCKED, now=now, reason=obstacle)


def settle(session: Session, write_id: int, number: ContactNumber, *, sis: str, now: datetime) -> WriteState:
    """End a write with what the SIS (of the name `sis`) has now, as a sync of this one contact would: the edit is absorbed, or in conflict.

    An edit that replaced ours meanwhile is based on the value we wrote: that was no change by another person. An edit that is
    pending after all, because the SIS has its old value again, is still approved.
    """
    row, edit, locked = _lock(session, write_id)
    current = locked.edits.get(EditField.PHONE)
    _store_sis_number(session, locked, number, ours=number.e164 == edit.value, now=now)
    if current and current.id != edit.id and number.e164 == edit.value and current.base == edit.base:
        current.base = number.e164
    if current:
        reason, approved_by = f"written to {sis}", session.get_one(SisWriteBatch, row.batch_id).approved_by
        _reconcile(session, current, number.e164, actor=approved_by, reason=reason, now=now)
    if edit.state == EditState.PENDING:
        row.state, row.due_at = WriteState.APPROVED, now
        return WriteState.APPROVED
    return _finish(session, row, _OUTCOMES.get(EditState(edit.state), WriteState.WITHDRAWN), now=now)


_OUTCOMES = {EditState.ABSORBED: WriteState.DONE, EditState.CONFLICT: WriteState.CONFLICT}


def _reconcile(session: Session, edit: Edit, sis_value: str | None, *, actor: str, reason: str, now: datetime) -> None:
    state = edit_state(edit, sis_value)
    is_conflict = state is EditState.CONFLICT
    if (edit.state, edit.sis_value) == (state, sis_value if is_conflict else None):
        return
    edit.state, edit.sis_value = state, sis_value if is_conflict else None
    edit.sis_at = None if state is EditState.PENDING else now
    if state is EditState.PENDING:
        return
    audit.record(
        session,
        Subject("contact", edit.contact_id),
        actor=_SYNC if is_conflict else actor,
        action="edit.disputed" if is_conflict else "edit.absorbed",
        before=display.masked(edit.value),
        after=display.masked(sis_value),
        reason=None if is_conflict else reason,
        now=now,
    )


def _store_sis_number(
    session: Session, locked: LockedContact, number: ContactNumber, *, ours: bool, now: datetime
) -> None:
    """Store the number of the SIS; one that others changed there is in the history, as after a sync."""
    contact = locked.contact
    if contact.sis_phone != number.e164 and not ours:
        before, after = display.masked(contact.sis_phone), display.masked(number.e164)
        subject = Subject("contact", contact.id)
        audit.record(session, subject, actor=_SYNC, action="phone.changed", before=before, after=after, now=now)
    contact.sis_phone, contact.sis_phone_written = number.e164, number.written
    contact.sis_phone_note, contact.sis_note_kind = number.note, number.kind


def _lock(session: Session, write_id: int) -> tuple[SisWrite, Edit, LockedContact]:
    edit_id = session.scalars(select(SisWrite.edit_id).where(SisWrite.id == write_id)).one()
    locked = lock_contact(session, session.get_one(Edit, edit_id).contact_id)
    edit = session.get_one(Edit, edit_id, populate_existing=True)
    row = session.get_one(SisWrite, write_id, with_for_update=True, populate_existing=True)
    return row, edit, locked


def _finish(
    session: Session, write: SisWrite, state: WriteState, *, now: datetime, reason: Obstacle | None = None
) -> WriteState:
    """Settle a write; with the last of its batch the result is due."""
    write.state, write.reason, write.settled_at = state, reason, now
    session.flush()
    is_open = exists().where(SisWrite.batch_id == write.batch_id, SisWrite.state.in_(OPEN))
    ended = update(SisWriteBatch).where(SisWriteBatch.id == write.batch_id, SisWriteBatch.state == BatchState.NEW)
    session.execute(ended.where(~is_open).values(state=BatchState.PENDING, due_at=now))
    return state


def claim_result(session: Session, *, now: datetime) -> SisWriteBatch | None:
    """Lease the next result to send. One whose lease has expired may have been sent, and is not sent again."""
    return outbox.claim(session, SisWriteBatch, now=now, on_expiry={"state": BatchState.FAILED})


@dataclass(frozen=True)
class BatchResult:
    """The numbers of a batch by state, and the ids of the edits that a person has to look at, by reason."""

    counts: dict[WriteState, int]
    conflicts: tuple[int, ...]
    blocked: dict[Obstacle, tuple[int, ...]]


def load_result(session: Session, batch_id: int) -> BatchResult:
    counts: dict[WriteState, int] = {}
    conflicts: list[int] = []
    blocked: dict[Obstacle, tuple[int, ...]] = {}
    for write in session.scalars(select(SisWrite).where(SisWrite.batch_id == batch_id).order_by(SisWrite.id)):
        state = WriteState(write.state)
        counts[state] = counts.get(state, 0) + 1
        if state is WriteState.CONFLICT:
            conflicts.append(write.edit_id)
        elif state is WriteState.BLOCKED and write.reason:
            reason = Obstacle(write.reason)
            blocked[reason] = (*blocked.get(reason, ()), write.edit_id)
    return BatchResult(counts, tuple(conflicts), blocked)
