"""What a mass message taught us, read from its deliveries and from the list as it is now. Counts, never a name.

Every delivery is in exactly one of delivered, not reached, not known and our fault.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

from bot import providers
from bot.grade import LEVELS
from bot.models import Student, effective_contacts, textable
from bot.sms_status import SEVERITY, SmsStatus

Kind = TypeVar("Kind", bound=str)


@dataclass(frozen=True)
class Moved:
    """Contacts that joined the list by a message, that left it, and that are still on it (with another status, perhaps)."""

    joined: int = 0
    left: int = 0
    still: int = 0


@dataclass(frozen=True)
class Fault:
    """A refusal without a reason that hit so many recipients that our own sender is at fault. Nobody was listed for it."""

    provider: str
    code: str
    refusals: int
    meaning: str


@dataclass(frozen=True)
class Reached:
    """How another mass message went, to compare with."""

    title: str
    sent_at: datetime
    sent: int
    delivered: int


@dataclass(frozen=True)
class Digest:
    """One mass message in counts.

    `by_status` and `by_grade` hold only what is not zero, worst status and lowest grade first; a contact of children in two
    grades counts in both. `shown_at` is the state of knowledge that this shows (see `outbox.posted`).
    """

    message_id: str
    title: str
    sent_at: datetime
    shown_at: datetime | None
    sent: int
    delivered: int
    not_reached: int
    not_known: int
    our_fault: int
    all_moved: Moved
    fixed: int
    by_status: Mapping[SmsStatus, Moved]
    by_grade: Mapping[str, Moved]
    students_without_adult: int
    at_fault: tuple[Fault, ...]
    previous: Reached | None


_MESSAGE = text("""
SELECT id, title, sent_at, learned_at, sender_at_fault FROM mass_messages WHERE id = :message
""")

# Unconfirmed without `final_at` is silence, which a late receipt may still break.
_COUNTS = text("""
SELECT count(*) AS sent,
       count(*) FILTER (WHERE outcome = 'delivered') AS delivered,
       count(*) FILTER (WHERE outcome = 'pending' OR (outcome = 'unconfirmed' AND final_at IS NULL)) AS not_known,
       count(*) FILTER (WHERE outcome = 'not_contact_problem' OR (
           reasonless AND m.sender_at_fault ? (coalesce(provider, '') || ':' || coalesce(code, '')))) AS our_fault
FROM deliveries d JOIN mass_messages m ON m.id = d.mass_message_id
WHERE d.mass_message_id = :message
""")

_MOVES = """
moves AS (
    SELECT contact_id, 'joined' AS move, after AS status, FALSE AS fixed FROM list_changes
    WHERE mass_message_id = :message AND move = 'joined'
    UNION ALL
    SELECT contact_id, 'left', before, fixed_by IS NOT NULL FROM list_changes
    WHERE mass_message_id = :message AND move = 'left'
    UNION ALL
    SELECT e.contact_id, 'still', e.status, FALSE FROM cleanup_list e
    WHERE NOT EXISTS (
        SELECT FROM list_changes c
        WHERE c.mass_message_id = :message AND c.contact_id = e.contact_id AND c.move = 'joined')
)"""

_BY_STATUS = text(f"""
WITH {_MOVES} SELECT status AS kind, move, count(*) AS contacts, count(*) FILTER (WHERE fixed) AS fixed
FROM moves GROUP BY 1, 2
""")

_BY_GRADE = text(f"""
WITH {_MOVES} SELECT coalesce(s.grade, 'Other') AS kind, move, count(DISTINCT moves.contact_id) AS contacts
FROM moves
JOIN student_contacts l ON l.contact_id = moves.contact_id AND l.active
JOIN students s ON s.id = l.student_id AND s.active
GROUP BY 1, 2
""")

_WITHOUT_ADULT = (
    select(func.count())
    .select_from(Student)
    .where(Student.active, Student.id.not_in(select(effective_contacts.c.student_id).where(textable)))
)

_PREVIOUS = text("""
SELECT p.id, p.title, p.sent_at
FROM mass_messages m JOIN mass_messages p ON (p.sent_at, p.id) < (m.sent_at, m.id) AND p.settled_at IS NOT NULL
WHERE m.id = :message ORDER BY p.sent_at DESC, p.id DESC LIMIT 1
""")

_FIXES = text("""
SELECT fixed_by, count(*) AS fixes FROM list_changes
WHERE mass_message_id = :message AND move = 'left' AND fixed_by IS NOT NULL
GROUP BY 1 ORDER BY 1
""")


def learn(session: Session, message_id: str) -> Digest:
    """What a registered mass message taught us so far; complete once it has settled."""
    which = {"message": message_id}
    # First of all, so that a receipt that comes while we count is news and not overlooked.
    message = session.execute(_MESSAGE, which).one()
    counts = session.execute(_COUNTS, which).one()
    by_status = session.execute(_BY_STATUS, which).all()
    return Digest(
        message_id=message.id,
        title=message.title,
        sent_at=message.sent_at,
        shown_at=message.learned_at,
        sent=counts.sent,
        delivered=counts.delivered,
        not_reached=counts.sent - counts.delivered - counts.not_known - counts.our_fault,
        not_known=counts.not_known,
        our_fault=counts.our_fault,
        all_moved=_moved(by_status),
        fixed=sum(row.fixed for row in by_status),
        by_status=_by_kind(by_status, SEVERITY),
        by_grade=_by_kind(session.execute(_BY_GRADE, which).all(), LEVELS),
        students_without_adult=session.execute(_WITHOUT_ADULT).scalar_one(),
        at_fault=tuple(_fault(key, refusals) for key, refusals in sorted(message.sender_at_fault.items())),
        previous=_previous(session, message_id),
    )


def _moved(rows: Iterable[Row[Any]]) -> Moved:
    counted = {"joined": 0, "left": 0, "still": 0}
    for row in rows:
        counted[row.move] += row.contacts
    return Moved(**counted)


def _by_kind(rows: Iterable[Row[Any]], order: Iterable[Kind]) -> dict[Kind, Moved]:
    rows = list(rows)
    found = {row.kind for row in rows}
    return {kind: _moved(row for row in rows if row.kind == kind) for kind in order if kind in found}


def _fault(key: str, refusals: int) -> Fault:
    provider, _, code = key.partition(":")
    said = providers.meaning(provider, code)
    return Fault(provider, code, refusals, said or "The carrier refused and gave no reason.")


def _previous(session: Session, message_id: str) -> Reached | None:
    before = session.execute(_PREVIOUS, {"message": message_id}).first()
    if before is None:
        return None
    counts = session.execute(_COUNTS, {"message": before.id}).one()
    return Reached(before.title, before.sent_at, counts.sent, counts.delivered)


def fixes_that_worked(session: Session, message_id: str) -> dict[str, int]:
    """{Slack user id: contacts that this person edited and that the message then reached}."""
    return {row.fixed_by: row.fixes for row in session.execute(_FIXES, {"message": message_id})}
