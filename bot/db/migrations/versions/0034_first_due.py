"""Keep when something was first due to be sent: each retry moves `due_at`."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

TABLES = (
    *("digest_posts", "downloads", "report_imports", "sync_notices", "admin_notices", "wrong_person_notices", "text_cards"),
)


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("first_due_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "first_due_at")
