"""Changes of many contacts at once: what a person chose, and what became of each contact."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base, one_of_check
from bot.db.models.outbox import OutboxRow


class BulkAction(StrEnum):
    CLAIM = "claim"
    CALL = "call"
    REMOVE = "remove"


class BulkState(StrEnum):
    """`draft`: its dialog is open. `done`: each contact has its outcome, and the person was sent the answer."""

    DRAFT = "draft"
    PENDING = "pending"
    CLAIMED = "claimed"
    DONE = "done"
    FAILED = "failed"


class BulkOutcome(StrEnum):
    """`open` contacts are still to be changed. Of the changed ones, *Undo all* makes `undone` ones, or `kept` ones that were
    changed again since.
    """

    OPEN = "open"
    CHANGED = "changed"
    STAYED = "stayed"
    UNDONE = "undone"
    KEPT = "kept"


class BulkChange(OutboxRow, Base):
    """One change of many contacts by `user_id`. A draft is an open dialog, without `due_at`.

    `reason` says why contacts are removed. `list_id` is the list behind the dialog (`OpenView`) and `view_id` the dialog; the
    direct message with the answer has `channel_id` and `ts`. `undo_at` is when *Undo all* was pressed.
    """

    __tablename__ = "bulk_changes"
    __table_args__ = (
        one_of_check("action", BulkAction),
        one_of_check("state", BulkState),
        Index("ix_bulk_changes_due", "due_at", postgresql_where=text("state IN ('pending', 'claimed')")),
        Index(None, "opened_at"),
    )
    user_id: Mapped[str]
    action: Mapped[str | None]
    reason: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default=BulkState.DRAFT)
    opened_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    undo_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None] = mapped_column()  # type: ignore[assignment]
    list_id: Mapped[int] = mapped_column(BigInteger)
    view_id: Mapped[str | None]
    channel_id: Mapped[str | None]
    ts: Mapped[str | None]


class BulkContact(Base):
    """A contact of a bulk change, at the `version` that its dialog showed, and its outcome.

    `reason` is the sentence why it stayed or was kept. `version_after` is its version after the change; `edit_id` or `removal_id`
    is what *Undo all* takes back.
    """

    __tablename__ = "bulk_contacts"
    __table_args__ = (
        one_of_check("outcome", BulkOutcome),
        Index(None, "contact_id"),
        Index(None, "edit_id"),
        Index(None, "removal_id"),
    )
    bulk_id: Mapped[int] = mapped_column(ForeignKey("bulk_changes.id", ondelete="CASCADE"), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int]
    outcome: Mapped[str] = mapped_column(server_default=BulkOutcome.OPEN)
    reason: Mapped[str | None]
    version_after: Mapped[int | None]
    edit_id: Mapped[int | None] = mapped_column(ForeignKey("edits.id", ondelete="SET NULL"))
    removal_id: Mapped[int | None] = mapped_column(ForeignKey("removals.id", ondelete="SET NULL"))
