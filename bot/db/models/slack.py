"""What Slack said of its users, what channels and people are told after a mass message, and what somebody has on their screen."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    ForeignKey,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base, id_column, one_of_check
from bot.db.models.outgoing import OutboxRow


class SlackUser(Base):
    """What Slack said of a user, kept for some minutes so that each click need not ask again."""

    __tablename__ = "slack_users"
    user_id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str | None]
    full_member: Mapped[bool]
    time_zone: Mapped[str | None]
    checked_at: Mapped[datetime]


class Subscription(Base):
    """A channel that asked for digests. `filter_text` is what they count, as `str(Filter)` writes it; empty is everything."""

    __tablename__ = "subscriptions"
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    filter_text: Mapped[str] = mapped_column(server_default="")
    made_by: Mapped[str]
    made_at: Mapped[datetime]


class PostKind(StrEnum):
    """A digest for a channel; or, for one person, the contacts that they fixed and that the message then reached."""

    DIGEST = "digest"
    FIXES = "fixes"


class PostState(StrEnum):
    PENDING = "pending"
    CLAIMED = "claimed"
    POSTED = "posted"
    AMBIGUOUS = "ambiguous"
    FAILED = "failed"


class DigestPost(OutboxRow, Base):
    """One post for one (mass message, channel); never doubled.

    The `channel_id` of a direct message is the id of its reader; `filter_text` is what a digest counts. `key` is an opaque id that
    travels as message metadata, so that a post whose answer was lost can be found again.
    `shown_at` is the `learned_at` of the mass message that the post shows; when that has moved on, the post is refreshed.
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


class SeenRequest(Base):
    """A request of Slack that was heard, by the SHA-256 of its signature, so that it is not heard again.

    Not logged: nobody waits for the disk. After a crash of the database, and on a replica that takes over, it is empty, and a
    request that somebody caught in the five minutes before could be heard once more.
    """

    __tablename__ = "heard_requests"
    __table_args__ = (Index(None, "heard_at"), {"prefixes": ["UNLOGGED"]})
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    heard_at: Mapped[datetime]


class HomeTab(Base):
    """Somebody's Home tab: the filter they chose there, when they opened it, and when they had last looked before that."""

    __tablename__ = "home_tabs"
    user_id: Mapped[str] = mapped_column(primary_key=True)
    filter_text: Mapped[str]
    opened_at: Mapped[datetime]
    looked_at: Mapped[datetime | None]
    redraws: Mapped[int] = mapped_column(server_default=text("0"))


class OpenView(Base):
    """A list somebody has on their screen, so that an edit can refresh it: a message by its `response_url`, a dialog by its
    `view_id`; with neither it is the Home tab.

    Slack accepts a response_url five times within 30 minutes; older rows are swept by the clock.
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
