"""Keep changes of many contacts at once, and the outcome of each contact."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "bulk_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("started_at", _TIME, nullable=True),
        sa.Column("undo_at", _TIME, nullable=True),
        sa.Column("due_at", _TIME, nullable=True),
        sa.Column("first_due_at", _TIME, nullable=True),
        sa.Column("claimed_at", _TIME, nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("view_id", sa.Text(), nullable=True),
        sa.Column("channel_id", sa.Text(), nullable=True),
        sa.Column("ts", sa.Text(), nullable=True),
        sa.CheckConstraint("action IN ('claim', 'call', 'remove')", name=op.f("ck_bulk_changes_action_known")),
        sa.CheckConstraint(
            "state IN ('draft', 'pending', 'claimed', 'done', 'failed')", name=op.f("ck_bulk_changes_state_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_changes")),
    )
    due = sa.text("state IN ('pending', 'claimed')")
    op.create_index("ix_bulk_changes_due", "bulk_changes", ["due_at"], postgresql_where=due)
    op.create_index(op.f("ix_bulk_changes_opened_at"), "bulk_changes", ["opened_at"])
    op.create_table(
        "bulk_contacts",
        sa.Column("bulk_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), server_default="open", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("version_after", sa.Integer(), nullable=True),
        sa.Column("edit_id", sa.BigInteger(), nullable=True),
        sa.Column("removal_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('open', 'changed', 'stayed', 'undone', 'kept')", name=op.f("ck_bulk_contacts_outcome_known")
        ),
        _foreign_key("bulk_id", "bulk_changes", "CASCADE"),
        _foreign_key("contact_id", "contacts", "CASCADE"),
        _foreign_key("edit_id", "edits", "SET NULL"),
        _foreign_key("removal_id", "removals", "SET NULL"),
        sa.PrimaryKeyConstraint("bulk_id", "contact_id", name=op.f("pk_bulk_contacts")),
    )
    for column in ("contact_id", "edit_id", "removal_id"):
        op.create_index(op.f(f"ix_bulk_contacts_{column}"), "bulk_contacts", [column])


def _foreign_key(column: str, table: str, on_delete: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_bulk_contacts_{column}")
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], name=name, ondelete=on_delete)


def downgrade() -> None:
    op.drop_table("bulk_contacts")
    op.drop_table("bulk_changes")
