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

from bot import access
from bot.access import Reach, Scope
from bot.cleanup_list import student_filter
from bot.cleanup_list.rows import reachability_query, severity, sort_position
from bot.cleanup_list.student_filter import filter_params, has_words, student_conditions
from bot.db.models.messages import ListEntry
from bot.db.models.roster import Contact, Student, StudentContact
from bot.db.session import set_local
from bot.domain import grade
from bot.filters.filter import Criteria, Criterion, Filter


def query_params(which: Filter, sight: Scope) -> dict[str, Any]:
    """The parameters of a statement made of `listed` or `found`: what is asked for, and for whose eyes."""
    return {**sight.values, **filter_params(which, today=sight.today)}


# A plan for whatever name, which PostgreSQL would keep, takes seconds for a rare one.
_PLAN_ANEW = "plan_cache_mode = force_custom_plan"


def plan_for_names(session: Session, which: Filter) -> None:
    """Before a statement with the names of a filter, if it has any: until the transaction ends each is planned for those."""
    if which.names:
        set_local(session, _PLAN_ANEW)


def matching_students(criteria: Criteria, reach: Reach, *also: ColumnElement[bool]) -> CTE:
    """A row for each student with entries that these criteria mean and of which `also` holds: how the student can be reached, the
    `contact_ids` of the entries with their `statuses`, and the `worst` of those. Removed contacts are not among them.

    The entries of a student are gathered before anybody asks who reaches the student, which tells at no extra cost who was
    removed: a join of the two would be one of everybody with everybody where PostgreSQL takes them for few.
    """
    gathered = _gathered(criteria, reach).where(*also).cte("gathered").prefix_with("MATERIALIZED")
    reached = reachability_query(gathered.c.student_id).lateral("reached")
    entry = unnest_entries(gathered)
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
    alone = [reached.c.textable == 0] if Criterion.NO_ADULT in criteria else []
    return (
        select(*student, reached.c.textable, reached.c.other_ways, kept)
        .join_from(gathered, reached, true())
        .join(kept, true())
        .where(kept.c.worst.is_not(None), *alone)
        .cte("listed")
        .prefix_with("MATERIALIZED")
    )


def matching_entries(criteria: Criteria, reach: Reach, *also: ColumnElement[bool]) -> Subquery:
    """The same with a row for each student and contact, `contact_id` and `status`."""
    students = matching_students(criteria, reach, *also)
    entry = unnest_entries(students)
    return select(students, entry).join(entry, true()).subquery("found")


def unnest_entries(students: CTE) -> TableValuedAlias:
    """The entries that were gathered of each student, one by one."""
    entries = func.unnest(students.c.contact_ids, students.c.statuses)
    return entries.table_valued(column("contact_id", BigInteger), column("status", Text)).render_derived("entry")


def _gathered(criteria: Criteria, reach: Reach) -> Select[*tuple[Any, ...]]:
    has_names = Criterion.NAMES in criteria
    rows = (
        access.visible_students_query(reach, planned_once=not has_names)
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
    return sort_position(grade.LEVELS, level)


def _conditions(criteria: Criteria) -> Iterator[ColumnElement[bool]]:
    yield from student_conditions(criteria)
    if Criterion.STATUSES in criteria:
        yield ListEntry.status == any_(student_filter.STATUSES)
    if Criterion.NAMES in criteria:
        names = student_filter.NAMES
        yield has_words(ListEntry.names, names)  # Few are left to ask their people.
        yield or_(has_words(Student.search, names), has_words(Contact.search, names))
