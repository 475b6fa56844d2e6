"""Keep the last call about a contact with its entry on the list."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_OUTCOMES = "'no_answer', 'voicemail', 'wrong_person', 'call_back', 'asked'"


def upgrade() -> None:
    for column, kind in (
        *(("call_outcome", sa.Text()), ("called_by", sa.Text())),
        *(("called_on", sa.Date()), ("call_back_on", sa.Date())),
    ):
        op.add_column("cleanup_list", sa.Column(column, kind))
    op.create_check_constraint(
        op.f("ck_cleanup_list_call_outcome_known"), "cleanup_list", f"call_outcome IN ({_OUTCOMES})"
    )
    op.create_index(
        "ix_cleanup_list_call_back_on",
        "cleanup_list",
        ["call_back_on"],
        postgresql_where=sa.text("call_back_on IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_cleanup_list_call_back_on", "cleanup_list")
    for column in ("call_outcome", "called_by", "called_on", "call_back_on"):
        op.drop_column("cleanup_list", column)
