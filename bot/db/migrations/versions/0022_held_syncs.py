"""Name held syncs, layout hashes and watermarks as the code does; a notice that was delivered is sent."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("ck_sync_runs_state_known", "sync_runs")
    op.execute("UPDATE sync_runs SET state = 'held' WHERE state = 'braked'")
    op.create_check_constraint(
        op.f("ck_sync_runs_state_known"), "sync_runs", "state IN ('running', 'done', 'held', 'failed')"
    )
    op.alter_column("sync_runs", "marks", new_column_name="watermarks")
    op.alter_column("sync_runs", "frame", new_column_name="layout_hash")
    op.alter_column("sync_runs", "holds_until", new_column_name="valid_until")
    op.drop_constraint("ck_sync_notices_state_known", "sync_notices")
    op.execute("UPDATE sync_notices SET state = 'sent' WHERE state = 'told'")
    op.create_check_constraint(
        op.f("ck_sync_notices_state_known"), "sync_notices", "state IN ('pending', 'claimed', 'sent', 'failed')"
    )
