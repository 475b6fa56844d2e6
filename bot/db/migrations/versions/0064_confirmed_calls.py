"""Keep with an entry of the list that the family confirmed the number in the last call, and what proved it before; and end what
proved a number for a contact when it is recorded as Wrong person, also by a program that knows no proofs.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

_END_PROOFS = """
CREATE FUNCTION end_proofs_of_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tried_numbers SET proved_at = NULL WHERE phone = new.phone AND proved_at IS NOT NULL;
    RETURN NULL;
END $$
"""
_TRIGGERS = {
    "end_proofs_of_inserted": "AFTER INSERT ON phone_numbers FOR EACH ROW WHEN (new.wrong_person_at IS NOT NULL)",
    "end_proofs_of_parked": """AFTER UPDATE OF wrong_person_at ON phone_numbers FOR EACH ROW
        WHEN (new.wrong_person_at IS NOT NULL AND new.wrong_person_at IS DISTINCT FROM old.wrong_person_at)""",
}


def upgrade() -> None:
    op.execute(_END_PROOFS)
    for name, event in _TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {event} EXECUTE FUNCTION end_proofs_of_number()")
    op.add_column("cleanup_list", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("cleanup_list", sa.Column("earlier_proof", JSONB(), nullable=True))


def downgrade() -> None:
    for name in _TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON phone_numbers")
    op.execute("DROP FUNCTION end_proofs_of_number()")
    for name in ("earlier_proof", "confirmed_at"):
        op.drop_column("cleanup_list", name)
