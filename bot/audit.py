"""The history of every change, written in the same transaction as the change. Rows are never updated and hold no whole number."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.db.models.edits import Audit
from bot.db.models.views import contacts_with_phone
from bot.domain import display


@dataclass(frozen=True)
class Subject:
    """The subject of a change: `kind` is `contact`, `channel`, `sync`, `download`, or `file`; `id` is its row, None for a channel or a file."""

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
    """Add one row. `action` is `noun.verb` in the past tense (`phone.changed`); `before` and `after` come masked."""
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
    """Add a row to the history of every contact with this number (E.164)."""
    for contact_id in sorted(session.scalars(contacts_with_phone(number))):
        subject = Subject("contact", contact_id)
        record(session, subject, actor=actor, action=action, now=now, after=display.masked(number), reason=reason)


def load_history(session: Session, subject: Subject, *, limit: int) -> list[Audit]:
    """Return what was done to a subject, newest first."""
    rows = select(Audit).where(Audit.subject_kind == subject.kind, Audit.subject_id == subject.id)
    return list(session.scalars(rows.order_by(Audit.at.desc(), Audit.id.desc()).limit(limit)))
