"""Store texts that a person has to read; give Mexican numbers one form."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

# +52 1 55 1234 5678 is +52 55 1234 5678: Mexico dropped the 1 of mobile numbers in 2019, and senders still report it.
_OLD, _NEW = "'^\\+521(\\d{10})$'", "'+52\\1'"
_MERGE_NUMBERS = f"""
INSERT INTO phone_numbers AS n (phone, status, since, doubted, opted_out_at, opted_out_by, opted_in_at, delivery_id)
SELECT regexp_replace(phone, {_OLD}, {_NEW}), status, since, doubted, opted_out_at, opted_out_by, opted_in_at, delivery_id
FROM phone_numbers WHERE phone ~ {_OLD}
ON CONFLICT (phone) DO UPDATE SET
    status = CASE WHEN excluded.opted_out_at IS NOT NULL THEN excluded.status ELSE n.status END,
    since = CASE WHEN excluded.opted_out_at IS NOT NULL THEN excluded.since ELSE n.since END,
    opted_out_at = coalesce(n.opted_out_at, excluded.opted_out_at),
    opted_out_by = coalesce(n.opted_out_by, excluded.opted_out_by),
    opted_in_at = coalesce(n.opted_in_at, excluded.opted_in_at)
"""
_RENAMED = {
    "contacts": ("sis_phone",),
    "cleanup_list": ("phone",),
    "edits": ("base", "value", "sis_value"),
    "opt_out_texts": ("phone",),
    "receipts": ("phone",),
}


def upgrade() -> None:
    op.create_table(
        "unclear_texts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "answer IN ('opt_out', 'wrong_person', 'neither')", name=op.f("ck_unclear_texts_answer_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unclear_texts")),
        sa.UniqueConstraint("provider", "event_key", name=op.f("uq_unclear_texts_provider_event_key")),
    )
    op.create_index("ix_unclear_texts_open", "unclear_texts", ["id"], postgresql_where=sa.text("answer IS NULL"))
    op.create_table(
        "text_cards",
        sa.Column("unclear_text_id", sa.BigInteger(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=True),
        sa.Column("ts", sa.Text(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'claimed', 'sent', 'failed')", name=op.f("ck_text_cards_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["unclear_text_id"], ["unclear_texts.id"], name=op.f("fk_text_cards_unclear_text_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_cards")),
        sa.UniqueConstraint("unclear_text_id", "reader", name=op.f("uq_text_cards_unclear_text_id_reader")),
    )
    op.create_index(
        "ix_text_cards_due", "text_cards", ["due_at"], postgresql_where=sa.text("state IN ('pending', 'claimed')")
    )
    op.execute(_MERGE_NUMBERS)
    op.execute(f"DELETE FROM phone_numbers WHERE phone ~ {_OLD}")
    op.execute(
        f"INSERT INTO tried_numbers SELECT contact_id, regexp_replace(phone, {_OLD}, {_NEW}) FROM tried_numbers "
        f"WHERE phone ~ {_OLD} ON CONFLICT DO NOTHING"
    )
    op.execute(f"DELETE FROM tried_numbers WHERE phone ~ {_OLD}")
    # Where a message went to both forms, the second delivery stays as it is.
    op.execute(
        f"UPDATE deliveries d SET phone = regexp_replace(phone, {_OLD}, {_NEW}) WHERE phone ~ {_OLD} AND NOT EXISTS ("
        "SELECT FROM deliveries o WHERE o.mass_message_id = d.mass_message_id "
        f"AND o.contact_sourced_id = d.contact_sourced_id AND o.phone = regexp_replace(d.phone, {_OLD}, {_NEW}))"
    )
    for table, columns in _RENAMED.items():
        for column in columns:
            op.execute(
                f"UPDATE {table} SET {column} = regexp_replace({column}, {_OLD}, {_NEW}) WHERE {column} ~ {_OLD}"
            )
