"""The reachability score at the top of the Home tab of people who see more than a class, read from the stored scores only."""

from collections.abc import Sequence
from dataclasses import astuple
from datetime import date, timedelta

from sqlalchemy.orm import Session

from bot.access.rights import AccessLevel, Actor
from bot.domain import display, grade
from bot.domain.display import plural
from bot.filters.filter import Filter
from bot.reachability.history import Fixer, load_groups, load_history, own_group
from bot.reachability.score import DayScore, Group, GroupKind, GroupScore, Score, percent
from bot.slack.kit import blocks as b
from bot.slack.kit import charts, score_text
from bot.slack.kit.blocks import Block

SHOW_GRADE, SHOW_FIXERS = "list.show.score", "home.fixers"
_FIXERS = "home.fixers_shown"
_COMPARED_WEEKS = 4
_HISTORY = timedelta(weeks=charts.MAX_POINTS)
_MAX_BUTTONS = 25  # In a row.
_MAX_NAME, _LINES = 60, 25  # Of a section.
_NO_SCORES = (
    "*How many students have an adult we can text?* The answer comes here tomorrow: it is counted each night, and after each mass "
    "message."
)


def draw(session: Session, actor: Actor, *, reachable_days: int) -> list[Block]:
    """Return how many students have an adult who can be texted, the weeks before as a chart, and the schools or grades."""
    if actor.level is AccessLevel.CLASSES:
        return []
    own = own_group(actor)
    history = load_history(session, own, since=actor.today - _HISTORY) if own else ()
    has_grades = own is not None and own.kind is GroupKind.SCHOOL
    kind, lowest = (GroupKind.GRADE, None) if has_grades else (GroupKind.SCHOOL, charts.MAX_ROWS)
    groups = load_groups(session, kind, actor=actor, lowest=lowest)
    if not history and not groups:
        return [b.section(_NO_SCORES)]
    whole = _whole(own, history) if own and history else _together(groups)
    facts = [*score_text.facts(whole.score, reachable_days=reachable_days), *_counted(history, actor.today)]
    return [
        b.section(score_text.headline(whole, weeks=_COMPARED_WEEKS)),
        b.context("\n".join(facts)),
        *score_text.chart(history),
        *(_grades(groups) if has_grades else _schools(groups)),
        *b.actions([b.button("Who fixed how many", SHOW_FIXERS, "all")]),
    ]


def _counted(history: Sequence[DayScore], today: date) -> list[str]:
    """Say how old the numbers are: the list below is newer, so that the two can differ."""
    if not history:
        return []
    day = history[-1].day
    when = "today" if day == today else f"on {display.short_day(day, today)}"
    return [f"Last counted {when}: later fixes are not in these numbers yet."]


def _whole(group: Group, history: Sequence[DayScore]) -> GroupScore:
    compared = history[-1].day - timedelta(weeks=_COMPARED_WEEKS)
    before = next((day.score for day in reversed(history) if day.day <= compared), None)
    return GroupScore(group, "", history[-1].score, before)


def _together(schools: Sequence[GroupScore]) -> GroupScore:
    """Add up the schools of a person; a student of two of them counts twice."""
    numbers = zip(*(astuple(school.score) for school in schools), strict=True)
    return GroupScore(Group(GroupKind.DISTRICT), "", Score(*map(sum, numbers)), None)


def _schools(schools: Sequence[GroupScore]) -> list[Block]:
    """Return a table of the schools with the lowest shares, as many as a table holds."""
    if not schools:
        return []
    columns = ("School", "Students", "Can be texted, %", "4 weeks ago, %", "No one", "To fix")
    rows = [
        (
            *(school.name, school.score.students, _share(school.score)),
            *(_share(school.before) if school.before else "", school.score.unreachable, school.score.to_fix),
        )
        for school in schools
    ]
    which = f"the {len(schools)} schools with the lowest shares" if len(schools) == charts.MAX_ROWS else "by school"
    return [charts.table(f"Students with an adult we can text, {which}", columns, rows)]


def _grades(grades: Sequence[GroupScore]) -> list[Block]:
    """Return a button for each grade, which shows the grade's list below."""
    return b.actions(
        [
            b.button(
                f"{grade.title(level)}: {_share(each.score)}%", f"{SHOW_GRADE}.{level}", Filter(grades=(level,)).text
            )
            for each in grades[:_MAX_BUTTONS]
            if (level := each.group.grade)
        ]
    )


def fixers_dialog(fixers: Sequence[Fixer], *, since: date) -> Block:
    lines = [f"*{b.escaped(fixer.name, _MAX_NAME)}*: {plural(fixer.contacts, 'contact')}" for fixer in fixers]
    shown = [b.section("\n".join(lines[start : start + _LINES])) for start in range(0, len(lines), _LINES)]
    note = "A contact counts once its change waits for the next mass message, or a message got through because of it."
    blocks = [
        b.section(f"*Fixed since {display.short_day(since, since)}*"),
        *(shown or [b.section("None yet.")]),
        b.context(note),
    ]
    return b.modal("Who fixed how many", blocks, callback_id=_FIXERS, metadata="{}")


def _share(score: Score) -> int:
    return percent(score.textable, score.students)
