"""Delivery receipts: stored first, then applied to their deliveries once. A weaker report never overrides a stronger one.

Receipts may arrive before their mass message is registered; they wait. While a message is open, a receipt only changes its
delivery; after the message is final, a change also updates number status, cleanup list, and digests at once, unless the message
is still silent (`silence`).

Locking: applying receipts takes the message's advisory lock shared, settling takes it exclusively. A receipt is therefore
either seen by the settling transaction or sees that it is late.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, text
from sqlalchemy.orm import Session

from bot.cleanup_list.membership import update_list
from bot.cleanup_list.number_status import Numbers, judge_numbers, judge_sender_faults, strength_sql
from bot.db.advisory_locks import lock_cleanup_list
from bot.domain.sms_status import Outcome
from bot.mass_messages.opt_outs import apply_opt_out, record_opt_out
from bot.mass_messages.silence import end_silence, phones_with_outcome
from bot.mass_messages.unclear_texts import store_unclear_text
from bot.mass_messages.wrong_person import record_reassigned
from bot.providers.receipt import OptOutMessage, ParsedReceipt, ReassignedNumber
from bot.providers.unclear_texts import Report, UnclearMessage

# Texts of the same account that are no mass messages wait forever; after a month only a registration looks for them.
_RETRY_PERIOD = timedelta(days=30)
_BATCH_SIZE = 5_000


@dataclass(frozen=True)
class ReceiptCounts:
    """How many receipts were new, how many were stored before, and how many new ones have no known delivery yet."""

    stored: int = 0
    repeated: int = 0
    waiting: int = 0


_COLUMNS = ("provider", "event_key", "provider_id", "phone", "outcome", "code", "shaky", "reasonless", "occurred_at")
_STORE = text("""
INSERT INTO receipts (provider, event_key, provider_id, phone, outcome, code, shaky, reasonless, occurred_at, received_at, applied_at)
SELECT u.*, :now, CASE WHEN EXISTS (
    SELECT FROM deliveries d WHERE d.provider = u.provider AND d.provider_id = u.provider_id
) THEN CAST(:now AS timestamptz) END
FROM unnest(CAST(:provider AS text[]), CAST(:event_key AS text[]), CAST(:provider_id AS text[]), CAST(:phone AS text[]),
            CAST(:outcome AS text[]), CAST(:code AS text[]), CAST(:shaky AS boolean[]), CAST(:reasonless AS boolean[]),
            CAST(:occurred_at AS timestamptz[]))
    AS u (provider, event_key, provider_id, phone, outcome, code, shaky, reasonless, occurred_at)
ON CONFLICT DO NOTHING
RETURNING id, outcome, applied_at IS NULL AS is_waiting
""")

_WAITING = text("""
SELECT r.id FROM receipts r JOIN deliveries d ON d.provider = r.provider AND d.provider_id = r.provider_id
WHERE r.applied_at IS NULL AND r.received_at > :since ORDER BY r.id LIMIT :limit
""")

_LOCK_AND_LOAD = text("""
WITH reported AS MATERIALIZED (
    SELECT r.id, r.outcome, r.applied_at IS NULL AS is_waiting, d.mass_message_id AS message
    FROM receipts r LEFT JOIN deliveries d ON d.provider = r.provider AND d.provider_id = r.provider_id
    WHERE r.id = ANY(:receipts)
),
locks AS MATERIALIZED (
    SELECT pg_advisory_xact_lock_shared(hashtextextended('message ' || message, 0))
    FROM (SELECT DISTINCT message FROM reported WHERE message IS NOT NULL ORDER BY 1) AS messages
)
SELECT reported.*, (SELECT count(*) FROM locks) AS locks FROM reported
""")

# Unconfirmed without `final_at` only means that the window closed, so any report overrides it. Of two reports with the same
# outcome the surer one counts, then the one with a reason, whichever came first.
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
RETURNING m.id AS message, d.phone, d.outcome, d.reasonless, m.settled_at IS NOT NULL AS is_late, m.sender_at_fault,
          m.silent_at IS NOT NULL AS is_silent
""")

_MARK_APPLIED = text("""
UPDATE receipts r SET applied_at = :now FROM deliveries d
WHERE r.id = ANY(:receipts) AND r.applied_at IS NULL AND d.provider = r.provider AND d.provider_id = r.provider_id
""")

