"""How people read names, numbers of things, dates, and phone numbers."""

from datetime import date, datetime

NO_NAME = "(no name)"


def full_name(given: str, family: str) -> str:
    """Return the name as people read it. Many have one word only, in either of the two cells, and a few have none."""
    return f"{given} {family}".strip() or NO_NAME


def plural(count: int, singular: str, many: str | None = None) -> str:
    """Return `1 student` or `1,204 students`; `many` is the plural where adding an s is not enough."""
    return f"{count:,} {singular if count == 1 else many or singular + 's'}"


def masked(e164: str | None) -> str:
    """Return the last four digits: the only form outside the edit dialog, *Show number*, and permitted exports."""
    return f"••• {e164[-4:]}" if e164 else "no number"


def short_day(day: date, today: date) -> str:
    """Return `Nov 9`, with the year only where it is not this one."""
    return f"{day:%b} {day.day}" + (f", {day:%Y}" if day.year != today.year else "")


def day(local: datetime) -> str:
    """Return `Nov 9, 2026`, as Slack shows dates."""
    return f"{local:%b} {local.day}, {local:%Y}"


def day_and_time(local: datetime) -> str:
    """Return `Nov 9, 2026, 5:36 PM`."""
    return f"{day(local)}, {local.hour % 12 or 12}:{local:%M %p}"
