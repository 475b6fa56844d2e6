"""Eight weeks of made-up reachability scores before the first counted one, so that the charts of the sandbox have a line."""

import math
from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import func, insert, inspect, select
from sqlalchemy.orm import Session

from bot.db.models.scores import ReachabilityScore
from bot.reachability.score import GroupKind

WEEKS = 8
_LOST_A_WEEK = 0.008  # The share of the students reached today that was not reached yet, for each week before.


def write_history(session: Session) -> int:
    """Add a day for each day of the weeks before the newest one, the same at every start; return the number of days.

    Older days have fewer students reached and more contacts to fix. A school that starts lower climbs faster.
    """
    last = select(func.max(ReachabilityScore.day)).scalar_subquery()
    newest = session.scalars(select(ReachabilityScore).where(ReachabilityScore.day == last)).all()
    days = range(1, WEEKS * 7 + 1)
    rows = [_earlier(score, days_ago) for days_ago in days for score in newest]
    if rows:
        session.execute(insert(ReachabilityScore), rows)
    return len(days) if rows else 0


def _earlier(score: ReachabilityScore, days_ago: int) -> dict[str, Any]:
    row = {column.key: getattr(score, column.key) for column in inspect(ReachabilityScore).columns}
    lost = _lost(score, days_ago)
    unreachable = lost // 3
    return row | {
        "day": score.day - timedelta(days=days_ago),
        "textable": score.textable - lost,
        "delivered": max(score.delivered - lost, 0),
        "reachable": score.reachable - unreachable,
        "unreachable": score.unreachable + unreachable,
        "to_fix": score.to_fix + lost,
        "fixed": lost % 3,
        "confirmed": max(lost - _lost(score, days_ago - 1), 0),
    }


def _lost(score: ReachabilityScore, days_ago: int) -> int:
    weeks = math.ceil(days_ago / 7)
    if not weeks:
        return 0
    place = "district" if score.kind == GroupKind.DISTRICT else f"school {score.school_id}"
    climb = 1.0 if score.kind == GroupKind.DISTRICT else Random(place).uniform(0.5, 1.6)
    wobble = Random(f"week {weeks}").uniform(0.9, 1.1)
    return min(round(score.textable * weeks * _LOST_A_WEEK * climb * wobble), score.textable)
