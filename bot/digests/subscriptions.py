"""Which channels get a digest after each mass message. One channel, one subscription, whoever set it up."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot import audit
from bot.audit import Subject
from bot.models import DigestPost, PostState, Subscription


def subscribe(session: Session, channel_id: str, *, actor: str, now: datetime) -> bool:
    """Tell a channel from the next mass message on; `actor` is a Slack user id. False if it was told already."""
    row = insert(Subscription).values(channel_id=channel_id, made_by=actor, made_at=now)
    made = session.scalar(row.on_conflict_do_nothing().returning(Subscription.channel_id))
    if made is not None:
        _record(session, channel_id, actor=actor, action="digest.subscribed", now=now)
    return made is not None


def unsubscribe(session: Session, channel_id: str, *, actor: str, now: datetime) -> bool:
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


def _record(session: Session, channel_id: str, *, actor: str, action: str, now: datetime) -> None:
    audit.record(session, Subject("channel", None), actor=actor, action=action, now=now, after=channel_id)


def subscription(session: Session, channel_id: str) -> Subscription | None:
    """The subscription of a channel: who made it, and when."""
    return session.get(Subscription, channel_id)
