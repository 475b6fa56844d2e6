"""`/cleanup report`: how many of a person's students have an adult who can be reached, how that changed, and where most is left to do.

Whole schools and the district are read from the stored scores, so that they equal what channels and charts show; any other
selection of students, also those of a teacher, is counted now.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from slack_sdk import WebClient
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import AccessLevel, Actor
from bot.cleanup_list.query import narrow_students
from bot.db.models.roster import School
from bot.domain import display
from bot.errors import UserError
from bot.filters.filter import Criterion, Filter, command_text, describe, page_count
from bot.reachability.count import count_of, window_of
from bot.reachability.history import count_visible_groups, find_schools, load_groups, load_history, newest_day
from bot.reachability.score import DayScore, Group, GroupKind, GroupScore
from bot.slack.kit import blocks as b
from bot.slack.kit import score_text, users
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext
from bot.slack.list import card as list_card
from bot.slack.list import links
from bot.slack.list.scope import CommandScope, read_scope

COMMAND = "report"
OPEN_LIST = "list.show.scored"
_TITLE = "Who we can text"
_WEEKS = 4
_HISTORY = timedelta(weeks=8)
_ROWS_ON_A_PAGE = 12
_MAX_NAME = 60
_MAX_STUDENTS = 6_000
# `schools`, `by teacher`, `grades at Lincoln`: what to compare, with a place behind it or nothing.
_PARTS = re.compile(r"(?:by )?(school|grade|teacher)s?(?=$| (?:at|in|of|school|page)\b)", re.IGNORECASE)
_PLURALS = {GroupKind.SCHOOL: "Schools", GroupKind.GRADE: "Grades", GroupKind.TEACHER: "Teachers"}


@dataclass(frozen=True)
class _Report:
    """The students selected by `scope`: their score, its history where it is stored, and the groups that they are compared by, of
    which `parts` are those of `page`.

    `school` is where they all are, if it is one; `kind` is None where nothing is compared. `counted` is the
    day of the stored scores, as people read it; None before the first.
    """

    scope: CommandScope
    whole: GroupScore
    history: tuple[DayScore, ...]
    kind: GroupKind | None
    parts: tuple[GroupScore, ...]
    page: int
    pages: int
    school: School | None
    counted: str | None


def show(ctx: AppContext, client: WebClient, body: dict[str, Any], text: str) -> Card:
    """Return the report for the students that a filter selects, among those this person may see."""
    compared = _PARTS.match(text)
    rest = text[compared.end() :].strip() if compared else text
    mentioned = users.mentioned_emails(ctx.engine, client, text, now=ctx.now())
    with ctx.acting(client, body["user_id"]) as (session, actor):
        scope = read_scope(session, actor, rest, mentioned)
        kind = GroupKind(compared[1].lower()) if compared else None
        report = None if scope.unmet else _load(ctx, session, actor, scope, kind)
    if report is None:
        return b.card([b.header(scope.heading(_TITLE)), b.section(scope.unmet or "")])
    return _card(report, reachable_days=ctx.settings.reachable_days)


def _load(ctx: AppContext, session: Session, actor: Actor, scope: CommandScope, kind: GroupKind | None) -> _Report:
    which = scope.filter.with_page(1)
    school = _school(session, actor, which)
    stored = _stored(session, actor, which, school)
    kind = kind or _usual_parts(actor, which, school)
    parts, page, pages = _load_parts(session, actor, kind, school, page=scope.filter.page) if kind else ((), 1, 1)
    return _Report(
        scope=scope,
        whole=stored or _count_now(ctx, session, actor, which),
        history=load_history(session, stored.group, since=ctx.today() - _HISTORY) if stored else (),
        kind=kind,
        parts=parts,
        page=page,
        pages=pages,
        school=school,
        counted=_day(newest_day(session), ctx.today()),
    )


def _day(day: date | None, today: date) -> str | None:
    if day is None:
        return None
    return "today" if day == today else f"on {display.short_day(day, today)}"


def _stored(session: Session, actor: Actor, which: Filter, school: School | None) -> GroupScore | None:
    """Return the stored score where the filter selects a whole school, or the district."""
    if which.criteria - {Criterion.SCHOOL} or (which.school is not None and school is None):
        return None
    kind, school_id = (GroupKind.SCHOOL, school.id) if school else (GroupKind.DISTRICT, None)
    groups = load_groups(session, kind, actor=actor, weeks=_WEEKS, school_id=school_id)
    return groups[0] if groups else None


def _school(session: Session, actor: Actor, which: Filter) -> School | None:
    """Return the school of all students that the filter selects, if the actor may see the whole of it."""
    if which.school is not None:
        schools = [
            school
            for school in find_schools(session, which.school)
            if actor.level is AccessLevel.DISTRICT or school.id in actor.school_ids
        ]
        return schools[0] if len(schools) == 1 else None
    if actor.level is AccessLevel.SCHOOLS and len(actor.school_ids) == 1:
        return session.get(School, actor.school_ids[0])
    return None


def _usual_parts(actor: Actor, which: Filter, school: School | None) -> GroupKind | None:
    if actor.level is AccessLevel.CLASSES or which.criteria - {Criterion.SCHOOL}:
        return None
    return GroupKind.GRADE if school else GroupKind.SCHOOL


def _load_parts(
    session: Session, actor: Actor, kind: GroupKind, school: School | None, *, page: int
) -> tuple[tuple[GroupScore, ...], int, int]:
    """Return a page of the groups to compare, the lowest share first, with its number and the number of pages."""
    school_id = school.id if school else None
    pages = page_count(count_visible_groups(session, kind, actor=actor, school_id=school_id), _ROWS_ON_A_PAGE)
    page = min(page, pages)
    rows = {"lowest": _ROWS_ON_A_PAGE, "offset": (page - 1) * _ROWS_ON_A_PAGE}
    return load_groups(session, kind, actor=actor, weeks=_WEEKS, school_id=school_id, **rows), page, pages


def _count_now(ctx: AppContext, session: Session, actor: Actor, which: Filter) -> GroupScore:
    students = narrow_students(rights.visible_students(actor), which, today=actor.today)
    if which.criteria:
        _require_few(session, students)
    window = window_of(ctx.today(), zone=ctx.settings.zone, reachable_days=ctx.settings.reachable_days)
    score = count_of(session, session.scalars(students).all(), window)
    name = describe(which) if which.criteria else "Your students"
    return GroupScore(Group(GroupKind.TEACHER), name, score, None)


def _require_few(session: Session, students: Select[int]) -> None:
    """Refuse grades of a large district, say: each student's contacts are looked up."""
    number = session.scalar(select(func.count()).select_from(students.limit(_MAX_STUDENTS + 1).subquery())) or 0
    if number > _MAX_STUDENTS:
        sentence = (
            "These are too many students to count at once. Name a school, a grade of a school, or a teacher: "
            f"`{links.COMMAND} {COMMAND} grade 9 school Lincoln`"
        )
        raise UserError("report.too_many", sentence)


