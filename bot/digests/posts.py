"""Digests on their way to Slack: exactly one for each (mass message, channel). And direct messages to whoever fixed contacts,
at most one for each (mass message, person): of those, an unclear one is given up.

A post is claimed and the claim committed before Slack is called. Whoever then dies leaves it ambiguous, never pending: an
ambiguous post is looked for in the channel by its `key` and not sent again unless Slack surely did not take it.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from bot.db import outbox
from bot.db.models.messages import Delivery, ListChange, ListMove, MassMessage
from bot.db.models.slack import DigestPost, PostKind, PostState, Subscription

LEASE = timedelta(minutes=2)
# Longer than a call to Slack waits for its answer.
_LAND = timedelta(seconds=30)
_EVERY = timedelta(minutes=1)

_OPEN = (PostState.CLAIMED, PostState.AMBIGUOUS)
_UNCLEAR = case((DigestPost.kind == PostKind.DIGEST, PostState.AMBIGUOUS), else_=PostState.FAILED)
_RESTED = text("""
digest_posts.claimed_at <= :now - CASE
    WHEN mass_messages.settled_at IS NOT NULL AND digest_posts.shown_at IS NULL THEN CAST(:every AS interval)
    ELSE least(greatest(CAST(:every AS interval), (:now - mass_messages.sent_at) / 10), interval '1 hour') END
