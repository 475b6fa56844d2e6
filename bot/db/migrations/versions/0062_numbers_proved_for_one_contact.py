"""Keep for which contact a number of the wrong person was proved: it is texted for that contact only."""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

_VIEW = """
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
            WHEN {is_parked} THEN 'wrong_person'
            WHEN n.noted = 'refused' THEN 'opt_out'
            WHEN n.noted IS NOT NULL THEN 'inactive'
            ELSE {status} END AS sms_status,
       n.opted_out_at IS NOT NULL OR {is_parked} OR n.noted IS NOT NULL AS opted_out,
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
_IS_PARKED = """(n.wrong_person_at IS NOT NULL AND NOT EXISTS (
      SELECT FROM tried_numbers t
      WHERE t.contact_id = r.contact_id AND t.phone = n.phone AND t.proved_at IS NOT NULL
  ))"""
# The rows of `listed_students` follow what the view says of a contact.
_MARK = """
CREATE TRIGGER listed_students_changed AFTER UPDATE ON tried_numbers FOR EACH ROW
WHEN ((old.proved_at IS NULL) IS DISTINCT FROM (new.proved_at IS NULL)) EXECUTE FUNCTION mark_contact_of_row()
"""


def upgrade() -> None:
    op.add_column("tried_numbers", sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        op.f("ix_tried_numbers_phone"), "tried_numbers", ["phone"], postgresql_where=sa.text("proved_at IS NOT NULL")
    )
    op.execute(_VIEW.format(is_parked=_IS_PARKED, status="nullif(n.status, 'wrong_person')"))
    op.execute(_MARK)


def downgrade() -> None:
    op.execute("DROP TRIGGER listed_students_changed ON tried_numbers")
    op.execute(_VIEW.format(is_parked="n.wrong_person_at IS NOT NULL", status="n.status"))
    op.drop_index("ix_tried_numbers_phone", "tried_numbers")
    op.drop_column("tried_numbers", "proved_at")
