"""Plan the update of `listed_students` once for each connection, and find a person's removals by index.

PostgreSQL planned it anew at every commit, because it expects an array of unknown length to be longer than the few students of an
edit. Planning took longer than the update. Its plan is the same for one student and for thousands: everything is looked up by index.
"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

# A plan that was made while a table was small must not read the whole of it later.
SETTINGS = "SET plan_cache_mode = force_generic_plan SET enable_seqscan = off"


def upgrade() -> None:
    op.execute(f"ALTER FUNCTION refresh_listed_students() {SETTINGS}")
    in_force = sa.text("undone_at IS NULL")
    op.create_index(op.f("ix_removals_made_by"), "removals", ["made_by"], postgresql_where=in_force)


def downgrade() -> None:
    op.drop_index(op.f("ix_removals_made_by"), "removals")
    op.execute("ALTER FUNCTION refresh_listed_students() RESET plan_cache_mode")
    op.execute("ALTER FUNCTION refresh_listed_students() RESET enable_seqscan")
