"""Rows of reachability scores, as the clock stores them."""

from datetime import timedelta

from bot.db.models.scores import ReachabilityScore


def add_score(session, office, *, days_ago=0, kind="district", students=1_000, textable=960, **group):
    """Add the score of a day; `group` is `school_id`, `grade`, or another number of the score."""
    day = (office.now().astimezone(office.settings.zone) - timedelta(days=days_ago)).date()
    numbers = {"delivered": textable - 20, "reachable": students - 10, "unreachable": 10, "to_fix": 40, "fixed": 3}
    values = {"students": students, "textable": textable, "confirmed": 2, "seen_events": 1, **numbers, **group}
    session.add(ReachabilityScore(day=day, kind=kind, **values))
