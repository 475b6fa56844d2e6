"""The states and columns that all outbox tables share; `bot.db.outbox` describes the transitions."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import id_column


class OutboxState(StrEnum):
    """Each table adds its own word for "sent"; only posts that can be looked up are ever ambiguous."""

    PENDING = "pending"
    CLAIMED = "claimed"
    AMBIGUOUS = "ambiguous"
    FAILED = "failed"


class OutboxRow:
    """Something to send at `due_at`. `claimed_at` starts the lease; `attempts` counts the claims and identifies the latest.

    `first_due_at` is when it was due before the first retry moved `due_at`.
    """

    id: Mapped[int] = id_column()
    state: Mapped[str] = mapped_column(server_default=OutboxState.PENDING)
    due_at: Mapped[datetime]
    first_due_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
