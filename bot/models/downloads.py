"""Lists that somebody takes along as a file."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.models.base import Base, identity, one_of


class DownloadForm(StrEnum):
    XLSX = "xlsx"
    CSV = "csv"


class DownloadState(StrEnum):
    DRAFT = "draft"
    PENDING = "pending"
    CLAIMED = "claimed"
    SENT = "sent"
    FAILED = "failed"


class Download(Base):
    """One list for one person; a draft while its dialog is open. Claimed and committed before anything is sent.

    `channel_id` and `ts` are the direct message that says how far it is. `contacts` how many different ones stand in the file.
    """

    __tablename__ = "downloads"
    __table_args__ = (
        one_of("form", DownloadForm),
        one_of("state", DownloadState),
        Index("ix_downloads_due", "due_at", postgresql_where=text("state IN ('pending', 'claimed')")),
    )
    id: Mapped[int] = identity()
    user_id: Mapped[str]
    filter_text: Mapped[str]
    form: Mapped[str] = mapped_column(server_default=DownloadForm.XLSX)
    state: Mapped[str] = mapped_column(server_default=DownloadState.DRAFT)
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    contacts: Mapped[int | None]
    channel_id: Mapped[str | None]
    ts: Mapped[str | None]