""")


def enqueue_digests(session: Session, message_id: str, *, now: datetime) -> int:
    """Put the digest of a settled message on its way to every channel that asked for digests before it settled.

    Returns how many are new; the same again adds none, and where a first look was posted, that one goes on to be true.
    """
    is_meant = MassMessage.id == message_id
    return _add(session, is_meant, Subscription.made_at <= func.coalesce(MassMessage.settled_at, now), now=now)


def enqueue_preliminary(session: Session, *, now: datetime, after: timedelta) -> int:
    """Put the digests of messages on their way that were sent (and told to us) `after` ago and have not settled yet.

    One that was told to us late has as long to settle first, so that nobody gets the first look and the last at once.
    """
    known_since = func.greatest(MassMessage.sent_at, MassMessage.registered_at, type_=MassMessage.sent_at.type)
    has_deliveries = exists().where(Delivery.mass_message_id == MassMessage.id)
    is_open = and_(MassMessage.settled_at.is_(None), known_since <= now - after, has_deliveries)
    return _add(session, is_open, Subscription.made_at - after <= known_since, now=now)


def enqueue_fix_thanks(session: Session, message_id: str, *, now: datetime) -> int:
    """Put a direct message on its way to everybody whose edits let a settled message reach a contact that it had missed.

    Returns how many are new; the same again adds none.
    """
    fixers = (
        select(
            *(ListChange.mass_message_id, ListChange.fixed_by, literal(PostKind.FIXES)),
            literal(now, DigestPost.due_at.type),
        )
        .where(ListChange.mass_message_id == message_id, ListChange.move == ListMove.LEFT)
        .where(ListChange.fixed_by.is_not(None))
        .distinct()
    )
    return _insert(session, ["mass_message_id", "channel_id", "kind", "due_at"], fixers)


def _add(session: Session, *conditions: ColumnElement[bool], now: datetime) -> int:
    """A post for each (mass message, channel) of which the conditions hold and that has none yet."""
    wanted = select(
        *(MassMessage.id, Subscription.channel_id, Subscription.filter_text),
        literal(now, DigestPost.due_at.type),
    ).where(*conditions)
    return _insert(session, ["mass_message_id", "channel_id", "filter_text", "due_at"], wanted)


def _insert(session: Session, columns: list[str], wanted: Select[*tuple[Any, ...]]) -> int:
    rows = insert(DigestPost).from_select(columns, wanted).on_conflict_do_nothing()
    return len(session.scalars(rows.returning(DigestPost.id)).all())


def claim_post(session: Session, *, now: datetime, lease: timedelta = LEASE) -> DigestPost | None:
    """The next post to send, for this process alone; commit, then call Slack. None if nothing is due.

    A claim that is older than `lease` was left by somebody who died; it is ambiguous now. Or the watches of two machines
    differ, and the post is on its way: it has time to land before it is looked for. `lease` must be longer than a call to
    Slack can take.
    """
    left = update(DigestPost).where(outbox.lease_expired(DigestPost, now=now, lease=lease))
    unclear = {"state": _UNCLEAR, "due_at": now + _LAND, "error": "the process that posted it stopped"}
    session.execute(left.values(unclear))
    return outbox.claim_row(session, DigestPost, outbox.is_due(DigestPost, now=now), now=now)


def claim_ambiguous(session: Session, *, now: datetime, lease: timedelta = LEASE) -> DigestPost | None:
    """The next ambiguous post to look for in its channel; nobody else gets it for `lease`."""
    due = outbox.is_due(DigestPost, now=now, state=PostState.AMBIGUOUS)
    return outbox.claim_first(session, DigestPost, outbox.by_due_date(DigestPost, due), {"due_at": now + lease})


def claim_refresh(session: Session, *, now: datetime, every: timedelta = _EVERY) -> DigestPost | None:
    """The next posted digest that may no longer show what we know, at most once in `every`, and the older the message the
    less often; when it has settled, as soon as may be.

    When a newer message has settled, the digest of the older one stays as it was: the list has moved on.
    """
    newer = aliased(MassMessage)
    is_last = ~exists().where(newer.settled_at.is_not(None), newer.sent_at > MassMessage.sent_at)
    was_never_settled = DigestPost.shown_at.is_(None)
    has_news = or_(was_never_settled, and_(DigestPost.shown_at < MassMessage.learned_at, is_last))
    rested = _RESTED.bindparams(bindparam("now", now, DigestPost.claimed_at.type), every=every)
    stale = (
        select(DigestPost.id)
        .join(MassMessage, MassMessage.id == DigestPost.mass_message_id)
        .where(DigestPost.state == PostState.POSTED, rested, has_news)
        .where(DigestPost.kind == PostKind.DIGEST)
    )
    return outbox.claim_first(
        session, DigestPost, stale.order_by(DigestPost.claimed_at, DigestPost.id), {"claimed_at": now}
    )


def mark_posted(session: Session, post: DigestPost, *, ts: str, text: str | None, shown_at: datetime | None) -> bool:
    """Slack took it as message `ts`; `shown_at` is `Digest.shown_at`, None of a first look or when nobody knows what it shows.
    False if it was no longer ours to say.
    """
    said = {"state": PostState.POSTED, "ts": ts, "posted_text": text, "shown_at": shown_at, "error": None}
    return outbox.complete(session, post, of=_OPEN, **said)


def mark_refreshed(session: Session, post: DigestPost, *, text: str, shown_at: datetime | None) -> bool:
    """The posted message shows a newer state of knowledge."""
    return outbox.complete(session, post, of=(PostState.POSTED,), posted_text=text, shown_at=shown_at)


def mark_failed(session: Session, post: DigestPost, *, error: str) -> bool:
    """Slack refused it for good, or nobody can tell and a person was told. `error` is Slack's word, no personal data."""
    return outbox.complete(session, post, of=_OPEN, state=PostState.FAILED, error=error)


def mark_ambiguous(session: Session, post: DigestPost, *, error: str, now: datetime) -> bool:
    """The answer got lost: Slack may have taken it. It is looked for when it has had time to land."""
    return outbox.complete(session, post, state=_UNCLEAR, error=error, due_at=now + _LAND)


def schedule_retry(session: Session, post: DigestPost, due_at: datetime, *, error: str | None = None) -> bool:
    """Slack surely did not take it (it said so, was never reached, or it is not in the channel): send it again at `due_at`."""
    return outbox.complete(session, post, of=_OPEN, state=PostState.PENDING, due_at=due_at, error=error)