def _card(report: _Report, *, reachable_days: int) -> Card:
    ignored = "A report is for a grade, a school, or a teacher's students. The rest of what you typed is left out."
    which = report.scope.filter.with_page(report.page)
    facts = score_text.facts(report.whole.score, reachable_days=reachable_days)
    text = "\n".join([score_text.headline(report.whole, weeks=_WEEKS), *facts])
    return b.card(
        [
            b.header(f"{_TITLE} · {report.whole.name}"),
            *report.scope.ignored_words(ignored),
            b.section(text, accessory=b.button("Open list", OPEN_LIST, which.with_page(1).text)),
            *score_text.chart(report.history),
            *_compared(report),
            *list_card.command_buttons(_command(report.kind), which, pages=report.pages),
            *_other_comparison(report),
            b.context(*_notes(report)),
        ]
    )


def _compared(report: _Report) -> list[Block]:
    if not report.parts or report.kind is None:
        return []
    has_schools = report.school is None and report.kind is not GroupKind.SCHOOL
    heading = f"*{_PLURALS[report.kind]}, those with most left to do first*"
    rows = (_row(part, has_school=has_schools) for part in report.parts)
    return [b.divider(), b.section(heading), *rows]


def _row(part: GroupScore, *, has_school: bool) -> Block:
    score = part.score
    name = " · ".join([part.name, part.school or ""] if has_school else [part.name])
    facts = [f"{score_text.share(score)} of {display.plural(score.students, 'student')}"]
    facts += [f"{score.unreachable:,} with no adult we can reach"] if score.unreachable else []
    facts += [f"{display.plural(score.to_fix, 'contact')} to fix"] if score.to_fix else []
    text = f"{score_text.bar(score)} *{b.escaped(name, _MAX_NAME)}*\n{' · '.join(facts)}"
    open_list = b.button("Open list", OPEN_LIST, _list_of(part).text, label=f"Open list of {part.name}")
    return b.section(text, accessory=open_list)


def _list_of(part: GroupScore) -> Filter:
    if part.group.kind is GroupKind.SCHOOL:
        return Filter(school=part.name)
    if part.group.kind is GroupKind.GRADE:
        return Filter(grades=(part.group.grade or "",), school=part.school)
    return Filter(teacher=part.name, school=part.school)


def _command(kind: GroupKind | None) -> str:
    return f"{COMMAND} {_PLURALS[kind].lower()}" if kind else COMMAND


def _other_comparison(report: _Report) -> list[Block]:
    """Return the button from the grades of a school to its teachers, and back."""
    if report.school is None or report.kind not in {GroupKind.GRADE, GroupKind.TEACHER}:
        return []
    other = GroupKind.TEACHER if report.kind is GroupKind.GRADE else GroupKind.GRADE
    command = command_text(_command(other), Filter(school=report.school.name))
    return b.actions([b.button(f"Compare {_PLURALS[other].lower()}", f"{links.RUN_PREFIX}.0", command)])


def _notes(report: _Report) -> list[str]:
    notes = ["For the list as a file, open it and press *Download…*."]
    if report.counted is None:
        return ["Schools and weeks are compared once the first scores are stored.", *notes]
    stored = f"Counted each night, after each sync, and when a mass message is final; last {report.counted}."
    return [stored, *notes] if report.history else notes
