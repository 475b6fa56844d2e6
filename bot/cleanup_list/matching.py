"""Which entries of the list a filter means, for one person. Names match the student or the listed contact, in any order and
in part.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, case, or_

from bot import access, grade, selection
from bot.access import Actor
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


def grade_order(level: SQLColumnExpression[str | None]) -> ColumnElement[int]:
    return case({one: grade.order(one) for one in grade.LEVELS}, value=level, else_=len(grade.LEVELS))


def _conditions(which: Filter, actor: Actor) -> Iterator[ColumnElement[bool]]:
    yield from selection.of_students(which, today=actor.today)
    if which.statuses:
        yield ListEntry.status.in_(which.statuses)
    if which.names:
        words = " ".join(which.names)
        yield or_(selection.has_words(Student.search, words), selection.has_words(Contact.search, words))
