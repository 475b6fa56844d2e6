"""Add filters to digests and the kind of a digest post."""

from alembic import op
import sqlalchemy as sa

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('subscriptions', sa.Column('filter_text', sa.Text(), server_default='', nullable=False))
    op.add_column('digest_posts', sa.Column('filter_text', sa.Text(), server_default='', nullable=False))
    op.add_column('digest_posts', sa.Column('kind', sa.Text(), server_default='digest', nullable=False))
    op.create_check_constraint(op.f('ck_digest_posts_kind_known'), 'digest_posts', "kind IN ('digest', 'fixes')")
