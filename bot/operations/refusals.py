"""Requests that were refused because nothing proved who sent them: counts by source and reason, and what to do about them.

Both come from small closed sets, so that strangers cannot fill the table. Only a URL that was signed with our secret is added.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.db.models.refusals import RefusedRequests
from bot.domain.display import plural
from bot.providers import registry

SLACK, MESSENGER, UNKNOWN_PROVIDER = "slack", "the messenger", "an unknown provider"
URL_DIFFERS = "the signed URL differs"
DAY = timedelta(days=1)
# A stranger may cause a few; this many within two hours mean that something is wrong with us.
MANY = 10
_RECENT, _RETENTION = timedelta(hours=2), timedelta(days=7)

Key = tuple[str, str]


@dataclass(frozen=True)
class Burst:
    """Refused requests of one source and reason, counted in one process: how many, and when the first and last came."""

    count: int
    first_at: datetime
    last_at: datetime


def add_refusals(session: Session, bursts: Mapping[Key, Burst]) -> None:
    """Add counts to the hour of the last request."""
    # In one order, so that two processes do not deadlock.
    rows = [
        {
            "source": source,
            "reason": reason,
            "hour": burst.last_at.replace(minute=0, second=0, microsecond=0),
            "count": burst.count,
            "first_at": burst.first_at,
            "last_at": burst.last_at,
        }
        for (source, reason), burst in sorted(bursts.items())
    ]
    upsert = insert(RefusedRequests).values(rows)
    upsert = upsert.on_conflict_do_update(
        index_elements=["source", "reason", "hour"],
        set_={
            "count": RefusedRequests.count + upsert.excluded.count,
            "first_at": func.least(RefusedRequests.first_at, upsert.excluded.first_at),
            "last_at": func.greatest(RefusedRequests.last_at, upsert.excluded.last_at),
        },
    )
    session.execute(upsert)


@dataclass(frozen=True)
class Refusals:
    """Requests of one source that were refused for one reason since a time: all, and those of this hour and the one before."""

    source: str
    reason: str
    total: int
    recent: int
    since: datetime

    @property
    def is_our_problem(self) -> bool:
        """Whether there are too many for strangers, or a signature with our secret proves that a setting is wrong."""
        return self.recent >= MANY or (self.recent > 0 and self.reason.startswith(URL_DIFFERS))


FIRST_AT = func.coalesce(RefusedRequests.first_at, RefusedRequests.hour)


def load_refusals(session: Session, *conditions: ColumnElement[bool], now: datetime) -> list[Refusals]:
    """Return the counts since yesterday at this hour, largest first."""
    total = func.sum(RefusedRequests.count)
    recent = func.coalesce(total.filter(RefusedRequests.hour > now - _RECENT), 0)
    query = (
        select(RefusedRequests.source, RefusedRequests.reason, total, recent, func.min(FIRST_AT))
        .where(RefusedRequests.hour > now - DAY, *conditions)
        .group_by(RefusedRequests.source, RefusedRequests.reason)
        .having(total > 0)
        .order_by(total.desc(), RefusedRequests.source, RefusedRequests.reason)
    )
    return [Refusals(*row) for row in session.execute(query)]


def delete_old_refusals(session: Session, *, now: datetime) -> int:
    """Delete counts after a week, and return how many rows."""
    old = delete(RefusedRequests).where(RefusedRequests.hour < now - _RETENTION)
    return len(session.execute(old.returning(RefusedRequests.hour)).all())


def describe(refusals: Refusals, *, zone: tzinfo, now: datetime) -> str:
    """Return a sentence such as `212 receipts from twilio refused since 9:04: the signed URL differs; set PUBLIC_URL=https://...`."""
    since, today = refusals.since.astimezone(zone), now.astimezone(zone).date()
    when = f"{since.hour}:{since:%M}" + ("" if since.date() == today else f" on {since:%B} {since.day}")
    noun = "receipt" if refusals.source in {*registry.BY_NAME, UNKNOWN_PROVIDER} else "request"
    advice = _advice(refusals.source, refusals.reason)
    return f"{plural(refusals.total, noun)} from {refusals.source} refused since {when}: {refusals.reason}{advice}"


def _advice(source: str, reason: str) -> str:
    """Return what to check, as a continuation of the reason; reasons that say it themselves need none."""
    if reason.endswith(" is not set"):
        return "; set it"
    if ";" in reason:
        return ""
    if "too long ago" in reason or "another time" in reason:
        return "; turn on time synchronization"
    if source == SLACK:
        return "; check SLACK_SIGNING_SECRET"
    if source not in registry.BY_NAME:
        return ""
    secret = registry.BY_NAME[source].SECRET.upper()
    return f"; check {secret}, and PUBLIC_URL" if source in _SIGNS_URL else f"; check {secret}"


_SIGNS_URL = {"messagebird", "plivo", "twilio"}
