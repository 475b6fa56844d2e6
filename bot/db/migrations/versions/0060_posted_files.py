"""Remember the files that the bot put into Slack, so that it can delete them."""

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "posted_files",
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_posted_files")),
    )
    op.create_index(op.f("ix_posted_files_posted_at"), "posted_files", ["posted_at"])
