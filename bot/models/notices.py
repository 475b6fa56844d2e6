"""What people are told privately after a sync."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.models.base import Base, identity, one_of


class NoticeKind(StrEnum):
    """How the sync went, for those who run it; what it meant for somebody's own edits; that none ran for a day."""

    REPORT = "report"
    EDITS = "edits"
    STALE = "stale"


class NoticeState(StrEnum):
    PENDING = "pending"
    CLAIMED = "claimed"
    TOLD = "told"
    FAILED = "failed"


class SyncNotice(Base):
    """One direct message to one person about one sync; claimed and committed before Slack is called.

    `reader` is the e-mail of who runs the installation, or the Slack user id of an editor. `about` is the day of a notice
    that comes every day. `channel_id` and `ts` are the message, so that it can be brought up to date.
    """

    __tablename__ = "sync_notices"
    __table_args__ = (
        UniqueConstraint("sync_run_id", "kind", "reader", "about"),
        one_of("kind", NoticeKind),
        one_of("state", NoticeState),
        Index("ix_sync_notices_due", "due_at", postgresql_where=text("state IN ('pending', 'claimed')")),
    )
    id: Mapped[int] = identity()
    sync_run_id: Mapped[int] = mapped_column(ForeignKey("sync_runs.id", ondelete="CASCADE"))
    kind: Mapped[str]
    reader: Mapped[str]
    about: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str] = mapped_column(server_default=NoticeState.PENDING)
    due_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    channel_id: Mapped[str | None]
    ts: Mapped[str | None]
