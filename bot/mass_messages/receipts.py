"""A delivery receipt is stored first and applied then, once only; nothing it says is ever taken back by a weaker one.

Receipts of a message that nobody has registered yet are kept and wait. STOP and START texts come through the same door.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.domain.sms_status import Outcome
from bot.mass_messages.apply_receipts import apply_receipts
from bot.mass_messages.opt_outs import record_opt_out
from bot.providers.receipt import OptOutMessage, ParsedReceipt

# Other texts of the same account wait for ever; after a month only a registration looks for them.
_LOOKED_FOR = timedelta(days=30)
_AT_ONCE = 5_000


@dataclass(frozen=True)
class ReceiptCounts:
    """What came of some reports: new ones, ones that we had, and new ones whose delivery is not known yet."""

    stored: int = 0
    again: int = 0
    waiting: int = 0


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
RETURNING id, outcome, applied_at IS NULL AS waits
""")
_COLUMNS = ("provider", "event_key", "provider_id", "phone", "outcome", "code", "shaky", "reasonless", "occurred_at")

_WAITING = text("""
SELECT r.id FROM receipts r JOIN deliveries d ON d.provider = r.provider AND d.provider_id = r.provider_id
WHERE r.applied_at IS NULL AND r.received_at > :since ORDER BY r.id LIMIT :limit
""")


def record_receipts(
    session: Session, parsed: Sequence[ParsedReceipt | OptOutMessage], *, now: datetime
) -> ReceiptCounts:
    """Store what a provider reported and let it count. The same report again, in this or another process, is no news.

    Commit before the provider is answered.
    """
    for one in parsed:
        if isinstance(one, OptOutMessage):
            record_opt_out(session, one, now=now)
    reports = [one for one in parsed if isinstance(one, ParsedReceipt)]
    if not reports:
        return ReceiptCounts()
    rows: dict[str, Any] = {name: [getattr(one, name) for one in reports] for name in _COLUMNS}
    stored = session.execute(_STORE, rows | {"now": now}).all()
    telling = [one.id for one in stored if one.outcome != Outcome.PENDING]
    if telling:
        apply_receipts(session, telling, now=now)
    return ReceiptCounts(len(stored), len(reports) - len(stored), sum(one.waits for one in stored))


def apply_waiting_receipts(session: Session, *, now: datetime) -> int:
    """Apply some of the receipts whose deliveries have come since, for senders that write them straight into the database.

    Returns how many found their delivery; after none, there are no more.
    """
    waiting = session.scalars(_WAITING, {"since": now - _LOOKED_FOR, "limit": _AT_ONCE}).all()
    return apply_receipts(session, waiting, now=now).matched if waiting else 0
