"""Add the fingerprint of an export, to skip one that has not changed."""

from alembic import op
import sqlalchemy as sa

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('sync_runs', sa.Column('fingerprint', sa.Text(), nullable=True))
    op.add_column('sync_runs', sa.Column('holds_until', sa.Date(), nullable=True))
