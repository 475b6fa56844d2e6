"""What one person is in the middle of: contacts that they take care of, and contacts that they fixed and that wait for a message."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import Actor
from bot.cleanup_list.claims import CLAIM_DURATION
from bot.db.models.folding import full_name
from bot.db.models.messages import ListEntry
from bot.db.models.roster import Student
from bot.db.models.views import effective_contacts
from bot.domain.sms_status import SmsStatus


@dataclass(frozen=True)
class Claim:
    """A contact that the person takes care of until `ends_at`; `students` are names, and `student_id` is of the first."""

    contact_id: int
    contact: str
    students: tuple[str, ...]
    student_id: int
    status: SmsStatus
    ends_at: datetime


@dataclass(frozen=True)
class OwnWork:
    """The `claims`, those first that end first, and the number of fixed contacts that wait for the next mass message."""

    claims: tuple[Claim, ...] = ()
    waiting: int = 0


def load_own_work(session: Session, *, actor: Actor) -> OwnWork:
    """Return the work of this person on the contacts of students that they may see."""
    links = effective_contacts.c
    contact, student = (full_name(person.given_name, person.family_name) for person in (links, Student))
    rows = session.execute(
        select(
            *(ListEntry.contact_id, ListEntry.status, ListEntry.claimed_at, ListEntry.updated_by),
            contact.label("contact"),
            func.array_agg(aggregate_order_by(student, Student.id)).label("students"),
            func.array_agg(aggregate_order_by(Student.id, Student.id)).label("student_ids"),
        )
        .join_from(ListEntry, effective_contacts, links.contact_id == ListEntry.contact_id)
        .join(Student, Student.id == links.student_id)
        .where((ListEntry.claimed_by == actor.user_id) | (ListEntry.updated_by == actor.user_id))
        .where(Student.id.in_(rights.visible_students(actor)))
        .group_by(ListEntry.contact_id, contact)
        .order_by(ListEntry.claimed_at, ListEntry.contact_id)
    ).all()
    claims = (
        Claim(
            contact_id=row.contact_id,
            contact=row.contact,
            students=tuple(row.students),
            student_id=row.student_ids[0],
            status=SmsStatus(row.status),
            ends_at=row.claimed_at + CLAIM_DURATION,
        )
        for row in rows
        if row.claimed_at and not row.updated_by
    )
    return OwnWork(tuple(claims), sum(row.updated_by == actor.user_id for row in rows))
