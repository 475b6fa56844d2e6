"""Settle a mass message: missing receipts become Unconfirmed, numbers are judged, and the cleanup list changes.

A message may settle more than once: when deliveries are added afterward, or when the window of one settled by hand closes.
One that (nearly) no receipts came for settles without any effect on the list; see `silence`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.cleanup_list.membership import MembershipChanges, update_list
from bot.cleanup_list.number_status import Numbers, WholeList, judge_numbers, judge_sender_faults
from bot.cleanup_list.tried_numbers import add_numbers_of_message
from bot.db.advisory_locks import lock_cleanup_list, lock_receipts
from bot.mass_messages.receipts import apply_receipts
from bot.mass_messages.silence import judge_silence, phones_with_outcome

DAY = timedelta(hours=24)


@dataclass(frozen=True)
class SettleResult:
    """Deliveries that became Unconfirmed because the window closed, how the list changed, and whether no receipts came."""

    unconfirmed: int
    moves: MembershipChanges
    is_silent: bool


_HAS_OPEN_DELIVERY = "EXISTS (SELECT FROM deliveries d WHERE d.mass_message_id = m.id AND d.outcome = 'pending')"

_SET_WINDOWS = text("""
UPDATE mass_messages SET settles_at = sent_at + :settle_after
WHERE id IN (SELECT id FROM mass_messages WHERE settles_at IS NULL FOR NO KEY UPDATE SKIP LOCKED)
""")

_DUE = text(f"""
SELECT m.id FROM mass_messages m
WHERE CASE WHEN m.settles_at <= :now THEN m.settled_at IS NULL OR (m.silent_at >= m.settles_at) IS NOT TRUE AND {_HAS_OPEN_DELIVERY}
           ELSE m.settled_at IS NULL AND NOT {_HAS_OPEN_DELIVERY}
                AND EXISTS (SELECT FROM deliveries d WHERE d.mass_message_id = m.id) END
ORDER BY m.sent_at, m.id LIMIT :limit
FOR NO KEY UPDATE SKIP LOCKED
""")

_WAITING = text("""
SELECT r.id FROM deliveries d JOIN receipts r ON r.provider = d.provider AND r.provider_id = d.provider_id
WHERE d.mass_message_id = :message AND r.applied_at IS NULL ORDER BY r.id
""")

_CLOSE_WINDOW = text("""
UPDATE deliveries d SET outcome = 'unconfirmed' FROM mass_messages m
WHERE m.id = :message AND m.settles_at <= :now AND m.silent_at IS NULL AND d.mass_message_id = m.id AND d.outcome = 'pending'
""")

_MARK_SETTLED = text("""
UPDATE mass_messages SET settled_at = coalesce(settled_at, :now), learned_at = :now WHERE id = :message
""")


def due_messages(session: Session, *, now: datetime, settle_after: timedelta = DAY, limit: int = 100) -> list[str]:
    """Claim the messages that are ready to settle, oldest first: every delivery is final, or the window is over.

    The claim lasts until the transaction ends; other processes skip claimed messages. A message that a sender wrote straight
    into the database gets its window here: `settle_after` its `sent_at`.
    """
    session.execute(_SET_WINDOWS, {"settle_after": settle_after})
    return list(session.scalars(_DUE, {"now": now, "limit": limit}))


def settle_message(session: Session, message_id: str, *, now: datetime) -> SettleResult:
    """Apply everything known about a message. Repeating it changes nothing.

    Open deliveries become Unconfirmed if the window is over, and stay open otherwise, or if the message is silent.
    """
    values = {"message": message_id, "now": now}
    lock_receipts(session, message_id)
    waiting = session.scalars(_WAITING, values).all()
    if waiting:
        apply_receipts(session, waiting, now=now)
    verdict = judge_silence(session, message_id, now=now)
    closed: Any = session.execute(_CLOSE_WINDOW, values)
    lock_cleanup_list(session)
    add_numbers_of_message(session, message_id)
    session.execute(_MARK_SETTLED, values)
    judge_sender_faults(session, message_id)
    if verdict.is_reversed:
        judge_numbers(session, Numbers(phones_with_outcome(session, message_id)), now=now)
    judge_numbers(session, WholeList(), message_id=message_id, now=now)
    if verdict.is_silent:
        return SettleResult(0, MembershipChanges(), is_silent=True)
    moves = update_list(session, WholeList(), message_id=message_id, now=now)
    return SettleResult(closed.rowcount, moves, is_silent=False)
