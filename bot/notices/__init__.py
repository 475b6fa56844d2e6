"""Who is told what after a sync: those who run it how it went, and each editor what it meant for their own edits."""

from bot.notices.editors import Dispute, Heard, heard
from bot.notices.outbox import claim, enqueue, failed, of_run, retry_at, told

__all__ = [
    "Dispute",
    "Heard",
    "claim",
    "enqueue",
    "failed",
    "heard",
    "of_run",
    "retry_at",
    "told",
]
