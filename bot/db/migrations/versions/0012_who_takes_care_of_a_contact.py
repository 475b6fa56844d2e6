"""Add claims: who takes care of a listed contact."""

from alembic import op
import sqlalchemy as sa

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('cleanup_list', sa.Column('claimed_by', sa.Text(), nullable=True))
    op.add_column('cleanup_list', sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=True))
