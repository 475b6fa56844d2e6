"""Find the links that ended without reading all others, so that the forecast of a district can count links by their indexes alone."""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_student_contacts_ended", "student_contacts", ["student_id", "contact_id"], postgresql_where=sa.text("NOT active")
    )


def downgrade() -> None:
    op.drop_index("ix_student_contacts_ended", "student_contacts")
