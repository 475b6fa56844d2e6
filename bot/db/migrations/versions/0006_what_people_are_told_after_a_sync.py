"""Add the outbox of notices about a sync."""

from alembic import op
import sqlalchemy as sa

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('sync_notices',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('sync_run_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('reader', sa.Text(), nullable=False),
    sa.Column('about', sa.Text(), server_default='', nullable=False),
    sa.Column('state', sa.Text(), server_default='pending', nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('attempts', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('channel_id', sa.Text(), nullable=True),
    sa.Column('ts', sa.Text(), nullable=True),
    sa.CheckConstraint("kind IN ('report', 'edits', 'stale')", name=op.f('ck_sync_notices_kind_known')),
    sa.CheckConstraint("state IN ('pending', 'claimed', 'told', 'failed')", name=op.f('ck_sync_notices_state_known')),
    sa.ForeignKeyConstraint(['sync_run_id'], ['sync_runs.id'], name=op.f('fk_sync_notices_sync_run_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sync_notices')),
    sa.UniqueConstraint('sync_run_id', 'kind', 'reader', 'about', name=op.f('uq_sync_notices_sync_run_id_kind_reader_about'))
    )
    op.create_index('ix_sync_notices_due', 'sync_notices', ['due_at'], unique=False, postgresql_where=sa.text("state IN ('pending', 'claimed')"))
