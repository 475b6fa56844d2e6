"""Questions to homeroom teachers about students with no adult who can be reached, and the cards on which the office decides."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, ForeignKey, Index, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base, id_column, one_of_check
from bot.db.models.outbox import OutboxRow


class TeacherState(StrEnum):
    PENDING = "pending"
    CLAIMED = "claimed"
    SENT = "sent"
    FAILED = "failed"


class TeacherAnswer(StrEnum):
    """What a teacher answers: a number, another person or way to try, or nothing."""

    NUMBER = "number"
    TRY_OTHER = "try_other"
    NO_IDEA = "no_idea"


class Decision(StrEnum):
    USED = "used"
    SET_ASIDE = "set_aside"


class TeacherMessage(OutboxRow, Base):
    """One direct message to one teacher, by email, on one day of the district, about all students asked about until it is sent."""

    __tablename__ = "teacher_messages"
    __table_args__ = (
        UniqueConstraint("teacher", "day"),
        one_of_check("state", TeacherState),
        Index("ix_teacher_messages_due", "due_at", postgresql_where=text("state IN ('pending', 'claimed')")),
    )
    teacher: Mapped[str]
    day: Mapped[date]


class TeacherQuestion(Base):
    """One student in a message. `asked_by` is a Slack user id, or `daily`.

    `phone` (E.164) and `note` are what the teacher typed; the decision of the office deletes them.
    """

    __tablename__ = "teacher_questions"
    __table_args__ = (
        UniqueConstraint("student_id", "asked_on"),
        one_of_check("answer", TeacherAnswer),
        one_of_check("decision", Decision),
        Index(None, "message_id"),
        Index(None, "asked_at"),
    )
    id: Mapped[int] = id_column()
    message_id: Mapped[int] = mapped_column(ForeignKey("teacher_messages.id", ondelete="CASCADE"))
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"))
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    asked_on: Mapped[date]
    answer: Mapped[str | None]
    phone: Mapped[str | None]
    note: Mapped[str | None]
    answered_by: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    decision: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]


def was_sent() -> ColumnElement[bool]:
    """Return the condition that a question reached the teacher or may still: an answered one arrived, although its message failed."""
    failed = select(TeacherMessage.id).where(TeacherMessage.state == TeacherState.FAILED)
    return TeacherQuestion.message_id.not_in(failed) | TeacherQuestion.answer.is_not(None)


class AnswerCard(OutboxRow, Base):
    """One direct message that asks one person of the office, by email, about one answer. Once sent, `channel_id` and `ts` identify it.

    A decision, or the end of what the teacher typed, makes the sent cards of all readers due again: they are updated, and lose it.
    """

    __tablename__ = "answer_cards"
    __table_args__ = (
        UniqueConstraint("question_id", "reader"),
        one_of_check("state", TeacherState),
        Index("ix_answer_cards_due", "due_at", postgresql_where=text("state IN ('pending', 'claimed')")),
    )
    question_id: Mapped[int] = mapped_column(ForeignKey("teacher_questions.id", ondelete="CASCADE"))
    reader: Mapped[str]
    channel_id: Mapped[str | None]
    ts: Mapped[str | None]
