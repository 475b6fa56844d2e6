"""Direct messages about syncs, about numbers of the wrong person, and to administrators about receipts that go wrong."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base, one_of_check
from bot.db.models.outbox import OutboxRow


class NoticeKind(StrEnum):
    """How a sync went, for admins; what it meant for an editor's edits; that no sync has ended for more than a day, for admins."""

    REPORT = "report"
    EDITS = "edits"
    STALE = "stale"


class NoticeState(StrEnum):
    PENDING = "pending"
    CLAIMED = "claimed"
    AMBIGUOUS = "ambiguous"
    SENT = "sent"
    FAILED = "failed"


class SyncNotice(OutboxRow, Base):
    """One direct message to one person about one sync.

    `reader` is an email, or for `EDITS` a Slack user id. `about` is the day of a notice that is sent once a day. The metadata of the
    message has `key`, by which it is found if the answer was lost. `channel_id` and `ts` identify the message, so that it can be
    updated.
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

    @property
    def key(self) -> str:
        return f"notice {self.id}"


class AdminNoticeKind(StrEnum):
    """Requests from one source are refused; a mass message got no receipts."""

    REFUSED = "refused"
    SILENT = "silent"


class AdminNotice(OutboxRow, Base):
    """One direct message to one administrator, by email. `about` is the source of refused requests, or the id of a mass message."""

    __tablename__ = "admin_notices"
    __table_args__ = (
        one_of_check("kind", AdminNoticeKind),
        one_of_check("state", NoticeState),
        Index("ix_admin_notices_due", "due_at", postgresql_where=text("state IN ('pending', 'claimed')")),
        Index(None, "kind", "about"),
    )
    kind: Mapped[str]
    about: Mapped[str]
    reader: Mapped[str]
    made_at: Mapped[datetime]


class WrongPersonState(StrEnum):
    """`NEW` until the clock has found the readers."""

    NEW = "new"
    PENDING = "pending"
    CLAIMED = "claimed"
    SENT = "sent"
    FAILED = "failed"


class WrongPersonNotice(OutboxRow, Base):
    """One direct message to one editor about the numbers recorded as Wrong person at one moment, by one person or source.

    `reader` is an email, NULL while it is new. `student_id` is the student in whose dialog it was recorded,
    if it was: the message is about the other students with the number.
    """

    __tablename__ = "wrong_person_notices"
    __table_args__ = (
        one_of_check("state", WrongPersonState),
        Index("ix_wrong_person_notices_due", "due_at", postgresql_where=text("state IN ('new', 'pending', 'claimed')")),
    )
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    student_id: Mapped[int | None] = mapped_column(BigInteger)
    reader: Mapped[str | None]
