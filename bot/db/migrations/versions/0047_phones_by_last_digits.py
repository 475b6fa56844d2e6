"""Find contacts by the last four digits of a phone."""

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

INDEXES = """
CREATE INDEX ix_contacts_last_digits ON contacts (right(sis_phone, 4));
CREATE INDEX ix_other_numbers_last_digits ON other_numbers (right(phone, 4));
CREATE INDEX ix_edits_last_digits ON edits (right(value, 4))
    WHERE field = 'phone' AND state IN ('pending', 'conflict')
"""


def upgrade() -> None:
    for statement in INDEXES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    for name in ("edits", "other_numbers", "contacts"):
        op.execute(f"DROP INDEX ix_{name}_last_digits")
