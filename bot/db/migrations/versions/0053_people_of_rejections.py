"""Keep whose row a sync left out."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sync_rejections", sa.Column("sourced_id", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("sync_rejections", "sourced_id")
