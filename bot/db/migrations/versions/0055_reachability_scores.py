"""Keep the reachability score of each group of students, one row a day, and show the newest to other applications."""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

_NUMBERS = ("students", "delivered", "textable", "reachable", "unreachable", "to_fix", "fixed", "confirmed", "seen_events")
_VIEW = """
CREATE VIEW reachability AS
SELECT s.day, s.kind, o.sourced_id AS school_sourced_id, o.name AS school, nullif(s.grade, '') AS grade,
       t.sourced_id AS staff_sourced_id, s.students, s.delivered, s.textable, s.reachable, s.unreachable,
       s.to_fix, s.fixed, s.confirmed
FROM reachability_scores s
LEFT JOIN schools o ON o.id = s.school_id
LEFT JOIN staff t ON t.id = s.staff_id
WHERE s.day = (SELECT max(day) FROM reachability_scores)
"""


def upgrade() -> None:
    op.create_table(
        "reachability_scores",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("school_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("grade", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _NUMBERS),
        sa.PrimaryKeyConstraint(
            "day", "kind", "school_id", "grade", "staff_id", name=op.f("pk_reachability_scores")
        ),
    )
    op.execute(_VIEW)


def downgrade() -> None:
    op.execute("DROP VIEW reachability")
    op.drop_table("reachability_scores")
