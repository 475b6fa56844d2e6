"""Keep the edits that are written to the SIS, and who approved them."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_STATES = "state IN ('approved', 'writing', 'done', 'conflict', 'blocked', 'withdrawn')"
_OPEN = sa.text("state IN ('approved', 'writing')")


def upgrade() -> None:
    op.create_table(
        "sis_write_batches",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approved_at", _TIME, nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("first_due_at", _TIME, nullable=True),
        sa.Column("claimed_at", _TIME, nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "state IN ('new', 'pending', 'claimed', 'sent', 'failed')", name=op.f("ck_sis_write_batches_state_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sis_write_batches")),
    )
    op.create_index(
        "ix_sis_write_batches_due",
        "sis_write_batches",
        ["due_at"],
        postgresql_where=sa.text("state IN ('pending', 'claimed')"),
    )
    op.create_table(
        "sis_writes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("edit_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="approved", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("settled_at", _TIME, nullable=True),
        sa.CheckConstraint(_STATES, name=op.f("ck_sis_writes_state_known")),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["sis_write_batches.id"],
            name=op.f("fk_sis_writes_batch_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["edit_id"], ["edits.id"], name=op.f("fk_sis_writes_edit_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sis_writes")),
    )
    op.create_index(op.f("ix_sis_writes_batch_id"), "sis_writes", ["batch_id"])
    op.create_index(op.f("ix_sis_writes_edit_id"), "sis_writes", ["edit_id"])
    op.create_index("ix_sis_writes_due", "sis_writes", ["due_at"], postgresql_where=_OPEN)
    op.create_index("uq_sis_writes_open", "sis_writes", ["edit_id"], unique=True, postgresql_where=_OPEN)


def downgrade() -> None:
    op.drop_table("sis_writes")
    op.drop_table("sis_write_batches")
