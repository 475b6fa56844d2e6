"""Post the reachability scores to channels every Monday: who subscribed, and one post for each week and channel."""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_STATES = "'pending', 'claimed', 'posted', 'ambiguous', 'failed'"


def upgrade() -> None:
    op.create_table(
        "weekly_subscriptions",
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("school_id", sa.BigInteger()),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("channel_id", name=op.f("pk_weekly_subscriptions")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_weekly_subscriptions_school_id")),
    )
    op.create_table(
        "weekly_posts",
        sa.Column("key", sa.Text(), server_default=sa.text("gen_random_uuid()::text"), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("school_id", sa.BigInteger()),
        sa.Column("ts", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("first_due_at", _TIME),
        sa.Column("claimed_at", _TIME),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weekly_posts")),
        sa.UniqueConstraint("key", name=op.f("uq_weekly_posts_key")),
        sa.UniqueConstraint("week", "channel_id", name=op.f("uq_weekly_posts_week_channel_id")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_weekly_posts_school_id")),
        sa.CheckConstraint(f"state IN ({_STATES})", name=op.f("ck_weekly_posts_state_known")),
    )
    due = sa.text("state IN ('pending', 'claimed', 'ambiguous')")
    op.create_index("ix_weekly_posts_due", "weekly_posts", ["due_at"], postgresql_where=due)


def downgrade() -> None:
    op.drop_table("weekly_posts")
    op.drop_table("weekly_subscriptions")
