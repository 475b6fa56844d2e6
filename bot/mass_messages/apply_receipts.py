"""Stored receipts change their deliveries. While a message is open that is all; once it has settled, a receipt that makes a
difference moves the number, the list and the digests at once.

Whoever changes deliveries of a message shares its lock, and whoever settles it has the lock alone: so a receipt is either
seen by the settling or knows that it is late.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, text
from sqlalchemy.orm import Session

from bot.cleanup_list.evidence import judge_sender_faults, strength_sql
from bot.cleanup_list.list_lock import lock_cleanup_list
from bot.cleanup_list.membership import update_list
from bot.cleanup_list.number_status import Numbers, judge_numbers
from bot.domain.sms_status import Outcome
from bot.mass_messages.opt_out_list import OptOut, apply_opt_outs


@dataclass(frozen=True)
class Applied:
    """How many receipts found their delivery, and how many deliveries changed by them."""

    matched: int = 0
    changed: int = 0


_SHARE_MESSAGES = text("""
WITH told AS MATERIALIZED (
    SELECT r.id, r.outcome, r.applied_at IS NULL AS waits, d.mass_message_id AS message
    FROM receipts r LEFT JOIN deliveries d ON d.provider = r.provider AND d.provider_id = r.provider_id
    WHERE r.id = ANY(:receipts)
),
shared AS MATERIALIZED (
    SELECT pg_advisory_xact_lock_shared(hashtextextended('message ' || message, 0))
    FROM (SELECT DISTINCT message FROM told WHERE message IS NOT NULL ORDER BY 1) AS messages
)
SELECT told.*, (SELECT count(*) FROM shared) AS shared FROM told
""")

# An Unconfirmed that stands only because the window closed gives way to whatever a receipt says. Of two that say the same the
# surer one counts, and the one with a reason, whichever came first.
_APPLY = text(f"""
WITH strongest AS (
    SELECT DISTINCT ON (d.id) d.id, r.outcome, r.code, r.shaky, r.reasonless, r.received_at
    FROM receipts r JOIN deliveries d ON d.provider = r.provider AND d.provider_id = r.provider_id
    WHERE r.id = ANY(:receipts) AND r.outcome <> 'pending'
    ORDER BY d.id, {strength_sql("r.outcome")} DESC, r.shaky, r.reasonless, r.received_at, r.id
)
UPDATE deliveries d
SET outcome = s.outcome, code = s.code, shaky = s.shaky, reasonless = s.reasonless, final_at = s.received_at
FROM strongest s, mass_messages m
WHERE d.id = s.id AND m.id = d.mass_message_id
  AND ({strength_sql("s.outcome")}, NOT s.shaky, NOT s.reasonless) >
      (CASE WHEN d.outcome = 'unconfirmed' AND d.final_at IS NULL THEN 1 ELSE {strength_sql("d.outcome")} END,
       NOT d.shaky, NOT d.reasonless)
RETURNING m.id AS message, d.phone, d.outcome, d.reasonless, m.settled_at IS NOT NULL AS late, m.sender_at_fault
""")

_MARK_APPLIED = text("""
UPDATE receipts r SET applied_at = :now FROM deliveries d
WHERE r.id = ANY(:receipts) AND r.applied_at IS NULL AND d.provider = r.provider AND d.provider_id = r.provider_id
""")

_STOPPED = text("""
SELECT coalesce(d.phone, r.phone) AS phone, least(r.received_at, r.occurred_at, m.sent_at) AS said_at, r.provider, m.id AS message
FROM receipts r
LEFT JOIN deliveries d ON d.provider = r.provider AND d.provider_id = r.provider_id
LEFT JOIN mass_messages m ON m.id = d.mass_message_id
WHERE r.id = ANY(:receipts) AND r.outcome = 'opt_out' AND coalesce(d.phone, r.phone) IS NOT NULL
""")

_REASONLESS = text("SELECT DISTINCT phone FROM deliveries WHERE mass_message_id = :message AND reasonless")

# Who settles the message right now holds its row and will note the time itself.
_NOTE_NEWS = text("""
UPDATE mass_messages SET learned_at = :now
WHERE id IN (SELECT id FROM mass_messages WHERE id IN :messages FOR NO KEY UPDATE SKIP LOCKED)
""").bindparams(bindparam("messages", expanding=True))


def apply_receipts(session: Session, receipts: Sequence[int], *, now: datetime) -> Applied:
    """Let stored receipts (by id) change the deliveries they report on; those whose delivery is not known yet go on waiting.

    An opt-out counts at once, known delivery or not.
    """
    ids = {"receipts": list(receipts)}
    told = session.execute(_SHARE_MESSAGES, ids).all()
    matched = [one for one in told if one.message is not None]
    changed = session.execute(_APPLY, ids).all() if matched else []
    if any(one.waits for one in matched):
        session.execute(_MARK_APPLIED, ids | {"now": now})
    if any(one.outcome == Outcome.OPT_OUT for one in told):
        _hear_opt_outs(session, ids, now=now)
    late = [one for one in changed if one.late]
    if late:
        _learn_late(session, late, now=now)
    return Applied(len(matched), len(changed))


def _hear_opt_outs(session: Session, ids: dict[str, list[int]], *, now: datetime) -> None:
    for one in session.execute(_STOPPED, ids).all():
        apply_opt_outs(session, [OptOut(one.phone, one.said_at)], by=one.provider, now=now, message_id=one.message)


def _learn_late(session: Session, late: Sequence[Row[Any]], *, now: datetime) -> None:
    lock_cleanup_list(session)
    messages = sorted({one.message for one in late})
    for message_id in messages:
        phones = _concerned(session, message_id, [one for one in late if one.message == message_id])
        judge_numbers(session, phones, now=now)
        update_list(session, phones, message_id=message_id, now=now)
    session.execute(_NOTE_NEWS, {"messages": messages, "now": now})


def _concerned(session: Session, message_id: str, late: Sequence[Row[Any]]) -> Numbers:
    """The numbers reported on; and, when the report tips the scales of the batch guard, all that were refused alike."""
    phones = {one.phone for one in late}
    is_guarded = any(one.reasonless or one.sender_at_fault for one in late)
    if is_guarded and judge_sender_faults(session, message_id):
        phones.update(session.scalars(_REASONLESS, {"message": message_id}))
    return Numbers(sorted(phones))
