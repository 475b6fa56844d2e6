"""The cleanup list as a file for one person: asked for in a dialog, made row by row, sent by mail or in a direct message."""

from bot.downloads.mail import Attachment, Mail, send, try_out
from bot.downloads.outbox import ask, claim, draft, failed, posted, retry_at, sent, sweep
from bot.downloads.sheet import Head, Size, write

__all__ = [
    "Attachment",
    "Head",
    "Mail",
    "Size",
    "ask",
    "claim",
    "draft",
    "failed",
    "posted",
    "retry_at",
    "send",
    "sent",
    "sweep",
    "try_out",
    "write",
]
