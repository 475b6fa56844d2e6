"""Keep how many texts of a mass message were not expected to arrive."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("forecast_texts", "forecast_missed"):
        op.add_column("mass_messages", sa.Column(name, sa.Integer(), nullable=True))


def downgrade() -> None:
    for name in ("forecast_missed", "forecast_texts"):
        op.drop_column("mass_messages", name)
