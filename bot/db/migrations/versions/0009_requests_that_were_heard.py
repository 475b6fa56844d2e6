"""Add replay protection: digests of the requests already received."""

from alembic import op
import sqlalchemy as sa

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('heard_requests',
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('heard_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_heard_requests'))
    )
    op.create_index(op.f('ix_heard_requests_heard_at'), 'heard_requests', ['heard_at'], unique=False)
