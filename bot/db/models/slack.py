"""Slack users, digests and their subscriptions, handled requests, and views that people have on screen."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base, id_column, one_of_check
from bot.db.models.outbox import OutboxRow


class SlackUser(Base):
    """A user as Slack describes them, cached for some minutes."""

    __tablename__ = "slack_users"
    user_id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str | None]
    full_member: Mapped[bool]
    time_zone: Mapped[str | None]
    checked_at: Mapped[datetime]


class Subscription(Base):
    """A channel that gets digests. `filter_text` selects what they count, as `str(Filter)`; empty for everything."""

    __tablename__ = "subscriptions"
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    filter_text: Mapped[str] = mapped_column(server_default="")
    made_by: Mapped[str]
    made_at: Mapped[datetime]


class PostKind(StrEnum):
    """A digest for a channel, or a direct message about contacts that its reader fixed and that then got the text."""

    DIGEST = "digest"
    FIXES = "fixes"


class PostState(StrEnum):
    PENDING = "pending"
    CLAIMED = "claimed"
    POSTED = "posted"
    AMBIGUOUS = "ambiguous"
    FAILED = "failed"


class DigestPost(OutboxRow, Base):
    """One post per mass message and channel, never doubled.

    For a direct message, `channel_id` is the id of its reader. `key` is an opaque id in the message metadata, by which a post whose
    answer was lost is found again. `shown_at` is the `learned_at` of the mass message that the post shows; when that has moved on,
    the post is refreshed.
    """

    __tablename__ = "digest_posts"
    __table_args__ = (
        UniqueConstraint("mass_message_id", "channel_id"),
        one_of_check("state", PostState),
        one_of_check("kind", PostKind),
        Index("ix_digest_posts_due", "due_at", postgresql_where=text("state IN ('pending', 'claimed', 'ambiguous')")),
    )
    key: Mapped[str] = mapped_column(unique=True, server_default=text("gen_random_uuid()::text"))
    mass_message_id: Mapped[str] = mapped_column(ForeignKey("mass_messages.id", ondelete="CASCADE"))
    channel_id: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default=PostKind.DIGEST)
    filter_text: Mapped[str] = mapped_column(server_default="")
    ts: Mapped[str | None]
    shown_at: Mapped[datetime | None]
    posted_text: Mapped[str | None]
    error: Mapped[str | None]


class WeeklySubscription(Base):
    """A channel that gets the reachability scores of the district, or of one school, every Monday."""

    __tablename__ = "weekly_subscriptions"
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    school_id: Mapped[int | None] = mapped_column(ForeignKey("schools.id"))
    made_by: Mapped[str]
    made_at: Mapped[datetime]


class WeeklyPost(OutboxRow, Base):
    """One post per week (its Monday) and channel, never doubled. `key` and `ts` are those of `DigestPost`."""

    __tablename__ = "weekly_posts"
    __table_args__ = (
        UniqueConstraint("week", "channel_id"),
        one_of_check("state", PostState),
        Index("ix_weekly_posts_due", "due_at", postgresql_where=text("state IN ('pending', 'claimed', 'ambiguous')")),
    )
    key: Mapped[str] = mapped_column(unique=True, server_default=text("gen_random_uuid()::text"))
    week: Mapped[date]
    channel_id: Mapped[str]
    school_id: Mapped[int | None] = mapped_column(ForeignKey("schools.id"))
    ts: Mapped[str | None]
    error: Mapped[str | None]


class SlackPause(Base):
    """Until when Slack wants nothing from the outboxes. One row at most."""

    __tablename__ = "slack_pause"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, server_default=text("1"))
    until: Mapped[datetime]


class SeenRequest(Base):
    """A request from Slack that was handled, by the SHA-256 of its signature: replay protection.

    The table is unlogged, so that no request waits for the disk. After a crash of the database, and on a replica that takes over,
    it is empty, and a request intercepted in the five minutes before could be replayed once.
    """

    __tablename__ = "heard_requests"
    __table_args__ = (Index(None, "heard_at"), {"prefixes": ["UNLOGGED"]})
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    heard_at: Mapped[datetime]


class PostedFile(Base):
    """A file that the bot put into Slack and has not deleted yet. Its row is there before anyone can see the file."""

    __tablename__ = "posted_files"
    __table_args__ = (Index(None, "posted_at"),)
    file_id: Mapped[str] = mapped_column(primary_key=True)
    posted_at: Mapped[datetime]


class HomeTab(Base):
    """A person's Home tab: the filter they chose there, when they opened it, and when they visited before that."""

    __tablename__ = "home_tabs"
    user_id: Mapped[str] = mapped_column(primary_key=True)
    filter_text: Mapped[str]
    opened_at: Mapped[datetime]
    looked_at: Mapped[datetime | None]
    redraws: Mapped[int] = mapped_column(server_default=text("0"))


class OpenView(Base):
    """A list that a person has on screen, so that a change can redraw it: a message by its `response_url`, a dialog by its
    `view_id`; the Home tab has neither.

    Slack accepts a response_url five times within 30 minutes: `uses` counts them, and the clock deletes older rows.
    """

    __tablename__ = "open_lists"
    __table_args__ = (Index(None, "opened_at"),)
    id: Mapped[int] = id_column()
    user_id: Mapped[str]
    response_url: Mapped[str | None]
    view_id: Mapped[str | None]
    filter_text: Mapped[str]
    opened_at: Mapped[datetime]
    redraws: Mapped[int] = mapped_column(server_default=text("0"))
    uses: Mapped[int] = mapped_column(server_default=text("0"))
