"""Read the stored scores: of one group day by day, of the groups that a person may see, and who fixed how many contacts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    Date,
    Float,
    Select,
    and_,
    any_,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import INTERVAL
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.elements import ColumnElement

from bot.access import rights
from bot.access.rights import AccessLevel, Actor
from bot.cleanup_list.query import SCHOOL, has_words, word_patterns
from bot.cleanup_list.student_columns import grade_order
from bot.db.models.folding import full_name
from bot.db.models.messages import ListChange, ListEntry, ListMove, MassMessage
from bot.db.models.roster import School, Staff
from bot.db.models.scores import ReachabilityScore
from bot.db.models.slack import SlackUser
from bot.db.models.views import effective_contacts
from bot.domain import grade
from bot.filters.filter import Criterion
from bot.reachability.count import NUMBERS
from bot.reachability.score import DayScore, Group, GroupKind, GroupScore, Score

MOST_POINTS = 20  # Slack's charts hold no more.
DISTRICT_NAME = "All schools"


@dataclass(frozen=True)
class Fixer:
    """A member of staff (a Slack user id, and a name), and how many contacts they fixed."""

    user_id: str
    name: str
    contacts: int


def newest_day(session: Session) -> date | None:
    """Return the newest day with scores."""
    return session.scalar(select(func.max(ReachabilityScore.day)))


def load_history(session: Session, group: Group, *, since: date) -> tuple[DayScore, ...]:
    """Return the scores of a group, oldest first, one a day; a day without scores is left out. The caller has checked access."""
    newest = select(func.max(ReachabilityScore.day)).scalar_subquery()
    # Each day is looked up by the whole primary key: a day of a large district has tens of thousands of rows.
    days = (
        func.generate_series(literal(since), newest, literal(timedelta(days=1), INTERVAL))
        .table_valued("day")
        .render_derived("days")
    )
    rows = select(ReachabilityScore).join_from(days, ReachabilityScore, _is_group(group, cast(days.c.day, Date)))
    return tuple(DayScore(row.day, _score(row)) for row in session.scalars(rows.order_by(ReachabilityScore.day)))


def _is_group(group: Group, day: ColumnElement[date]) -> ColumnElement[bool]:
    row = ReachabilityScore
    return and_(
        *(row.day == day, row.kind == group.kind, row.school_id == (group.school_id or 0)),
        *(row.grade == (group.grade or ""), row.staff_id == (group.staff_id or 0)),
    )


def _score(row: Any) -> Score:
    return Score(*(getattr(row, name) for name in NUMBERS))


def thin_out(scores: Sequence[DayScore], *, points: int = MOST_POINTS) -> tuple[DayScore, ...]:
    """Return at most so many of the scores, evenly spaced, always with the first and the last one."""
    if len(scores) <= points:
        return tuple(scores)
    last = len(scores) - 1
    return tuple(scores[number * last // (points - 1)] for number in range(points))


def _day_before(newest: ColumnElement[date], *, weeks: int) -> ColumnElement[date]:
    """Return the day with scores that is so many weeks before, or up to a week earlier where there are none."""
    latest = newest - 7 * weeks
    days = select(func.max(ReachabilityScore.day)).where(ReachabilityScore.day.between(latest - 6, latest))
    return days.scalar_subquery()


def load_groups(
    session: Session,
    kind: GroupKind,
    *,
    actor: Actor,
    weeks: int = 4,
    school_id: int | None = None,
    lowest: int | None = None,
    offset: int = 0,
) -> tuple[GroupScore, ...]:
    """Return the groups of a kind on the newest day, as far as the actor may see them, each with its score some weeks before.

    Schools and teachers come by name, grades from the lowest. With `school_id`, only groups of that school; with
    `lowest`, so many with the lowest shares after the first `offset`, the lowest first.
    """
    condition = is_visible(kind, actor)
    _, groups = _load_groups(session, kind, condition, weeks=weeks, school_id=school_id, lowest=lowest, offset=offset)
    return groups


def count_visible_groups(session: Session, kind: GroupKind, *, actor: Actor, school_id: int | None = None) -> int:
    """Return the number of groups that `load_groups` has without a limit."""
    groups = _newest(select(func.count()).select_from(ReachabilityScore), kind, is_visible(kind, actor), school_id)
    return session.scalar(groups) or 0


def load_every_group(
    session: Session, kind: GroupKind, *, weeks: int = 4, school_id: int | None = None
) -> tuple[date | None, tuple[GroupScore, ...]]:
    """Return the newest day and all groups as `load_groups` does, for readers who get counts only."""
    return _load_groups(session, kind, true(), weeks=weeks, school_id=school_id)


def _load_groups(
    session: Session,
    kind: GroupKind,
    condition: ColumnElement[bool],
    *,
    weeks: int,
    school_id: int | None,
    lowest: int | None = None,
    offset: int = 0,
) -> tuple[date | None, tuple[GroupScore, ...]]:
    newest = select(func.max(ReachabilityScore.day)).scalar_subquery()
    row, before = ReachabilityScore, aliased(ReachabilityScore)
    same_group = and_(
        before.day == _day_before(newest, weeks=weeks),
        *(getattr(before, name) == getattr(row, name) for name in ("kind", "school_id", "grade", "staff_id")),
    )
    teacher = full_name(Staff.given_name, Staff.family_name).label("teacher")
    scores = select(row, before, School.name.label("school"), teacher).outerjoin(before, same_group)
    by_name = grade_order(row.grade), Staff.search, School.name, row.school_id, row.staff_id
    by_share = [] if lowest is None else [cast(row.textable, Float) / row.students]
    groups = _newest(scores, kind, condition, school_id).order_by(*by_share, *by_name)
    if lowest is not None:
        groups = groups.limit(lowest).offset(offset)
    rows = session.execute(groups).all()
    return rows[0][0].day if rows else newest_day(session), tuple(_group_score(*each) for each in rows)


def _newest(
    scores: Select[*tuple[Any, ...]], kind: GroupKind, condition: ColumnElement[bool], school_id: int | None
) -> Select[*tuple[Any, ...]]:
    """Narrow a query of scores to those of the newest day that are shown, with their `School` and `Staff`."""
    row = ReachabilityScore
    groups = (
        scores.outerjoin(School, School.id == row.school_id)
        .outerjoin(Staff, Staff.id == row.staff_id)
        .where(row.day == select(func.max(row.day)).scalar_subquery(), row.kind == kind, condition, row.students > 0)
        .where(or_(row.school_id == 0, School.active), or_(row.staff_id == 0, Staff.active))
    )
    return groups if school_id is None else groups.where(row.school_id == school_id)


def is_visible(kind: GroupKind, actor: Actor) -> ColumnElement[bool]:
    """Return the condition that the actor may see a group of this kind: a whole school, or their own students."""
    if actor.level is AccessLevel.DISTRICT:
        return true()
    own = ReachabilityScore.staff_id == any_(actor.access_params.staff_ids) if kind is GroupKind.TEACHER else false()
    at_school = ReachabilityScore.school_id == any_(actor.access_params.school_ids)
    return or_(own, at_school) if actor.level is AccessLevel.SCHOOLS and kind is not GroupKind.DISTRICT else own


def _group_score(row: Any, before: Any, school: str | None, teacher: str | None) -> GroupScore:
    kind = GroupKind(row.kind)
    group = Group(kind, row.school_id or None, row.grade or None, row.staff_id or None)
    name = {
        GroupKind.DISTRICT: DISTRICT_NAME,
        GroupKind.SCHOOL: school,
        GroupKind.GRADE: grade.title(row.grade) if row.grade else None,
        GroupKind.TEACHER: teacher,
    }[kind]
    of_school = school if kind in {GroupKind.GRADE, GroupKind.TEACHER} else None
    return GroupScore(group, name or "", _score(row), _score(before) if before else None, of_school)


def find_schools(session: Session, words: str) -> Sequence[School]:
    """Return the schools with all these words in their names; only one that is called exactly so, if there is one."""
    named = has_words(func.folded_name(School.name, ""), SCHOOL)
    schools = session.scalars(
        select(School).where(School.active, named).order_by(School.name), {Criterion.SCHOOL: word_patterns(words)}
    ).all()
    exact = [school for school in schools if school.name == words]
    return exact or schools


def load_fixed_by(session: Session, *, actor: Actor, since: datetime) -> tuple[Fixer, ...]:
    """Return who fixed contacts of the actor's students since then, most first.

    A contact counts once for a person: their change waits for the next mass message, or a message was delivered thanks to it.
    """
    fixes = union(_confirmed_since(since), _waiting_since(since)).subquery("fixes")
    staff = (
        select(full_name(Staff.given_name, Staff.family_name))
        .where(Staff.email == SlackUser.email, Staff.active)
        .order_by(Staff.id)
        .limit(1)
        .scalar_subquery()
    )
    link = effective_contacts.c
    seen = exists().where(link.contact_id == fixes.c.contact_id, link.student_id.in_(rights.visible_students(actor)))
    rows = (
        select(
            fixes.c.user_id,
            func.coalesce(staff, SlackUser.email, fixes.c.user_id).label("name"),
            func.count().label("contacts"),
        )
        .join(SlackUser, SlackUser.user_id == fixes.c.user_id)  # The sync changes entries, too.
        .where(seen)
        .group_by(fixes.c.user_id, SlackUser.email)
        .order_by(func.count().desc(), "name", fixes.c.user_id)
    )
    return tuple(Fixer(*row) for row in session.execute(rows))


def _confirmed_since(since: datetime) -> Select[*tuple[Any, ...]]:
    return (
        select(ListChange.fixed_by.label("user_id"), ListChange.contact_id)
        .join(MassMessage, MassMessage.id == ListChange.mass_message_id)
        .where(ListChange.move == ListMove.LEFT, ListChange.fixed_by.is_not(None), MassMessage.settled_at >= since)
    )


def _waiting_since(since: datetime) -> Select[*tuple[Any, ...]]:
    fixed = ListEntry.updated_at >= since, ListEntry.updated_by.is_not(None)
    return select(ListEntry.updated_by, ListEntry.contact_id).where(*fixed)


def own_group(actor: Actor) -> Group | None:
    """Return the group of all students that a person sees; None for a teacher, and for a person of several schools."""
    if actor.level is AccessLevel.DISTRICT:
        return Group(GroupKind.DISTRICT)
    if actor.level is AccessLevel.SCHOOLS and len(actor.school_ids) == 1:
        return Group(GroupKind.SCHOOL, school_id=actor.school_ids[0])
    return None
