"""Store the scores of a day: each night, after each sync, and after each mass message became final.

A day that is counted again is replaced. While it is today, that is the state of now. A past day can be counted again while the
deliveries of the days before it are kept (`KEEP_MESSAGES`, and the last delivery to each number for `REACHABLE_DAYS`): `delivered`
and `confirmed` are then of that day, and who is a student, their contacts, numbers, and the list are those of now, because of these
no history is kept. So only days without scores should be counted afterward.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, delete, exists, func, insert, literal, select
from sqlalchemy.orm import Session

from bot.db.advisory_locks import advisory_lock
from bot.db.models.messages import MassMessage
from bot.db.models.roster import SyncRun, SyncState
from bot.db.models.scores import ReachabilityScore
from bot.db.session import transaction
from bot.errors import UserError
from bot.reachability.count import NUMBERS, count_groups, window_of
from bot.reachability.score import GroupKind

_LOCK = "reachability scores"


def record_if_due(engine: Engine, *, now: datetime, zone: ZoneInfo, reachable_days: int) -> int:
    """Store the scores of today if there are none, or a message became final or a sync ended since. Return how many groups have one.

    Only one process does this at a time.
    """
    day = now.astimezone(zone).date()
    with transaction(engine) as session:
        if not is_due(session, day, zone=zone):
            return 0
    with advisory_lock(engine, _LOCK) as lock:
        if lock is None:
            return 0
        with transaction(engine) as session:
            return (
                record_scores(session, day, zone=zone, reachable_days=reachable_days)
                if is_due(session, day, zone=zone)
                else 0
            )


def record_missing_day(session: Session, day: date, *, zone: ZoneInfo, reachable_days: int, now: datetime) -> int:
    """Count a past day that has no scores, and return the number of groups.

    Raises:
        UserError: the day has scores, which are better than what can be counted now, or is not over.
    """
    if day >= now.astimezone(zone).date():
        raise UserError("score.day_not_over", f"{day} is not over. The clock counts it.")
    if session.scalar(select(exists().where(ReachabilityScore.day == day))):
        raise UserError(
            "score.day_counted", f"{day} has scores. They are kept: its roster and list are not known anymore."
        )
    return record_scores(session, day, zone=zone, reachable_days=reachable_days)


def is_due(session: Session, day: date, *, zone: ZoneInfo) -> bool:
    """Return whether a day has no scores, or something happened that they do not show.

    Events are counted since the day before. Their times alone do not tell: a message is final at the time at which settling it
    began, and visible when that is committed.
    """
    row = ReachabilityScore
    seen = session.scalar(select(row.seen_events).where(row.day == day, row.kind == GroupKind.DISTRICT))
    return seen is None or seen != _count_events(session, day, zone=zone)


def _count_events(session: Session, day: date, *, zone: ZoneInfo) -> int:
    since = window_of(day - timedelta(days=1), zone=zone, reachable_days=1).start
    messages = select(func.count()).where(MassMessage.settled_at >= since)
    syncs = select(func.count()).where(SyncRun.state == SyncState.DONE, SyncRun.finished_at >= since)
    return session.scalar(select(messages.scalar_subquery() + syncs.scalar_subquery())) or 0


def record_scores(session: Session, day: date, *, zone: ZoneInfo, reachable_days: int) -> int:
    """Count and store the scores of a day in place of those that it has, and return the number of groups."""
    seen = _count_events(session, day, zone=zone)
    session.execute(delete(ReachabilityScore).where(ReachabilityScore.day == day))
    groups = count_groups(session, window_of(day, zone=zone, reachable_days=reachable_days)).subquery("groups")
    rows = select(literal(day), literal(seen), *(groups.c[name] for name in _COLUMNS))
    insertion = insert(ReachabilityScore).from_select(["day", "seen_events", *_COLUMNS], rows)
    return session.connection().execute(insertion, execution_options={"preserve_rowcount": True}).rowcount


_COLUMNS = ("kind", "school_id", "grade", "staff_id", *NUMBERS)
