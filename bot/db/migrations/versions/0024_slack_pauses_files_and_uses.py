"""Until when Slack wants nothing from us; the file of a download that may have been shared; the uses of a response_url."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("downloads", sa.Column("file_id", sa.Text(), nullable=True))
    op.add_column("open_lists", sa.Column("uses", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_table(
        "slack_pause",
        sa.Column("id", sa.Integer(), server_default=sa.text("1"), autoincrement=False, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_slack_pause_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slack_pause")),
    )
