"""Add the lines of the last export, to read only those that changed."""

from alembic import op
import sqlalchemy as sa

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('known_lines',
    sa.Column('file', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('digest', sa.BigInteger(), nullable=False),
    sa.Column('copies', sa.Integer(), nullable=False),
    sa.Column('is_open', sa.Boolean(), nullable=False),
    prefixes=['UNLOGGED']
    )
    op.add_column('sync_runs', sa.Column('frame', sa.Text(), nullable=True))
