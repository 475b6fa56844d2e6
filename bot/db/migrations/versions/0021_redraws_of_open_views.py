"""Count the redraws of open lists and Home tabs."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("home_tabs", "open_lists"):
        op.add_column(table, sa.Column("redraws", sa.Integer(), server_default=sa.text("0"), nullable=False))
