"""When a mass message settles, and what follows: silence becomes Unconfirmed, numbers are judged, the list moves.

A message may settle again: when deliveries were added afterwards, or when the window closes on one that was settled by hand.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.cleanup_list.evidence import judge_sender_faults
from bot.cleanup_list.list_lock import lock_cleanup_list
from bot.cleanup_list.membership import MembershipChanges, update_list
from bot.cleanup_list.number_status import WholeList, judge_numbers
from bot.mass_messages.apply_receipts import apply_receipts

DAY = timedelta(hours=24)


@dataclass(frozen=True)
class SettleResult:
    """What settling did: deliveries that nobody reported on in time, and how the list moved."""

    unconfirmed: int
    moves: MembershipChanges


_OPEN = "EXISTS (SELECT FROM deliveries d WHERE d.mass_message_id = m.id AND d.outcome = 'pending')"

_GIVE_WINDOWS = text("""
UPDATE mass_messages SET settles_at = sent_at + :settle_after
WHERE id IN (SELECT id FROM mass_messages WHERE settles_at IS NULL FOR NO KEY UPDATE SKIP LOCKED)
""")

_DUE = text(f"""
SELECT m.id FROM mass_messages m
WHERE CASE WHEN m.settles_at <= :now THEN m.settled_at IS NULL OR {_OPEN}
           ELSE m.settled_at IS NULL AND NOT {_OPEN}
                AND EXISTS (SELECT FROM deliveries d WHERE d.mass_message_id = m.id) END
ORDER BY m.sent_at, m.id LIMIT :limit
FOR NO KEY UPDATE SKIP LOCKED
""")

_HAVE_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended('message ' || :message, 0))")

_WAITING = text("""
SELECT r.id FROM deliveries d JOIN receipts r ON r.provider = d.provider AND r.provider_id = d.provider_id
WHERE d.mass_message_id = :message AND r.applied_at IS NULL ORDER BY r.id
""")

_CLOSE_WINDOW = text("""
UPDATE deliveries d SET outcome = 'unconfirmed' FROM mass_messages m
WHERE m.id = :message AND m.settles_at <= :now AND d.mass_message_id = m.id AND d.outcome = 'pending'
""")

_SETTLED = text("""
UPDATE mass_messages SET settled_at = coalesce(settled_at, :now), learned_at = :now WHERE id = :message
""")


def due_messages(session: Session, *, now: datetime, settle_after: timedelta = DAY, limit: int = 100) -> list[str]:
    """The messages that are ready to settle, oldest first: every delivery is final, or the window is over.

    They are claimed until the transaction ends; another process gets the others. Messages that a sender wrote straight into
    the database get their window here, `settle_after` their `sent_at`.
    """
    session.execute(_GIVE_WINDOWS, {"settle_after": settle_after})
    return list(session.scalars(_DUE, {"now": now, "limit": limit}))


def settle_message(session: Session, message_id: str, *, now: datetime) -> SettleResult:
    """Learn from a message what it has to tell now; the same again changes nothing.

    Deliveries that are still open become Unconfirmed if the window is over, and stay open otherwise.
    """
    which = {"message": message_id, "now": now}
    session.execute(_HAVE_ALONE, which)
    waiting = session.scalars(_WAITING, which).all()
    if waiting:
        apply_receipts(session, waiting, now=now)
    silent: Any = session.execute(_CLOSE_WINDOW, which)
    lock_cleanup_list(session)
    session.execute(_SETTLED, which)
    judge_sender_faults(session, message_id)
    judge_numbers(session, WholeList(), message_id=message_id, now=now)
    return SettleResult(silent.rowcount, update_list(session, WholeList(), message_id=message_id, now=now))
