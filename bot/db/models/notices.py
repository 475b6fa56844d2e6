"""What people are told privately after a sync."""

from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base, one_of_check
from bot.db.models.outgoing import OutboxRow


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


class SyncNotice(OutboxRow, Base):
    """One direct message to one person about one sync.

    `reader` is the e-mail of who runs the installation, or the Slack user id of an editor. `about` is the day of a notice
    that comes every day. `channel_id` and `ts` are the message, so that it can be brought up to date.
    """

    __tablename__ = "sync_notices"
    __table_args__ = (
        UniqueConstraint("sync_run_id", "kind", "reader", "about"),
        one_of_check("kind", NoticeKind),
        one_of_check("state", NoticeState),
        Index("ix_sync_notices_due", "due_at", postgresql_where=text("state IN ('pending', 'claimed')")),
    )
    sync_run_id: Mapped[int] = mapped_column(ForeignKey("sync_runs.id", ondelete="CASCADE"))
    kind: Mapped[str]
    reader: Mapped[str]
    about: Mapped[str] = mapped_column(server_default="")
    channel_id: Mapped[str | None]
    ts: Mapped[str | None]
