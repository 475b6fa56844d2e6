"""Rank listed students by what a clerk can do now, with those whose contacts are all fixed at the end; and find a person's claims."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

# `worst` is the first thing to do: 9 where every contact was fixed and waits for the next mass message.
REFRESH = """
DO $$
DECLARE
    body text := pg_get_functiondef('refresh_listed_students'::regproc);
BEGIN
    body := regexp_replace(body, 'min\\(array_position\\(ARRAY\\[[^]]*\\], e\\.status\\)\\)', $new$
        min(CASE WHEN e.updated_at IS NOT NULL THEN 9 ELSE array_position(ARRAY[
            'no_number', 'inactive', 'wrong_person', 'landline', 'blocked', 'turned_off', 'unconfirmed', 'opt_out'
        ], e.status) END)$new$);
    body := replace(body, ' AS statuses,', $new$ AS statuses,
        array_agg(e.updated_at IS NOT NULL ORDER BY e.contact_id) FILTER (WHERE e.contact_id IS NOT NULL) AS waits,$new$);
    body := replace(body, 'k.contact_ids, k.statuses', 'k.contact_ids, k.statuses, k.waits');
    body := replace(body, 'now.contact_ids, now.statuses', 'now.contact_ids, now.statuses, now.waits');
    body := replace(body, 'statuses = now.statuses', 'statuses = now.statuses, waits = now.waits');
    body := replace(body, 'contact_ids, statuses, worst)', 'contact_ids, statuses, waits, worst)');
    EXECUTE body;
END $$
"""
MARK = """
CREATE OR REPLACE TRIGGER listed_students_changed AFTER UPDATE ON cleanup_list FOR EACH ROW
WHEN ((old.status, old.updated_at IS NULL) IS DISTINCT FROM (new.status, new.updated_at IS NULL))
EXECUTE FUNCTION mark_contact_of_row()
"""
FILL = """
SELECT prepare_stale_marks();
INSERT INTO stale_marks (contact_id, is_first) SELECT contact_id, row_number() OVER () = 1 FROM cleanup_list;
SET CONSTRAINTS ALL IMMEDIATE;
ANALYZE listed_students
"""


def upgrade() -> None:
    op.add_column(
        "listed_students",
        sa.Column("waits", postgresql.ARRAY(sa.Boolean()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.drop_column("listed_students", "need")  # With its index.
    need = "CASE WHEN worst = 9 THEN 3 WHEN textable > 0 THEN 2 WHEN other_ways THEN 1 ELSE 0 END"
    op.add_column("listed_students", sa.Column("need", sa.Integer(), sa.Computed(need, persisted=True), nullable=False))
    op.create_index("ix_listed_students_rank", "listed_students", ["need", "worst", "grade_order"])
    op.create_index(
        "ix_cleanup_list_claimed_by",
        "cleanup_list",
        ["claimed_by"],
        postgresql_where=sa.text("claimed_by IS NOT NULL"),
    )
    for statement in (REFRESH, MARK, FILL):
        op.execute(statement)
