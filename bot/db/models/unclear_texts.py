"""Texts of families that a person has to read, and the cards on which the people who may decide are asked."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base, created_at_column, id_column, one_of_check
from bot.db.models.outbox import OutboxRow


class TextAnswer(StrEnum):
    """What a person says that a text means."""

    OPT_OUT = "opt_out"
    WRONG_PERSON = "wrong_person"
    NEITHER = "neither"


class UnclearText(Base):
    """A text that resembles an opt-out, or says that the number is someone else's. `text` is null once it was answered.

    `topic` is a `bot.providers.unclear_texts.Topic`. A repeated report of the same text is the same row.
    """

    __tablename__ = "unclear_texts"
    __table_args__ = (
        UniqueConstraint("provider", "event_key"),
        Index("ix_unclear_texts_open", "id", postgresql_where=text("answer IS NULL")),
        one_of_check("answer", TextAnswer),
    )
    id: Mapped[int] = id_column()
    provider: Mapped[str]
    event_key: Mapped[str]
    phone: Mapped[str]
    topic: Mapped[str]
    text: Mapped[str | None]
    received_at: Mapped[datetime] = created_at_column()
    answer: Mapped[str | None]
    answered_by: Mapped[str | None]
    answered_at: Mapped[datetime | None]


class CardState(StrEnum):
    PENDING = "pending"
    CLAIMED = "claimed"
    SENT = "sent"
    FAILED = "failed"


class TextCard(OutboxRow, Base):
    """One direct message that asks one person, by email, about one text. Once sent, `channel_id` and `ts` identify it.

    An answer makes the sent cards of all readers due again: they are updated, and lose the text.
    """

    __tablename__ = "text_cards"
    __table_args__ = (
        UniqueConstraint("unclear_text_id", "reader"),
        one_of_check("state", CardState),
        Index("ix_text_cards_due", "due_at", postgresql_where=text("state IN ('pending', 'claimed')")),
    )
    unclear_text_id: Mapped[int] = mapped_column(ForeignKey("unclear_texts.id", ondelete="CASCADE"))
    reader: Mapped[str]
    channel_id: Mapped[str | None]
    ts: Mapped[str | None]
