"""Find contacts by number, and those who get no texts, in indexes alone: the forecast of a district reads a tenth of them."""

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None

_NUMBERS = "ix_contacts_sis_phone"


def upgrade() -> None:
    op.drop_index(_NUMBERS, "contacts")
    op.create_index(_NUMBERS, "contacts", ["sis_phone"], postgresql_include=["id", "sis_method", "active"])
    op.create_index(
        "ix_contacts_not_texted",
        "contacts",
        ["sis_phone"],
        postgresql_include=["id", "sis_method", "email"],
        postgresql_where=sa.text("active AND sis_method <> 'text'"),
    )


def downgrade() -> None:
    op.drop_index("ix_contacts_not_texted", "contacts")
    op.drop_index(_NUMBERS, "contacts")
    op.create_index(_NUMBERS, "contacts", ["sis_phone"])
