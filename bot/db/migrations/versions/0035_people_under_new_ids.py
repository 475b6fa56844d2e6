"""Keep people under new ids: identifiers of students, former ids of contacts, edits that the SIS took back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

STATES = "'pending', 'conflict', 'absorbed', 'replaced', 'undone', 'sis_taken'"
CONTACT_IDS = """
CREATE VIEW contact_ids AS
SELECT id AS contact_id, sourced_id FROM contacts
UNION ALL
SELECT contact_id, sourced_id FROM former_contact_ids
"""
# The SIS agreed with these removals: it has the student, and the contact, but no link between them.
END_AGREED_REMOVALS = """
WITH ended AS (
    UPDATE removals r SET undone_by = 'sync', undone_at = now()
    FROM student_contacts l JOIN students s ON s.id = l.student_id AND s.active JOIN contacts c ON c.id = l.contact_id AND c.active
    WHERE r.undone_at IS NULL AND l.contact_id = r.contact_id AND l.student_id = r.student_id AND NOT l.active
    RETURNING r.contact_id, r.student_id
)
INSERT INTO audit (at, actor, action, subject_kind, subject_id, after)
SELECT now(), 'sync', 'removal.absorbed', 'contact', contact_id, 'student ' || student_id FROM ended
"""


def upgrade() -> None:
    op.add_column("students", sa.Column("identifier", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.create_index(
        op.f("ix_students_identifier"), "students", ["identifier"], postgresql_where=sa.text("identifier <> ''")
    )
    op.create_table(
        "former_contact_ids",
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_former_contact_ids_contact_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sourced_id", name=op.f("pk_former_contact_ids")),
    )
    op.create_index(op.f("ix_former_contact_ids_contact_id"), "former_contact_ids", ["contact_id"])
    op.execute(CONTACT_IDS)
    identity = sa.Column("identity", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    op.add_column("sync_runs", identity)
    op.drop_constraint(op.f("ck_edits_state_known"), "edits")
    op.create_check_constraint(op.f("ck_edits_state_known"), "edits", f"state IN ({STATES}, 'reverted')")
    op.execute(END_AGREED_REMOVALS)


def downgrade() -> None:
    op.execute("UPDATE edits SET state = 'absorbed' WHERE state = 'reverted'")
    op.drop_constraint(op.f("ck_edits_state_known"), "edits")
    op.create_check_constraint(op.f("ck_edits_state_known"), "edits", f"state IN ({STATES})")
    op.drop_column("sync_runs", "identity")
    op.execute("DROP VIEW contact_ids")
    op.drop_table("former_contact_ids")
    op.drop_index(op.f("ix_students_identifier"), "students")
    op.drop_column("students", "identifier")
