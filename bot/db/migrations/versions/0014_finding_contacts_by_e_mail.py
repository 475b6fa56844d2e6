"""Index contacts by email."""

from alembic import op
import sqlalchemy as sa

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_contacts_email', 'contacts', [sa.literal_column('lower(email)')], unique=False, postgresql_where=sa.text('email IS NOT NULL'))
