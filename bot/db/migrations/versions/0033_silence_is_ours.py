"""Remember since when requests are refused, which mass messages got no receipts, and what administrators were told of both."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("refused_requests", sa.Column("first_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("refused_requests", sa.Column("last_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("mass_messages", sa.Column("silent_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "admin_notices",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("kind IN ('refused', 'silent')", name=op.f("ck_admin_notices_kind_known")),
        sa.CheckConstraint(
            "state IN ('pending', 'claimed', 'sent', 'failed')", name=op.f("ck_admin_notices_state_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_notices")),
    )
    op.create_index(
        "ix_admin_notices_due", "admin_notices", ["due_at"], postgresql_where=sa.text("state IN ('pending', 'claimed')")
    )
    op.create_index(op.f("ix_admin_notices_kind_about"), "admin_notices", ["kind", "about"])
