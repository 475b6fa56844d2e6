"""Cleanup lists that staff download as a file."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base, one_of_check
from bot.db.models.outbox import OutboxRow


class DownloadForm(StrEnum):
    XLSX = "xlsx"
    CSV = "csv"


class DownloadState(StrEnum):
    DRAFT = "draft"
    PENDING = "pending"
    CLAIMED = "claimed"
    SENT = "sent"
    FAILED = "failed"


class Download(OutboxRow, Base):
    """One list for one person. A draft is an open dialog, without `due_at`.

    `channel_id` and `ts` identify the direct message that shows the progress; `contacts` counts the distinct contacts in the file.
    `file_id` is the file in Slack that was, or may have been, shared with its reader.
    """

    __tablename__ = "downloads"
    __table_args__ = (
        one_of_check("form", DownloadForm),
        one_of_check("state", DownloadState),
        Index("ix_downloads_due", "due_at", postgresql_where=text("state IN ('pending', 'claimed')")),
    )
    user_id: Mapped[str]
    filter_text: Mapped[str]
    form: Mapped[str] = mapped_column(server_default=DownloadForm.XLSX)
    state: Mapped[str] = mapped_column(server_default=DownloadState.DRAFT)
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime | None] = mapped_column()  # type: ignore[assignment]
    contacts: Mapped[int | None]
    channel_id: Mapped[str | None]
    ts: Mapped[str | None]
    file_id: Mapped[str | None]
