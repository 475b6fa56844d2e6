"""Add the decision about a held sync, and how far incremental reads came."""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('sync_runs', sa.Column('decision', sa.Text(), nullable=True))
    op.add_column('sync_runs', sa.Column('decided_by', sa.Text(), nullable=True))
    op.add_column('sync_runs', sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('sync_runs', sa.Column('marks', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False))
    op.add_column('sync_runs', sa.Column('is_whole', sa.Boolean(), server_default=sa.text('true'), nullable=False))
    op.create_check_constraint(op.f('ck_sync_runs_decision_known'), 'sync_runs', "decision IN ('confirmed', 'refused')")
