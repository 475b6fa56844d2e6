"""Reports of messengers that people import, what people chose for unknown words, and what each import changed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

STATES = "'pending', 'claimed', 'ready', 'imported', 'canceled', 'failed', 'undone'"


def upgrade() -> None:
    time = sa.DateTime(timezone=True)
    op.create_table(
        "report_imports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("due_at", time),
        sa.Column("claimed_at", time),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("opened_at", time, nullable=False),
        sa.Column("step", sa.Text(), server_default="read", nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("sent_at", time, nullable=False),
        sa.Column("layout_key", sa.Text()),
        sa.Column("questions", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("file_id", sa.Text()),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_link", sa.Text()),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("dialog_id", sa.Text()),
        sa.Column("imported_at", time),
        sa.Column("registered", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("opted_out", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("ck_report_imports_state_known")),
        sa.CheckConstraint("step IN ('read', 'import')", name=op.f("ck_report_imports_step_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_imports")),
    )
    op.create_index(
        "ix_report_imports_due",
        "report_imports",
        ["due_at"],
        postgresql_where=sa.text("state IN ('pending', 'claimed')"),
    )
    op.create_index(op.f("ix_report_imports_user_id_opened_at"), "report_imports", ["user_id", "opened_at"])
    op.create_table(
        "report_results",
        sa.Column("import_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("is_new", sa.Boolean(), nullable=False),
        sa.Column("receipt_ids", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "delivery_id", name=op.f("pk_report_results")),
    )
    op.create_table(
        "report_choices",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("chosen_by", sa.Text(), nullable=False),
        sa.Column("chosen_at", time, nullable=False),
        sa.PrimaryKeyConstraint("key", "kind", "name", name=op.f("pk_report_choices")),
    )
