"""Add downloads of the list."""

from alembic import op
import sqlalchemy as sa

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('downloads',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('user_id', sa.Text(), nullable=False),
    sa.Column('filter_text', sa.Text(), nullable=False),
    sa.Column('form', sa.Text(), server_default='xlsx', nullable=False),
    sa.Column('state', sa.Text(), server_default='draft', nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('attempts', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('contacts', sa.Integer(), nullable=True),
    sa.Column('channel_id', sa.Text(), nullable=True),
    sa.Column('ts', sa.Text(), nullable=True),
    sa.CheckConstraint("form IN ('xlsx', 'csv')", name=op.f('ck_downloads_form_known')),
    sa.CheckConstraint("state IN ('draft', 'pending', 'claimed', 'sent', 'failed')", name=op.f('ck_downloads_state_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_downloads'))
    )
    op.create_index('ix_downloads_due', 'downloads', ['due_at'], unique=False, postgresql_where=sa.text("state IN ('pending', 'claimed')"))
