"""School days, as far as they are known here: Mondays to Fridays. The district's holidays are not."""

from datetime import date, timedelta

# School days between two questions to a teacher about one student.
PAUSE_BETWEEN_QUESTIONS = 10
_FRIDAY = 4


def is_school_day(day: date) -> bool:
    return day.weekday() <= _FRIDAY


def next_school_day(day: date) -> date:
    following = day + timedelta(days=1)
    while not is_school_day(following):
        following += timedelta(days=1)
    return following


def school_days_before(day: date, number: int) -> date:
    """Return the day that is so many school days before."""
    while number:
        day -= timedelta(days=1)
        number -= is_school_day(day)
    return day
