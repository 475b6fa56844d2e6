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
    Subquery,
    TableValuedAlias,
    Text,
    and_,
    any_,
    column,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from bot import access, db, grade, selection
from bot.access import Reach, Sight
from bot.cleanup_list.rows import place_in, reach_of, severity
from bot.filters import Criteria, Criterion, Filter
from bot.models import Contact, ListEntry, Student, StudentContact


def values(which: Filter, sight: Sight) -> dict[str, Any]:
    """The parameters of a statement made of `listed` or `found`: what is asked for, and for whose eyes."""
    return {**sight.values, **selection.values(which, today=sight.today)}


# A plan for whatever name, which PostgreSQL would keep, takes seconds for a rare one.
_PLAN_ANEW = "plan_cache_mode = force_custom_plan"


def plan_for_names(session: Session, which: Filter) -> None:
    """Before a statement with the names of a filter, if it has any: until the transaction ends each is planned for those."""
    if which.names:
        db.plan_with(session, _PLAN_ANEW)


def listed(criteria: Criteria, reach: Reach, *also: ColumnElement[bool]) -> CTE:
    """A row for each student with entries that these criteria mean and of which `also` holds: how the student can be reached, the
    `contact_ids` of the entries with their `statuses`, and the `worst` of those. Removed contacts are not among them.

    The entries of a student are gathered before anybody asks who reaches the student, which tells at no extra cost who was
    removed: a join of the two would be one of everybody with everybody where PostgreSQL takes them for few.
    """
    gathered = _gathered(criteria, reach).where(*also).cte("gathered").prefix_with("MATERIALIZED")
    reached = reach_of(gathered.c.student_id).lateral("reached")
    entry = spread(gathered)
    kept = (
        select(
            func.array_agg(entry.c.contact_id).label("contact_ids"),
            func.array_agg(entry.c.status).label("statuses"),
            func.min(severity(entry.c.status)).label("worst"),
        )
        .where(entry.c.contact_id == any_(reached.c.contact_ids))
        .lateral("kept")
    )
    student = (one for one in gathered.c if one.name not in kept.c)
    alone = [reached.c.textable == 0] if Criterion.ALONE in criteria else []
    return (
        select(*student, reached.c.textable, reached.c.other_ways, kept)
        .join_from(gathered, reached, true())
        .join(kept, true())
        .where(kept.c.worst.is_not(None), *alone)
        .cte("listed")
        .prefix_with("MATERIALIZED")
    )


def found(criteria: Criteria, reach: Reach, *also: ColumnElement[bool]) -> Subquery:
    """The same with a row for each student and contact, `contact_id` and `status`."""
    students = listed(criteria, reach, *also)
    entry = spread(students)
    return select(students, entry).join(entry, true()).subquery("found")


def spread(students: CTE) -> TableValuedAlias:
    """The entries that were gathered of each student, one by one."""
    entries = func.unnest(students.c.contact_ids, students.c.statuses)
    return entries.table_valued(column("contact_id", BigInteger), column("status", Text)).render_derived("entry")


def _gathered(criteria: Criteria, reach: Reach) -> Select[*tuple[Any, ...]]:
    has_names = Criterion.NAMES in criteria
    rows = (
        access.students_within(reach, planned_once=not has_names)
        .with_only_columns(
            Student.id.label("student_id"),
            *(Student.given_name, Student.family_name, Student.grade, grade_order(Student.grade).label("grade_order")),
            func.array_agg(ListEntry.contact_id).label("contact_ids"),
            func.array_agg(ListEntry.status).label("statuses"),
        )
        .join(StudentContact, and_(StudentContact.student_id == Student.id, StudentContact.active))
        .join(ListEntry, ListEntry.contact_id == StudentContact.contact_id)
        .group_by(Student.id)
    )
    if has_names:
        rows = rows.join(Contact, Contact.id == ListEntry.contact_id)
    return rows.where(*_conditions(criteria))


def grade_order(level: SQLColumnExpression[str | None]) -> ColumnElement[int]:
    return place_in(grade.LEVELS, level)


def _conditions(criteria: Criteria) -> Iterator[ColumnElement[bool]]:
    yield from selection.conditions(criteria)
    if Criterion.STATUSES in criteria:
        yield ListEntry.status == any_(selection.STATUSES)
    if Criterion.NAMES in criteria:
        names = selection.NAMES
        yield selection.has_words(ListEntry.names, names)  # Few are left to ask their people.
        yield or_(selection.has_words(Student.search, names), selection.has_words(Contact.search, names))
