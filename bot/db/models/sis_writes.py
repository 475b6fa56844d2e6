"""Edits that are written to the SIS: batches that a person approved, and the state of each change."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base, id_column, one_of_check
from bot.db.models.outbox import OutboxRow


class WriteState(StrEnum):
    """`approved` and `writing` are open, at most one per edit. `writing` is stored before a call that changes the SIS.

    `done`: the SIS has the value. `conflict`: it has a third one. `blocked`: a person has to change it there (`reason`).
    `withdrawn`: the edit was changed or undone here before.
    """

    APPROVED = "approved"
    WRITING = "writing"
    DONE = "done"
    CONFLICT = "conflict"
    BLOCKED = "blocked"
    WITHDRAWN = "withdrawn"


OPEN = (WriteState.APPROVED, WriteState.WRITING)


class BatchState(StrEnum):
    """`new` until each of its changes is settled; then its result is sent to the person who approved it."""

    NEW = "new"
    PENDING = "pending"
    CLAIMED = "claimed"
    SENT = "sent"
    FAILED = "failed"


class SisWriteBatch(OutboxRow, Base):
    """Changes approved at once by `approved_by` (a Slack user id), and the direct message about their result."""

    __tablename__ = "sis_write_batches"
    __table_args__ = (
        one_of_check("state", BatchState),
        Index("ix_sis_write_batches_due", "due_at", postgresql_where=text("state IN ('pending', 'claimed')")),
    )
    approved_by: Mapped[str]
    approved_at: Mapped[datetime]


class SisWrite(Base):
    """One edit of a batch. `attempts` counts the calls that changed, or may have changed, the SIS."""

    __tablename__ = "sis_writes"
    __table_args__ = (
        one_of_check("state", WriteState),
        Index("uq_sis_writes_open", "edit_id", unique=True, postgresql_where=text("state IN ('approved', 'writing')")),
        Index("ix_sis_writes_due", "due_at", postgresql_where=text("state IN ('approved', 'writing')")),
        Index(None, "batch_id"),
        Index(None, "edit_id"),
    )
    id: Mapped[int] = id_column()
    batch_id: Mapped[int] = mapped_column(ForeignKey("sis_write_batches.id", ondelete="CASCADE"))
    edit_id: Mapped[int] = mapped_column(ForeignKey("edits.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(server_default=WriteState.APPROVED)
    reason: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    due_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
