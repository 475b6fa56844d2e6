"""Store questions to homeroom teachers, their answers, and the cards on which the office decides."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

_STATES = "state IN ('pending', 'claimed', 'sent', 'failed')"


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _outbox(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        *(_time("due_at"), _time("first_due_at", nullable=True), _time("claimed_at", nullable=True)),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(_STATES, name=op.f(f"ck_{table}_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def _index_due(table: str) -> None:
    due = sa.text("state IN ('pending', 'claimed')")
    op.create_index(f"ix_{table}_due", table, ["due_at"], postgresql_where=due)


def upgrade() -> None:
    op.create_table(
        "teacher_messages",
        *(_text("teacher"), sa.Column("day", sa.Date(), nullable=False)),
        *_outbox("teacher_messages"),
        sa.UniqueConstraint("teacher", "day", name=op.f("uq_teacher_messages_teacher_day")),
    )
    op.create_table(
        "teacher_questions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        *(_text("asked_by"), _time("asked_at"), sa.Column("asked_on", sa.Date(), nullable=False)),
        *(_text("answer", nullable=True), _text("phone", nullable=True), _text("note", nullable=True)),
        *(_text("answered_by", nullable=True), _time("answered_at", nullable=True)),
        *(_text("decision", nullable=True), _text("decided_by", nullable=True), _time("decided_at", nullable=True)),
        sa.CheckConstraint(
            "answer IN ('number', 'try_other', 'no_idea')", name=op.f("ck_teacher_questions_answer_known")
        ),
        sa.CheckConstraint("decision IN ('used', 'set_aside')", name=op.f("ck_teacher_questions_decision_known")),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["teacher_messages.id"],
            name=op.f("fk_teacher_questions_message_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_teacher_questions_student_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teacher_questions")),
        sa.UniqueConstraint("student_id", "asked_on", name=op.f("uq_teacher_questions_student_id_asked_on")),
    )
    op.create_index(op.f("ix_teacher_questions_message_id"), "teacher_questions", ["message_id"])
    op.create_index(op.f("ix_teacher_questions_asked_at"), "teacher_questions", ["asked_at"])
    op.create_table(
        "answer_cards",
        sa.Column("question_id", sa.BigInteger(), nullable=False),
        *(_text("reader"), _text("channel_id", nullable=True), _text("ts", nullable=True)),
        *_outbox("answer_cards"),
        sa.ForeignKeyConstraint(
            ["question_id"], ["teacher_questions.id"], name=op.f("fk_answer_cards_question_id"), ondelete="CASCADE"
        ),
        sa.UniqueConstraint("question_id", "reader", name=op.f("uq_answer_cards_question_id_reader")),
    )
    for table in ("teacher_messages", "answer_cards"):
        _index_due(table)
