"""What the tables have in common whose rows are sent, each by one process at a time."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import id_column

PENDING, CLAIMED = "pending", "claimed"
"""States that each of them has: it waits for `due_at`; somebody has it since `claimed_at`."""


class OutboxRow:
    """A row that is claimed, and the claim committed, before it is sent. Each claim is another attempt (`bot.db.outbox`)."""

    id: Mapped[int] = id_column()
    state: Mapped[str] = mapped_column(server_default=PENDING)
    due_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
