"""Store codes that contacts text at the counter, and how each number was verified last."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.add_column("phone_numbers", sa.Column("verified_how", sa.Text(), nullable=True))
    op.add_column("phone_numbers", sa.Column("verified_by", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_phone_numbers_verified_how_known"), "phone_numbers", "verified_how IN ('counter', 'call')"
    )
    op.create_table(
        "counter_codes",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        sa.Column("clerk", sa.Text(), nullable=False),
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("student_view_id", sa.Text(), nullable=True),
        *(_time("issued_at"), _time("expires_at"), _time("used_at", nullable=True)),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        *(_time("due_at"), _time("first_due_at", nullable=True), _time("claimed_at", nullable=True)),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'claimed', 'shown', 'failed')", name=op.f("ck_counter_codes_state_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counter_codes")),
        sa.UniqueConstraint("code", name=op.f("uq_counter_codes_code")),
    )
    op.create_index(
        "ix_counter_codes_due", "counter_codes", ["due_at"], postgresql_where=sa.text("state IN ('pending', 'claimed')")
    )
    op.create_index(op.f("ix_counter_codes_contact_id"), "counter_codes", ["contact_id"])
    op.create_table(
        "code_texts",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        _time("received_at"),
        sa.PrimaryKeyConstraint("provider", "event_key", name=op.f("pk_code_texts")),
    )
    op.create_index(op.f("ix_code_texts_phone"), "code_texts", ["phone"])
    op.create_index(op.f("ix_code_texts_received_at"), "code_texts", ["received_at"])
