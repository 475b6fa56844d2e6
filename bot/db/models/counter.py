"""Numbers verified at the counter: the codes that clerks show, and the texts with a code, each counted once."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base, one_of_check
from bot.db.models.outbox import OutboxRow


class CounterState(StrEnum):
    """The dialog of a code waits for its text or its end, is redrawn, or shows the outcome."""

    PENDING = "pending"
    CLAIMED = "claimed"
    SHOWN = "shown"
    FAILED = "failed"


class CounterCode(OutboxRow, Base):
    """A code that a contact texts to prove a number, bound to the contact and to the clerk (a Slack user id) who shows it.

    It counts until `expires_at` and once, at `used_at`. Its row keeps the code from being issued again for a day. The dialog is redrawn
    when it is due: after the text, or at the end. `list_id` is the list behind the dialog (an `OpenView`), and `student_view_id` the
    student dialog below it, if there is one.
    """

    __tablename__ = "counter_codes"
    __table_args__ = (
        one_of_check("state", CounterState),
        Index("ix_counter_codes_due", "due_at", postgresql_where=text("state IN ('pending', 'claimed')")),
        Index(None, "contact_id"),
    )
    code: Mapped[str] = mapped_column(unique=True)
    contact_id: Mapped[int] = mapped_column(BigInteger)
    student_id: Mapped[int] = mapped_column(BigInteger)
    clerk: Mapped[str]
    list_id: Mapped[int] = mapped_column(BigInteger)
    student_view_id: Mapped[str | None]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    @property
    def view_id(self) -> str:
        """The `external_id` of the dialog that shows the code."""
        return f"counter.{self.id}"


class CodeText(Base):
    """A text with a code, right or wrong, without its words: a repeated report counts once, and one number may guess a few times only."""

    __tablename__ = "code_texts"
    __table_args__ = (Index(None, "phone"), Index(None, "received_at"))
    provider: Mapped[str] = mapped_column(primary_key=True)
    event_key: Mapped[str] = mapped_column(primary_key=True)
    phone: Mapped[str]
    received_at: Mapped[datetime]
