"""Which entries of the list a filter means, for one person. Names match the student or the listed contact, in any order and
in part.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    SQLColumnExpression,
    Text,
    and_,
    any_,
    column,
    func,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.orm import Session

from bot import access, grade, selection
from bot.access import Reach, Sight
from bot.cleanup_list.rows import place_in, reach_of
from bot.filters import Criteria, Criterion, Filter
from bot.models import Contact, ListEntry, Student, StudentContact


def values(which: Filter, sight: Sight) -> dict[str, Any]:
    """The parameters of a statement made of `matched` or `found`: what is asked for, and for whose eyes."""
    return {**sight.values, **selection.values(which, today=sight.today)}


# A plan for whatever name, which PostgreSQL would keep, takes seconds for a rare one.
_PLAN_ANEW = text("SET LOCAL plan_cache_mode = force_custom_plan")


def plan_for_names(session: Session, which: Filter) -> None:
    """Before a statement with the names of a filter, if it has any: until the transaction ends each is planned for those."""
    if which.names:
        session.execute(_PLAN_ANEW)


def matched(criteria: Criteria, reach: Reach) -> Select[*tuple[Any, ...]]:
    """A row for each student and contact on the list that these criteria mean. Removed contacts are still among them:
    whoever asks who reaches the student learns who was removed at no extra cost.
    """
    has_names = Criterion.NAMES in criteria  # Fewer than anybody's students, and planned for anew.
    rows = (
        access.students_within(reach, few=not has_names)
        .with_only_columns(
            Student.id.label("student_id"),
            *(Student.given_name, Student.family_name, Student.grade, grade_order(Student.grade).label("grade_order")),
            *(ListEntry.contact_id, ListEntry.status),
        )
        .join(StudentContact, and_(StudentContact.student_id == Student.id, StudentContact.active))
        .join(ListEntry, ListEntry.contact_id == StudentContact.contact_id)
    )
    if has_names:
        rows = rows.join(Contact, Contact.id == ListEntry.contact_id)
    return rows.where(*_conditions(criteria))


def found(criteria: Criteria, reach: Reach, *also: ColumnElement[bool]) -> CTE:
    """Matched entries with how their student can be reached, without removed contacts. `also` must hold of them, too.

    The entries of a student are gathered before anybody asks who reaches the student, and spread out again afterwards: a join of
    the two would be one of everybody with everybody where PostgreSQL takes them for few.
    """
    entry = matched(criteria, reach).where(*also).subquery()
    student = (entry.c.student_id, entry.c.given_name, entry.c.family_name, entry.c.grade, entry.c.grade_order)
    gathered = (
        select(
            *student,
            func.array_agg(entry.c.contact_id).label("contact_ids"),
            func.array_agg(entry.c.status).label("statuses"),
        )
        .group_by(*student)
        .cte("gathered")
        .prefix_with("MATERIALIZED")
    )
    reached = reach_of(gathered.c.student_id).lateral()
    spread = func.unnest(gathered.c.contact_ids, gathered.c.statuses)
    listed = spread.table_valued(column("contact_id", BigInteger), column("status", Text)).render_derived()
    alone = [reached.c.textable == 0] if Criterion.ALONE in criteria else []
    return (
        select(
            *(gathered.c[one.name] for one in student),
            *(listed.c.contact_id, listed.c.status, reached.c.textable, reached.c.other_ways),
        )
        .join_from(gathered, reached, true())
        .join(listed, true())
        .where(listed.c.contact_id == any_(reached.c.contact_ids), *alone)
        .cte("found")
        .prefix_with("MATERIALIZED")
    )


def grade_order(level: SQLColumnExpression[str | None]) -> ColumnElement[int]:
    return place_in(grade.LEVELS, level)


def _conditions(criteria: Criteria) -> Iterator[ColumnElement[bool]]:
    yield from selection.of_students(criteria)
    if Criterion.STATUSES in criteria:
        yield ListEntry.status == any_(selection.STATUSES)
    if Criterion.NAMES in criteria:
        names = selection.NAMES
        yield selection.has_words(ListEntry.names, names)  # Few are left to ask their people.
        yield or_(selection.has_words(Student.search, names), selection.has_words(Contact.search, names))
