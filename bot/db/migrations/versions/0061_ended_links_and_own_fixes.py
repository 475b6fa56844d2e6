"""Find the links that ended, so that the forecast of a district can count all others by their indexes alone; and the list entries
that a person fixed.
"""

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
    op.create_index(
        op.f("ix_cleanup_list_updated_by"), "cleanup_list", ["updated_by"], postgresql_where=sa.text("updated_by IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_cleanup_list_updated_by"), "cleanup_list")
    op.drop_index("ix_student_contacts_ended", "student_contacts")
