"""Changing a value and recording who did it are one act: every verb that changes something calls `record` in its own
transaction. Rows are never changed afterwards, and hold no whole phone number.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.db.models.edits import Audit
from bot.db.models.views import contacts_with_phone
from bot.domain import phone


@dataclass(frozen=True)
class Subject:
    """What was acted on: `kind` is `contact`, `channel`, `sync`, `download` or `file`; `id` its row, None of a channel and a file."""

    kind: str
    id: int | None


def record(
    session: Session,
    subject: Subject,
    *,
    actor: str,
    action: str,
    now: datetime,
    before: str | None = None,
    after: str | None = None,
    reason: str | None = None,
) -> Audit:
    """Write one row; `action` is `noun.verb` in the past tense of the product (`phone.changed`); values come masked."""
    row = Audit(
        at=now,
        actor=actor,
        action=action,
        subject_kind=subject.kind,
        subject_id=subject.id,
        before=before,
        after=after,
        reason=reason,
    )
    session.add(row)
    return row


def record_number(
    session: Session, number: str, *, actor: str, action: str, now: datetime, reason: str | None = None
) -> None:
    """Write what happened to a number (E.164) into the history of each contact who has it."""
    for contact_id in sorted(session.scalars(contacts_with_phone(number))):
        subject = Subject("contact", contact_id)
        record(session, subject, actor=actor, action=action, now=now, after=phone.masked(number), reason=reason)


def load_history(session: Session, subject: Subject, *, limit: int = 20) -> list[Audit]:
    """What was done to a subject, newest first."""
    rows = select(Audit).where(Audit.subject_kind == subject.kind, Audit.subject_id == subject.id)
    return list(session.scalars(rows.order_by(Audit.at.desc(), Audit.id.desc()).limit(limit)))
