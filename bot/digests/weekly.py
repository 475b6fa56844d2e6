"""The weekly report of a channel: the reachability scores of the district or one school, every Monday at 8:00 of the district.

Who subscribed, an outbox with one post for each week and channel, and what it counts. A group with fewer than ten students is not
counted, nor shown where it could be worked out from the others (`small_groups`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Date, literal, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.db import audit, outbox
from bot.db.models.roster import School
from bot.db.models.slack import PostState, WeeklyPost, WeeklySubscription
from bot.digests.small_groups import group_grades, is_too_small
from bot.digests.subscriptions import CHANNEL, end_subscription
from bot.reachability.history import load_every_group, load_history
from bot.reachability.score import DayScore, GroupKind, GroupScore, percent

POSTED_AT = time(8, 0)
WEEKS = 4  # The score is compared with the one so many weeks before.
# A clock that was down at that time posts on the same day; later, the next report is near.
_LATEST = timedelta(hours=16)
_MOST_PARTS = 5
_IN_NO_PART = "none"
_HISTORY = timedelta(weeks=8)


@dataclass(frozen=True)
class WeeklyReport:
    """The score of the district or a school; `parts` are its schools or grades with the lowest shares, lowest first.

    `is_hidden`: fewer than ten students, so no count may be shown. `day` is the day of the scores, and `history` are those of the
    weeks before, without days of fewer than ten students.
    """

    group: GroupScore
    parts: tuple[GroupScore, ...]
    day: date
    is_hidden: bool = False
    history: tuple[DayScore, ...] = ()


def subscribe_weekly(session: Session, channel_id: str, *, school_id: int | None, actor: str, now: datetime) -> bool:
    """Subscribe a channel from the next Monday on, or change its school. Return False if it has this subscription already."""
    values = {"school_id": school_id, "made_by": actor, "made_at": now}
    row = insert(WeeklySubscription).values(channel_id=channel_id, **values)
    changed = WeeklySubscription.school_id.is_distinct_from(school_id)
    upsert = row.on_conflict_do_update(index_elements=["channel_id"], set_=values, where=changed)
    is_new = session.scalar(upsert.returning(literal_column("weekly_subscriptions.xmax = 0")))
    if is_new is None:
        return False
    action = "weekly.subscribed" if is_new else "weekly.changed"
    audit.record(session, CHANNEL, actor=actor, action=action, now=now, after=channel_id)
    return True


def unsubscribe_weekly(session: Session, channel_id: str, *, actor: str, now: datetime) -> bool:
    """End a subscription and delete its pending posts. Return False if there was none."""
    was_subscribed = end_subscription(session, channel_id, WeeklySubscription, WeeklyPost)
    if was_subscribed:
        audit.record(session, CHANNEL, actor=actor, action="weekly.unsubscribed", now=now, after=channel_id)
    return was_subscribed


def list_weekly(session: Session) -> Sequence[tuple[WeeklySubscription, str | None]]:
    """Return all subscriptions, the newest first, each with the name of its school."""
    rows = select(WeeklySubscription, School.name).outerjoin(School, School.id == WeeklySubscription.school_id)
    newest_first = rows.order_by(WeeklySubscription.made_at.desc(), WeeklySubscription.channel_id)
    return [(row[0], row[1]) for row in session.execute(newest_first)]


def enqueue_weekly(session: Session, *, now: datetime, zone: ZoneInfo) -> int:
    """Enqueue this week's report for every channel that subscribed before it was due. Return the number of new posts."""
    local = now.astimezone(zone)
    monday = local.date() - timedelta(days=local.weekday())
    due_at = _due_at(monday, zone)
    if not due_at <= now < due_at + _LATEST:
        return 0
    posts = select(
        *(literal(monday, Date), WeeklySubscription.channel_id, WeeklySubscription.school_id),
        literal(due_at, WeeklyPost.due_at.type),
    ).where(WeeklySubscription.made_at < due_at)
    rows = insert(WeeklyPost).from_select(["week", "channel_id", "school_id", "due_at"], posts)
    return len(session.scalars(rows.on_conflict_do_nothing().returning(WeeklyPost.id)).all())