_OPT_OUTS = text("""
SELECT coalesce(d.phone, r.phone) AS phone, least(r.received_at, r.occurred_at, m.sent_at) AS at, r.provider, m.id AS message
FROM receipts r
LEFT JOIN deliveries d ON d.provider = r.provider AND d.provider_id = r.provider_id
LEFT JOIN mass_messages m ON m.id = d.mass_message_id
WHERE r.id = ANY(:receipts) AND r.outcome = 'opt_out' AND coalesce(d.phone, r.phone) IS NOT NULL
""")

_REASONLESS = text("SELECT DISTINCT phone FROM deliveries WHERE mass_message_id = :message AND reasonless")

# A transaction that is settling the message holds its row and sets the time itself.
_MARK_CHANGED = text("""
UPDATE mass_messages SET learned_at = :now
WHERE id IN (SELECT id FROM mass_messages WHERE id IN :messages FOR NO KEY UPDATE SKIP LOCKED)
""").bindparams(bindparam("messages", expanding=True))


def record_receipts(session: Session, reports: Sequence[Report], *, now: datetime) -> ReceiptCounts:
    """Store what a provider reported and apply it. A repeated report changes nothing, in this or another process.

    Commit before answering the provider.
    """
    for report in reports:
        if isinstance(report, OptOutMessage):
            record_opt_out(session, report, now=now)
        elif isinstance(report, ReassignedNumber):
            record_reassigned(session, report, now=now)
        elif isinstance(report, UnclearMessage):
            store_unclear_text(session, report, now=now)
    receipts = [report for report in reports if isinstance(report, ParsedReceipt)]
    if not receipts:
        return ReceiptCounts()
    columns: dict[str, Any] = {name: [getattr(receipt, name) for receipt in receipts] for name in _COLUMNS}
    stored = session.execute(_STORE, columns | {"now": now}).all()
    final = [row.id for row in stored if row.outcome != Outcome.PENDING]
    if final:
        apply_receipts(session, final, now=now)
    return ReceiptCounts(len(stored), len(receipts) - len(stored), sum(row.is_waiting for row in stored))


def apply_waiting_receipts(session: Session, *, now: datetime) -> int:
    """Apply a batch of receipts whose deliveries a sender has since written into the database itself.

    Returns how many found their delivery; 0 means that none are left.
    """
    waiting = session.scalars(_WAITING, {"since": now - _RETRY_PERIOD, "limit": _BATCH_SIZE}).all()
    return apply_receipts(session, waiting, now=now) if waiting else 0


def apply_receipts(session: Session, receipt_ids: Sequence[int], *, now: datetime) -> int:
    """Apply stored receipts to their deliveries. Returns how many found one; the others keep waiting.

    An opt-out takes effect at once, even if its delivery is unknown.
    """
    ids = {"receipts": list(receipt_ids)}
    receipts = session.execute(_LOCK_AND_LOAD, ids).all()
    matched = [receipt for receipt in receipts if receipt.message is not None]
    changed = session.execute(_APPLY, ids).all() if matched else []
    if any(receipt.is_waiting for receipt in matched):
        session.execute(_MARK_APPLIED, ids | {"now": now})
    if any(receipt.outcome == Outcome.OPT_OUT for receipt in receipts):
        for row in session.execute(_OPT_OUTS, ids).all():
            apply_opt_out(session, row.phone, by=row.provider, at=row.at, now=now, message_id=row.message)
    late = [delivery for delivery in changed if delivery.is_late]
    if late:
        _update_final_messages(session, late, now=now)
    return len(matched)


def _update_final_messages(session: Session, changed: Sequence[Row[Any]], *, now: datetime) -> None:
    """Judge the numbers of deliveries that changed after their message was final, and update the list."""
    lock_cleanup_list(session)
    by_message = defaultdict(list)
    for delivery in changed:
        by_message[delivery.message].append(delivery)
    for message_id, deliveries in sorted(by_message.items()):
        phones = {delivery.phone for delivery in deliveries}
        if deliveries[0].is_silent:
            if not end_silence(session, message_id, now=now):
                continue
            phones.update(phones_with_outcome(session, message_id))
        # A report may trip or clear the batch guard, which concerns every number that was refused without a reason.
        is_guarded = any(delivery.reasonless or delivery.sender_at_fault for delivery in deliveries)
        if is_guarded and judge_sender_faults(session, message_id):
            phones.update(session.scalars(_REASONLESS, {"message": message_id}))
        numbers = Numbers(sorted(phones))
        judge_numbers(session, numbers, now=now)
        update_list(session, numbers, message_id=message_id, now=now)
    session.execute(_MARK_CHANGED, {"messages": list(by_message), "now": now})
