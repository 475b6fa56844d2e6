"""Which entries of the list a filter means, for one person. Names match the student or the listed contact, in any order and
in part.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, SQLColumnExpression, and_, any_, case, or_, select, true

from bot import access, grade, selection
from bot.access import Actor
from bot.cleanup_list.rows import reach_of
from bot.filters import Filter
from bot.models import Contact, ListEntry, Student, StudentContact


def matched(which: Filter, actor: Actor) -> Select[*tuple[Any, ...]]:
    """A row for each student and listed contact. Removed contacts are still among them: whoever asks who reaches the
    student learns who was removed at no extra cost.
    """
    rows = (
        access.students_for(actor)
        .with_only_columns(
            Student.id.label("student_id"),
            *(Student.given_name, Student.family_name, Student.grade, grade_order(Student.grade).label("grade_order")),
            *(ListEntry.contact_id, ListEntry.status),
        )
        .join(StudentContact, and_(StudentContact.student_id == Student.id, StudentContact.active))
        .join(ListEntry, ListEntry.contact_id == StudentContact.contact_id)
    )
    if which.names:
        rows = rows.join(Contact, Contact.id == ListEntry.contact_id)
    return rows.where(*_conditions(which, actor))


def found(which: Filter, actor: Actor) -> CTE:
    """Matched entries with how their student can be reached, without removed contacts.

    Each step is materialised: PostgreSQL would otherwise join the list with everybody's contacts before it narrows.
    """
    entries = matched(which, actor).cte("matched").prefix_with("MATERIALIZED")
    students = select(entries.c.student_id).distinct().subquery()
    reach = reach_of(students.c.student_id).lateral()
    reached = select(students.c.student_id, reach).join_from(students, reach, true()).cte("reached")
    listed = select(entries, reached.c.textable, reached.c.other_ways).join(
        reached, reached.c.student_id == entries.c.student_id
    )
    alone = [reached.c.textable == 0] if which.alone else []
    return (
        listed.where(entries.c.contact_id == any_(reached.c.contact_ids), *alone)
        .cte("found")
        .prefix_with("MATERIALIZED")
    )


def grade_order(level: SQLColumnExpression[str | None]) -> ColumnElement[int]:
    return case({one: grade.order(one) for one in grade.LEVELS}, value=level, else_=len(grade.LEVELS))


def _conditions(which: Filter, actor: Actor) -> Iterator[ColumnElement[bool]]:
    yield from selection.of_students(which, today=actor.today)
    if which.statuses:
        yield ListEntry.status.in_(which.statuses)
    if which.names:
        words = " ".join(which.names)
        yield or_(selection.has_words(Student.search, words), selection.has_words(Contact.search, words))
