"""Keep with an entry of the list that the family confirmed the number in the last call, and what proved it before."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0066"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cleanup_list", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("cleanup_list", sa.Column("earlier_proof", JSONB(), nullable=True))


def downgrade() -> None:
    for name in ("earlier_proof", "confirmed_at"):
        op.drop_column("cleanup_list", name)
