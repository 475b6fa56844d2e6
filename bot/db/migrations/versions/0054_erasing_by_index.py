"""Find the edits and removals of a contact that is erased, and a person's promised calls, by index."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_edits_contact_id"), "edits", ["contact_id"])
    replaced = sa.text("replaces_id IS NOT NULL")
    op.create_index(op.f("ix_edits_replaces_id"), "edits", ["replaces_id"], postgresql_where=replaced)
    op.create_index(op.f("ix_removals_contact_id"), "removals", ["contact_id"])
    promised = sa.text("call_back_on IS NOT NULL")
    op.create_index(op.f("ix_cleanup_list_called_by"), "cleanup_list", ["called_by"], postgresql_where=promised)
