"""What a mass message taught us, in counts; which channels asked to be told; and the outbox of what they are told.

Channels get counts only. Who fixed a contact is for the fixer alone (`fixes_that_worked`).
"""

from bot.digests.fixes import Fix, fixes_that_worked
from bot.digests.learning import Digest, Fault, Moved, Reached, learn
from bot.digests.outbox import (
    ambiguous,
    claim,
    claim_refresh,
    claim_unclear,
    enqueue,
    enqueue_first_looks,
    enqueue_fixes,
    failed,
    posted,
    refreshed,
    retry_at,
)
from bot.digests.subscriptions import Subscribed, subscribe, subscription, subscriptions, unsubscribe

__all__ = [
    "Digest",
    "Fault",
    "Fix",
    "Moved",
    "Reached",
    "Subscribed",
    "ambiguous",
    "claim",
    "claim_refresh",
    "claim_unclear",
    "enqueue",
    "enqueue_first_looks",
    "enqueue_fixes",
    "failed",
    "fixes_that_worked",
    "learn",
    "posted",
    "refreshed",
    "retry_at",
    "subscribe",
    "subscription",
    "subscriptions",
    "unsubscribe",
]
