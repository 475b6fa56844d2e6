"""Reports of messengers that people import, what was chosen for words that are not known, and what each import changed."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base, one_of_check
from bot.db.models.outbox import OutboxRow


class ReportState(StrEnum):
    """PENDING and CLAIMED wait for the step to be done; READY waits for the person who looks at the preview."""

    PENDING = "pending"
    CLAIMED = "claimed"
    READY = "ready"
    IMPORTED = "imported"
    CANCELED = "canceled"
    FAILED = "failed"
    UNDONE = "undone"


class ReportStep(StrEnum):
    """What is to be done with a pending report: fetch it from Slack and read it, or count it."""

    READ = "read"
    IMPORT = "import"


class ReportImport(OutboxRow, Base):
    """One report that a person or system gave us. `content` is the file, kept only until it counts or is given up.

    `message_id` is that of an existing mass message, or of the one that is registered with `title` and `sent_at`. `dialog_id` is the
    external id of the dialog on screen, and `questions` what it asks: `["word", word]`, or `["column", name, titles]`. `file_link` is where
    the person can delete the file in Slack, None once it is gone. `registered` is True if the import registered the message;
    `opted_out` are the numbers (E.164) that it opted out.
    """

    __tablename__ = "report_imports"
    __table_args__ = (
        one_of_check("state", ReportState),
        one_of_check("step", ReportStep),
        Index("ix_report_imports_due", "due_at", postgresql_where=text("state IN ('pending', 'claimed')")),
        Index(None, "user_id", "opened_at"),
    )
    due_at: Mapped[datetime | None] = mapped_column()  # type: ignore[assignment]
    user_id: Mapped[str]
    opened_at: Mapped[datetime]
    step: Mapped[str] = mapped_column(server_default=ReportStep.READ)
    message_id: Mapped[str]
    title: Mapped[str]
    sent_at: Mapped[datetime]
    layout_key: Mapped[str | None]
    questions: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    file_id: Mapped[str | None]
    file_name: Mapped[str]
    file_link: Mapped[str | None]
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    dialog_id: Mapped[str | None]
    imported_at: Mapped[datetime | None]
    registered: Mapped[bool] = mapped_column(server_default=text("false"))
    opted_out: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))


class ReportResult(Base):
    """What one import did to one delivery: whether it added it, and the receipts that it stored for it."""

    __tablename__ = "report_results"
    import_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    delivery_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    is_new: Mapped[bool]
    receipt_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))


class ReportChoice(Base):
    """What a person chose for a `word` or a `column` of a messenger's reports. `key` is `Layout.key`."""

    __tablename__ = "report_choices"
    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
    chosen_by: Mapped[str]
    chosen_at: Mapped[datetime]
