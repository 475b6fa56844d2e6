"""The history of every change, written in the same transaction as the change. Rows hold no full number, and are never updated: only
erasing a family blanks what theirs say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot.db.models.edits import Audit
from bot.db.models.views import contacts_with_phone
from bot.domain import display


@dataclass(frozen=True)
class Subject:
    """The subject of a change: `kind` is `contact`, `student`, `channel`, `sync`, `download`, or `file`; `id` is its row, None for a
    channel, a file, or a student who was erased.
    """

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


_RECORD_NUMBERS = text("""
WITH phones AS (SELECT unnest(CAST(:phones AS text[])) AS phone),
candidates AS MATERIALIZED (
    SELECT c.id FROM phones p JOIN contacts c ON c.sis_phone = p.phone
    UNION SELECT e.contact_id FROM phones p JOIN edits e ON e.value = p.phone AND e.state IN ('pending', 'conflict')
)
INSERT INTO audit (at, actor, action, subject_kind, subject_id, after)
SELECT :now, :actor, :action, 'contact', r.contact_id, '••• ' || right(r.phone, 4)
FROM candidates c JOIN contact_reach r ON r.contact_id = c.id JOIN phones p ON p.phone = r.phone
ORDER BY r.contact_id
""")


def record_numbers(session: Session, numbers: Sequence[str], *, actor: str, action: str, now: datetime) -> None:
    """Do as `record_number` does, for any number of numbers in one statement."""
    session.execute(_RECORD_NUMBERS, {"phones": list(numbers), "actor": actor, "action": action, "now": now})


def load_history(session: Session, subject: Subject, *, limit: int) -> list[Audit]:
    """Return what was done to a subject, newest first."""
    rows = select(Audit).where(Audit.subject_kind == subject.kind, Audit.subject_id == subject.id)
    return list(session.scalars(rows.order_by(Audit.at.desc(), Audit.id.desc()).limit(limit)))
