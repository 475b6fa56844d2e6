"""Make the table of replay protection unlogged."""

from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute('ALTER TABLE heard_requests SET UNLOGGED')
