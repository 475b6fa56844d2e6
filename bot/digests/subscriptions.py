"""Channels that get a digest after each mass message, one subscription each, and the filter that the digest counts."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.db import audit
from bot.db.audit import Subject
from bot.db.models.slack import DigestPost, PostState, Subscription, WeeklyPost, WeeklySubscription
from bot.filters.filter import Filter

CHANNEL = Subject("channel", None)  # Of the audit; the channel is in `after`.
_EVERYBODY = Filter()


class SubscribeResult(StrEnum):
    NEW = "subscribed"
    CHANGED = "changed"


def subscribe_channel(
    session: Session, channel_id: str, *, list_filter: Filter = _EVERYBODY, actor: str, now: datetime
) -> SubscribeResult | None:
    """Subscribe a channel from the next mass message on, or change its filter, for pending posts too; `actor` is a Slack user id.

    Return None, and change nothing, if the channel has this subscription already.
    """
    values = {"filter_text": str(list_filter.with_page(1)), "made_by": actor, "made_at": now}
    row = insert(Subscription).values(channel_id=channel_id, **values)
    upsert = row.on_conflict_do_update(
        index_elements=["channel_id"], set_=values, where=Subscription.filter_text != values["filter_text"]
    )
    is_new = session.scalar(upsert.returning(literal_column("subscriptions.xmax = 0")))
    if is_new is None:
        return None
    pending = DigestPost.channel_id == channel_id, DigestPost.state == PostState.PENDING
    session.execute(update(DigestPost).where(*pending).values(filter_text=values["filter_text"]))
    result = SubscribeResult.NEW if is_new else SubscribeResult.CHANGED
    reason = str(values["filter_text"]) or None
    audit.record(session, CHANNEL, actor=actor, action=f"digest.{result}", now=now, after=channel_id, reason=reason)
    return result


def unsubscribe_channel(session: Session, channel_id: str, *, actor: str, now: datetime) -> bool:
    """End a subscription and delete its pending posts. Return False if there was none."""
    was_subscribed = end_subscription(session, channel_id, Subscription, DigestPost)
    if was_subscribed:
        audit.record(session, CHANNEL, actor=actor, action="digest.unsubscribed", now=now, after=channel_id)
    return was_subscribed


def end_subscription(
    session: Session,
    channel_id: str,
    subscriptions: type[Subscription | WeeklySubscription],
    posts: type[DigestPost | WeeklyPost],
) -> bool:
    """Delete a channel's row in `subscriptions` and what is pending in `posts`. Return False if it had none."""
    session.execute(delete(posts).where(posts.channel_id == channel_id, posts.state == PostState.PENDING))
    ended = delete(subscriptions).where(subscriptions.channel_id == channel_id)
    return session.scalar(ended.returning(subscriptions.channel_id)) is not None


def list_subscriptions(session: Session) -> Sequence[Subscription]:
    """Return all subscriptions, the newest first."""
    return session.scalars(select(Subscription).order_by(Subscription.made_at.desc(), Subscription.channel_id)).all()
