"""Drop the foreign keys of the list and its changes; simplify the contacts view."""

from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

CONTACT_REACH = """
CREATE VIEW contact_reach AS
SELECT c.id AS contact_id,
       c.sourced_id,
       c.given_name,
       c.family_name,
       c.email,
       CASE WHEN p.id IS NULL THEN c.sis_phone ELSE p.value END AS phone,
       CASE WHEN m.id IS NULL THEN c.sis_method ELSE m.value END AS method,
       p.id AS phone_edit_id,
       m.id AS method_edit_id
FROM contacts c
LEFT JOIN edits p ON p.contact_id = c.id AND p.field = 'phone' AND p.state IN ('pending', 'conflict')
LEFT JOIN edits m ON m.contact_id = c.id AND m.field = 'method' AND m.state IN ('pending', 'conflict')
WHERE c.active
"""
EFFECTIVE_CONTACTS = """
CREATE VIEW effective_contacts AS
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
       n.status AS sms_status,
       n.opted_out_at IS NOT NULL AS opted_out
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


def upgrade() -> None:
    op.drop_index(op.f('ix_cleanup_list_phone'), table_name='cleanup_list')
    op.drop_constraint(op.f('fk_cleanup_list_contact_id'), 'cleanup_list', type_='foreignkey')
    op.drop_index(op.f('ix_list_changes_contact_id'), table_name='list_changes')
    op.drop_constraint(op.f('fk_list_changes_mass_message_id'), 'list_changes', type_='foreignkey')
    op.drop_constraint(op.f('fk_list_changes_contact_id'), 'list_changes', type_='foreignkey')
    op.execute('DROP VIEW effective_contacts')
    op.execute('DROP VIEW contact_reach')
    op.execute(CONTACT_REACH)
    op.execute(EFFECTIVE_CONTACTS)
