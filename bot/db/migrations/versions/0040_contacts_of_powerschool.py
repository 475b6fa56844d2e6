"""Keep the contact ids of the contacts file, and the numbers of a contact beside the one that gets texts."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("contacts", sa.Column("sis_contact_id", sa.Text(), nullable=True))
    op.add_column(
        "contacts", sa.Column("is_powerschool_id", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.create_table(
        "other_numbers",
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_other_numbers_contact_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("contact_id", "phone", name=op.f("pk_other_numbers")),
    )
    op.create_index(op.f("ix_other_numbers_phone"), "other_numbers", ["phone"])


def downgrade() -> None:
    op.drop_table("other_numbers")
    op.drop_column("contacts", "is_powerschool_id")
    op.drop_column("contacts", "sis_contact_id")
