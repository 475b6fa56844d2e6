"""Outbox of digests, one for each (mass message, channel), and of thanks for fixes, one for each (mass message, person).

A digest that may have been posted is ambiguous and is looked up in its channel by `key`; thanks in that state are given up.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from bot.db import outbox
from bot.db.models.messages import Delivery, ListChange, ListMove, MassMessage
from bot.db.models.slack import DigestPost, PostKind, PostState, Subscription

_REFRESH_INTERVAL = timedelta(minutes=1)

_UNCLEAR_STATE = case((DigestPost.kind == PostKind.DIGEST, PostState.AMBIGUOUS), else_=PostState.FAILED)
# A preliminary digest becomes final within a minute; other refreshes wait a tenth of the message's age.
_REFRESH_IS_DUE = text("""
digest_posts.claimed_at <= :now - CASE
    WHEN mass_messages.settled_at IS NOT NULL AND digest_posts.shown_at IS NULL THEN CAST(:interval AS interval)
    ELSE least(greatest(CAST(:interval AS interval), (:now - mass_messages.sent_at) / 10), interval '1 hour') END
""")


def enqueue_digests(session: Session, message_id: str, *, now: datetime) -> int:
    """Enqueue the final digest of a message for every channel that subscribed before the message was final.

    Return the number of new posts. A channel that has a preliminary digest gets no second post: that one is refreshed.
    """
    subscribed_in_time = Subscription.made_at <= func.coalesce(MassMessage.settled_at, now)
    return _enqueue(session, MassMessage.id == message_id, subscribed_in_time, now=now)


def enqueue_preliminary(session: Session, *, now: datetime, after: timedelta) -> int:
    """Enqueue preliminary digests of messages that are known for `after` and not final yet. Return the number of new posts.

    A message is known once it is sent and registered: one that is registered late gets as much time to become final.
    """
    known_since = func.greatest(MassMessage.sent_at, MassMessage.registered_at, type_=MassMessage.sent_at.type)
    has_deliveries = exists().where(Delivery.mass_message_id == MassMessage.id)
    is_open = and_(MassMessage.settled_at.is_(None), known_since <= now - after, has_deliveries)
    return _enqueue(session, is_open, Subscription.made_at - after <= known_since, now=now)


def enqueue_fix_thanks(session: Session, message_id: str, *, now: datetime) -> int:
    """Enqueue thanks for everyone whose edits let a final message arrive. Return the number of new posts."""
    editors = (
        select(
            *(ListChange.mass_message_id, ListChange.fixed_by, literal(PostKind.FIXES)),
            literal(now, DigestPost.due_at.type),
        )
        .where(ListChange.mass_message_id == message_id, ListChange.move == ListMove.LEFT)
        .where(ListChange.fixed_by.is_not(None))
        .distinct()
    )
    return _insert(session, ["mass_message_id", "channel_id", "kind", "due_at"], editors)


def _enqueue(session: Session, *conditions: ColumnElement[bool], now: datetime) -> int:
    posts = select(
        *(MassMessage.id, Subscription.channel_id, Subscription.filter_text),
        literal(now, DigestPost.due_at.type),
    ).where(*conditions)
    return _insert(session, ["mass_message_id", "channel_id", "filter_text", "due_at"], posts)


def _insert(session: Session, columns: list[str], posts: Select[*tuple[Any, ...]]) -> int:
    rows = insert(DigestPost).from_select(columns, posts).on_conflict_do_nothing()
    return len(session.scalars(rows.returning(DigestPost.id)).all())


def claim_post(session: Session, *, now: datetime) -> DigestPost | None:
    """Lease the next pending post; one whose lease has expired becomes unclear."""
    unclear = {"state": _UNCLEAR_STATE, "due_at": now + outbox.LANDING_TIME, "error": "the worker stopped"}
    return outbox.claim(session, DigestPost, now=now, on_expiry=unclear)


def claim_ambiguous(session: Session, *, now: datetime) -> DigestPost | None:
    """Return the next ambiguous post to look up; no other worker gets it for `outbox.LEASE`."""
    return outbox.claim_ambiguous(session, DigestPost, now=now)


def claim_refresh(session: Session, *, now: datetime) -> DigestPost | None:
    """Return the next posted digest that may show old counts.

    The digest of an older message stays as it is once a newer message is final, because the list has moved on.
    """
    newer = aliased(MassMessage)
    changed_list = newer.settled_at.is_not(None), newer.silent_at.is_(None)
    is_latest = ~exists().where(*changed_list, newer.sent_at > MassMessage.sent_at)
    is_outdated = or_(DigestPost.shown_at.is_(None), and_(DigestPost.shown_at < MassMessage.learned_at, is_latest))
    is_due = _REFRESH_IS_DUE.bindparams(bindparam("now", now, DigestPost.claimed_at.type), interval=_REFRESH_INTERVAL)
    outdated = (
        select(DigestPost.id)
        .join(MassMessage, MassMessage.id == DigestPost.mass_message_id)
        .where(DigestPost.state == PostState.POSTED, DigestPost.kind == PostKind.DIGEST, is_due, is_outdated)
        .order_by(DigestPost.claimed_at, DigestPost.id)
    )
    return outbox.claim_first(session, outdated, DigestPost, {"claimed_at": now})


def mark_posted(session: Session, post: DigestPost, *, ts: str, text: str | None, shown_at: datetime | None) -> bool:
    """Store the message that Slack accepted; `shown_at` is None while it is unknown or preliminary, so that it is refreshed."""
    return outbox.complete(session, post, PostState.POSTED, ts=ts, posted_text=text, shown_at=shown_at, error=None)


def mark_refreshed(session: Session, post: DigestPost, *, text: str, shown_at: datetime | None) -> bool:
    posted = (PostState.POSTED,)
    return outbox.complete(session, post, PostState.POSTED, from_states=posted, posted_text=text, shown_at=shown_at)


def mark_unclear(session: Session, post: DigestPost, *, error: str, now: datetime) -> bool:
    """Store that Slack may have accepted the post: a digest is looked up when it has had time to appear."""
    claimed = (PostState.CLAIMED,)
    return outbox.complete(
        session, post, _UNCLEAR_STATE, from_states=claimed, error=error, due_at=now + outbox.LANDING_TIME
    )
