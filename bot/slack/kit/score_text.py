"""The reachability score in words, with a bar of text: shares in percent, and the number behind each share. Its weeks are a chart."""

from collections.abc import Sequence

from bot.domain import display
from bot.domain.display import plural
from bot.reachability.history import thin_out
from bot.reachability.score import DayScore, GroupScore, Score, percent
from bot.slack.kit import charts
from bot.slack.kit.blocks import Block

_CELLS = 10


def bar(score: Score) -> str:
    """Return the share of students with a textable adult as ten cells; full only if it is all of them."""
    full = score.textable * _CELLS // score.students if score.students else _CELLS
    return "▓" * full + "░" * (_CELLS - full)


def share(score: Score) -> str:
    return f"{percent(score.textable, score.students)}%"


def headline(group: GroupScore, *, weeks: int) -> str:
    """Return `*96%* of 1,204 students have an adult we can text (up 2 points in 4 weeks).` with its bar."""
    score = group.score
    have = "student has" if score.students == 1 else "students have"
    return f"{bar(score)} *{share(score)}* of {score.students:,} {have} an adult we can text{_trend(group, weeks)}."


def _trend(group: GroupScore, weeks: int) -> str:
    if group.before is None or not group.before.students:
        return ""
    now, before = (percent(score.textable, score.students) for score in (group.score, group.before))
    if now == before:
        return f" (as {plural(weeks, 'week')} ago)"
    change = plural(abs(now - before), "point")
    return f" ({'up' if now > before else 'down'} {change} in {plural(weeks, 'week')})"


def facts(score: Score, *, reachable_days: int) -> list[str]:
    """Return lines about the students, and about the contacts to fix."""
    other_ways = score.reachable - score.textable
    delivered = f"📨 {_students(score.delivered)} an adult who got a text in the last {reachable_days} days."
    lines = [delivered]
    if other_ways:
        lines.append(f"☎️ {_students(other_ways)} an adult who can only be called or emailed.")
    if score.unreachable:
        lines.append(f"⚠️ *{_students(score.unreachable)} no adult we can reach.*")
    else:
        lines.append("✅ *Every student has an adult we can reach.*")
    return [*lines, f"🔧 {_contacts(score)}."]


def _students(number: int) -> str:
    return plural(number, "student has", "students have")


def _contacts(score: Score) -> str:
    parts = [f"{plural(score.to_fix, 'contact') if score.to_fix else 'No contacts'} to fix"]
    if score.fixed:
        parts.append(f"{score.fixed:,} fixed, waiting for the next message")
    if score.confirmed:
        parts.append(f"{score.confirmed:,} fixed, and today's message was delivered")
    return " · ".join(parts)


def chart(history: Sequence[DayScore]) -> list[Block]:
    """Return the share of students with an adult who can be texted, day by day, as a line; nothing for a single day."""
    days = [day for day in thin_out(history, points=charts.MAX_POINTS) if day.score.students]
    if len(days) <= 1:
        return []
    labels = [display.short_day(day.day, days[-1].day) for day in days]
    shares = [round(100 * day.score.textable / day.score.students, 1) for day in days]
    return [charts.line_chart("With an adult we can text, in %", labels, {"With an adult": shares})]
