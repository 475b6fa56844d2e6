"""Let a list be open in a dialog."""

from alembic import op
import sqlalchemy as sa

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('open_lists', sa.Column('view_id', sa.Text(), nullable=True))
