"""Keep what the SIS writes beside a number, and text no number with a note against it until staff allow it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

EFFECTIVE_CONTACTS = """
CREATE OR REPLACE VIEW effective_contacts AS
SELECT s.id AS student_id,
       s.sourced_id AS student_sourced_id,
       r.contact_id,
       r.sourced_id AS contact_sourced_id,
       r.given_name,
       r.family_name,
       r.email,
       l.relationship,
       l.priority,
       r.phone,
       r.method,
       CASE WHEN NOT r.is_tried THEN NULL
            WHEN n.opted_out_at IS NOT NULL THEN 'opt_out'
            WHEN n.wrong_person_at IS NOT NULL THEN 'wrong_person'
            WHEN n.noted = 'refused' THEN 'opt_out'
            WHEN n.noted IS NOT NULL THEN 'inactive'
            ELSE n.status END AS sms_status,
       n.opted_out_at IS NOT NULL OR n.wrong_person_at IS NOT NULL OR n.noted IS NOT NULL AS opted_out,
       r.is_tried
FROM student_contacts l
JOIN students s ON s.id = l.student_id AND s.active
JOIN contact_reach r ON r.contact_id = l.contact_id
LEFT JOIN phone_numbers n ON n.phone = r.phone
WHERE l.active
  AND NOT EXISTS (
      SELECT FROM removals x
      WHERE x.contact_id = l.contact_id AND (x.student_id = l.student_id OR x.student_id IS NULL) AND x.undone_at IS NULL
  )
"""
_KINDS = "'refused', 'dead', 'impossible'"
# The rows of `listed_students` follow what the view says of a number.
_MARKED = "{0}.status, {0}.opted_out_at IS NULL, {0}.wrong_person_at IS NULL, {0}.noted"
MARK = f"""
CREATE OR REPLACE TRIGGER listed_students_changed AFTER UPDATE ON phone_numbers FOR EACH ROW
WHEN (({_MARKED.format("old")}) IS DISTINCT FROM ({_MARKED.format("new")})) EXECUTE FUNCTION mark_phone_of_row()
"""


def upgrade() -> None:
    for name in ("sis_phone_note", "sis_note_kind"):
        op.add_column("contacts", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("phone_numbers", sa.Column("noted", sa.Text(), nullable=True))
    op.add_column("phone_numbers", sa.Column("allowed_notes", postgresql.ARRAY(sa.Text()), nullable=True))
    for table, column in (("contacts", "sis_note_kind"), ("phone_numbers", "noted")):
        op.create_check_constraint(op.f(f"ck_{table}_{column}_known"), table, f"{column} IN ({_KINDS})")
    op.create_index("ix_contacts_noted", "contacts", ["sis_phone"], postgresql_where=sa.text("sis_note_kind IS NOT NULL"))
    op.create_index("ix_phone_numbers_noted", "phone_numbers", ["phone"], postgresql_where=sa.text("noted IS NOT NULL"))
    op.execute(EFFECTIVE_CONTACTS)
    op.execute(MARK)
    # The notes are in lines that did not change: the next sync reads everything.
    op.execute("TRUNCATE known_lines")
