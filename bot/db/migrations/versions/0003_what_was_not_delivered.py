"""Index deliveries that did not arrive."""

from alembic import op
import sqlalchemy as sa

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_deliveries_not_delivered', 'deliveries', ['mass_message_id', 'outcome'], unique=False, postgresql_where=sa.text("outcome <> 'delivered'"))
    op.drop_index('ix_deliveries_open', table_name='deliveries')
