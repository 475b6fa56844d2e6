"""Keep when something was first due to be sent: each retry moves `due_at`. A notice that may have arrived is looked up."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

STATES = "state IN ('pending', 'claimed', {}'sent', 'failed')"
TABLES = (
    *("digest_posts", "downloads", "report_imports", "sync_notices", "admin_notices", "wrong_person_notices", "text_cards"),
)
NOTICES = ("sync_notices", "admin_notices")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("first_due_at", sa.DateTime(timezone=True), nullable=True))
    for table in NOTICES:
        op.drop_constraint(op.f(f"ck_{table}_state_known"), table)
        op.create_check_constraint(op.f(f"ck_{table}_state_known"), table, STATES.format("'ambiguous', "))


def downgrade() -> None:
    for table in NOTICES:
        op.execute(f"UPDATE {table} SET state = 'failed' WHERE state = 'ambiguous'")
        op.drop_constraint(op.f(f"ck_{table}_state_known"), table)
        op.create_check_constraint(op.f(f"ck_{table}_state_known"), table, STATES.format(""))
    for table in TABLES:
        op.drop_column(table, "first_due_at")