def is_too_late(post: WeeklyPost, *, now: datetime, zone: ZoneInfo) -> bool:
    """Return whether the day of a post is over, so that it no longer waits for scores."""
    return now >= _due_at(post.week, zone) + _LATEST


def _due_at(monday: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(monday, POSTED_AT, tzinfo=zone)


def claim_post(session: Session, *, now: datetime) -> WeeklyPost | None:
    """Lease the next pending post; one whose lease has expired becomes ambiguous."""
    unclear = {"state": PostState.AMBIGUOUS, "due_at": now + outbox.LANDING_TIME, "error": "the worker stopped"}
    return outbox.claim(session, WeeklyPost, now=now, on_expiry=unclear)


def claim_ambiguous(session: Session, *, now: datetime) -> WeeklyPost | None:
    """Return the next ambiguous post to look up; no other worker gets it for `outbox.LEASE`."""
    return outbox.claim_ambiguous(session, WeeklyPost, now=now)


def mark_posted(session: Session, post: WeeklyPost, *, ts: str) -> bool:
    return outbox.complete(session, post, PostState.POSTED, ts=ts, error=None)


def mark_ambiguous(session: Session, post: WeeklyPost, *, error: str, now: datetime) -> bool:
    """Store that Slack may have accepted the post: it is looked up when it has had time to appear."""
    values: dict[str, Any] = {"error": error, "due_at": now + outbox.LANDING_TIME}
    return outbox.complete(session, post, PostState.AMBIGUOUS, from_states=(PostState.CLAIMED,), **values)


def load_weekly(session: Session, school_id: int | None) -> WeeklyReport | None:
    """Return the report of the newest day with scores; None if there is none, or none of this school."""
    kind, part = (GroupKind.DISTRICT, GroupKind.SCHOOL) if school_id is None else (GroupKind.SCHOOL, GroupKind.GRADE)
    day, groups = load_every_group(session, kind, weeks=WEEKS, school_id=school_id)
    if day is None or not groups:
        return None
    whole = _without_small_before(groups[0])
    if is_too_small(whole.score.students):
        return WeeklyReport(whole, (), day, is_hidden=True)
    _, parts = load_every_group(session, part, weeks=WEEKS, school_id=school_id)
    history = load_history(session, whole.group, since=day - _HISTORY)
    shown = tuple(each for each in history if not is_too_small(each.score.students))
    return WeeklyReport(whole, _lowest(parts, students=whole.score.students), day, history=shown)


def _without_small_before(group: GroupScore) -> GroupScore:
    """Return the group without its earlier score where it was too small then: the change would tell that share."""
    return replace(group, before=None) if group.before and is_too_small(group.before.students) else group


def _lowest(parts: Sequence[GroupScore], *, students: int) -> tuple[GroupScore, ...]:
    """Return the parts with the lowest shares, without small ones; all that are left out are together no small group either.

    `students` is the number of the whole. Those in no part (without a grade, or at no active school) are a part that is not
    shown. While they are too few, no part is shown: the channels of all parts together would tell how many they are.
    """
    # Negative where students are at two schools.
    in_no_part = max(students - sum(part.score.students for part in parts), 0)
    if is_too_small(in_no_part):
        return ()
    names = [str(number) for number in range(len(parts))]
    sizes = {name: part.score.students for name, part in zip(names, parts, strict=True)}
    groups = group_grades({**sizes, _IN_NO_PART: in_no_part}, [*names, _IN_NO_PART])
    alone = [parts[int(group[0])] for group in groups if len(group) == 1 and group[0] != _IN_NO_PART]
    by_share = sorted(alone, key=lambda part: percent(part.score.textable, part.score.students))
    return tuple(by_share[:_MOST_PARTS])
