"""Park a number that belongs to the wrong person, and tell the editors of the other students with it."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_STATUSES = "'landline', 'turned_off', 'unconfirmed', 'blocked', 'inactive', 'opt_out', 'no_number', 'wrong_person'"
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
            ELSE n.status END AS sms_status,
       n.opted_out_at IS NOT NULL OR n.wrong_person_at IS NOT NULL AS opted_out,
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
# The new status is the second worst, and a call to the number would reach a stranger.
REFRESH = """
DO $$ BEGIN
    EXECUTE replace(replace(
        pg_get_functiondef('refresh_listed_students'::regproc),
        '''opt_out'', ''inactive''', '''opt_out'', ''wrong_person'', ''inactive'''),
        'sms_status IS DISTINCT FROM ''inactive''', '(sms_status IN (''inactive'', ''wrong_person'')) IS NOT TRUE'
    );
END $$
"""
RANK = "UPDATE listed_students SET worst = worst + 1 WHERE worst > 1"
_MARKED = "{0}.status, {0}.opted_out_at IS NULL, {0}.wrong_person_at IS NULL"
MARK = f"""
CREATE OR REPLACE TRIGGER listed_students_changed AFTER UPDATE ON phone_numbers FOR EACH ROW
WHEN (({_MARKED.format("old")}) IS DISTINCT FROM ({_MARKED.format("new")})) EXECUTE FUNCTION mark_phone_of_row()
"""


def upgrade() -> None:
    for name in ("wrong_person_at", "verified_at"):
        op.add_column("phone_numbers", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("phone_numbers", sa.Column("wrong_person_by", sa.Text(), nullable=True))
    op.create_index(
        "ix_phone_numbers_wrong_person_at",
        "phone_numbers",
        ["wrong_person_at"],
        postgresql_where=sa.text("wrong_person_at IS NOT NULL"),
    )
    for table in ("phone_numbers", "cleanup_list"):
        op.drop_constraint(op.f(f"ck_{table}_status_known"), table)
        op.create_check_constraint(op.f(f"ck_{table}_status_known"), table, f"status IN ({_STATUSES})")
    for statement in (EFFECTIVE_CONTACTS, REFRESH, RANK, MARK):
        op.execute(statement)
    _create_notices()


def _create_notices() -> None:
    op.create_table(
        "wrong_person_notices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("student_id", sa.BigInteger(), nullable=True),
        sa.Column("reader", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wrong_person_notices")),
        sa.CheckConstraint(
            "state IN ('new', 'pending', 'claimed', 'sent', 'failed')", name=op.f("ck_wrong_person_notices_state_known")
        ),
    )
    op.create_index(
        "ix_wrong_person_notices_due",
        "wrong_person_notices",
        ["due_at"],
        postgresql_where=sa.text("state IN ('new', 'pending', 'claimed')"),
    )
