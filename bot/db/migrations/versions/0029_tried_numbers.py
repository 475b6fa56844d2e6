"""Hide the status of a typed number until a mass message went to it through that contact."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

CONTACT_REACH = """
CREATE OR REPLACE VIEW contact_reach AS
SELECT c.id AS contact_id,
       c.sourced_id,
       c.given_name,
       c.family_name,
       c.email,
       CASE WHEN p.id IS NULL THEN c.sis_phone ELSE p.value END AS phone,
       CASE WHEN m.id IS NULL THEN c.sis_method ELSE m.value END AS method,
       p.id AS phone_edit_id,
       m.id AS method_edit_id,
       p.id IS NULL OR EXISTS (SELECT FROM tried_numbers t WHERE t.contact_id = c.id AND t.phone = p.value) AS is_tried
FROM contacts c
LEFT JOIN edits p ON p.contact_id = c.id AND p.field = 'phone' AND p.state IN ('pending', 'conflict')
LEFT JOIN edits m ON m.contact_id = c.id AND m.field = 'method' AND m.state IN ('pending', 'conflict')
WHERE c.active
"""
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
       CASE WHEN NOT r.is_tried THEN NULL WHEN n.opted_out_at IS NOT NULL THEN 'opt_out' ELSE n.status END AS sms_status,
       n.opted_out_at IS NOT NULL AS opted_out,
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
# The row of a student must not tell what the view hides: `sms_status` alone says whether an adult can be texted.
REFRESH = """
DO $$ BEGIN
    EXECUTE replace(pg_get_functiondef('refresh_listed_students'::regproc), ' AND NOT opted_out', '');
END $$
"""
MARK = """
CREATE TRIGGER listed_students_inserted AFTER INSERT ON tried_numbers REFERENCING NEW TABLE AS inserted
FOR EACH STATEMENT EXECUTE FUNCTION mark_contacts_of_rows()
"""


def upgrade() -> None:
    op.create_table(
        "tried_numbers",
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_tried_numbers_contact_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("contact_id", "phone", name=op.f("pk_tried_numbers")),
    )
    # Their status was shown until now.
    op.execute(
        "INSERT INTO tried_numbers SELECT contact_id, value FROM edits "
        "WHERE field = 'phone' AND value IS NOT NULL AND state IN ('pending', 'conflict')"
    )
    op.execute(CONTACT_REACH)
    op.execute(EFFECTIVE_CONTACTS)
    op.execute(REFRESH)
    op.execute(MARK)
