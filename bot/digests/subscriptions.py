"""Which channels get a digest after each mass message, and what it counts. One channel, one subscription, whoever set it up."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot import audit
from bot.audit import Subject
from bot.db.models.slack import DigestPost, PostState, Subscription
from bot.filters.filter import Filter

_EVERYBODY = Filter()


class SubscribeResult(StrEnum):
    """What asking for digests came to."""

    NEW = "subscribed"
    CHANGED = "changed"


def subscribe_channel(
    session: Session, channel_id: str, *, which: Filter = _EVERYBODY, actor: str, now: datetime
) -> SubscribeResult | None:
    """Tell a channel from the next mass message on what a filter means; `actor` is a Slack user id.

    Another filter takes the place of the one before, also for what waits to be posted. None if it was told just that already;
    then whoever asked first stays named.
    """
    asked = {"filter_text": str(which.with_page(1)), "made_by": actor, "made_at": now}
    row = insert(Subscription).values(channel_id=channel_id, **asked)
    made = row.on_conflict_do_update(
        index_elements=["channel_id"], set_=asked, where=Subscription.filter_text != asked["filter_text"]
    )
    is_new = session.scalar(made.returning(literal_column("subscriptions.xmax = 0")))
    if is_new is None:
        return None
    waits = DigestPost.channel_id == channel_id, DigestPost.state == PostState.PENDING
    session.execute(update(DigestPost).where(*waits).values(filter_text=asked["filter_text"]))
    became = SubscribeResult.NEW if is_new else SubscribeResult.CHANGED
    _record(session, channel_id, actor=actor, action=f"digest.{became}", now=now, reason=str(asked["filter_text"]))
    return became


def unsubscribe_channel(session: Session, channel_id: str, *, actor: str, now: datetime) -> bool:
    """Tell it no more, not even what waits to be posted. False if it was not told anyway."""
    ended = session.scalar(
        delete(Subscription).where(Subscription.channel_id == channel_id).returning(Subscription.channel_id)
    )
    session.execute(
        delete(DigestPost).where(DigestPost.channel_id == channel_id, DigestPost.state == PostState.PENDING)
    )
    if ended is not None:
        _record(session, channel_id, actor=actor, action="digest.unsubscribed", now=now)
    return ended is not None


def _record(
    session: Session, channel_id: str, *, actor: str, action: str, now: datetime, reason: str | None = None
) -> None:
    subject = Subject("channel", None)
    audit.record(session, subject, actor=actor, action=action, now=now, after=channel_id, reason=reason or None)


def load_subscription(session: Session, channel_id: str) -> Subscription | None:
    """The subscription of a channel: who made it, and when."""
    return session.get(Subscription, channel_id)


def list_subscriptions(session: Session) -> Sequence[Subscription]:
    """Every channel that is told, the newest first."""
    return session.scalars(select(Subscription).order_by(Subscription.made_at.desc(), Subscription.channel_id)).all()
