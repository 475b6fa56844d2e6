"""Which entries of the list a filter means, for one person.

Names match the student or the listed contact, in any order and in part; a teacher is whoever teaches the student today.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, case, func, or_, select

from bot import access, grade
from bot.access import Actor, current
from bot.filters import Filter
from bot.models import (
    ClassStudent,
    ClassTeacher,
    Contact,
    ListEntry,
    School,
    Staff,
    Student,
    StudentContact,
    StudentSchool,
)
from bot.names import fold

_TITLES = {"mr", "mrs", "ms", "miss", "mx", "dr"}


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
    if which.grades:
        yield Student.grade.in_(which.grades)
    if which.statuses:
        yield ListEntry.status.in_(which.statuses)
    if which.names:
        words = " ".join(which.names)
        yield or_(_has_words(Student.search, words), _has_words(Contact.search, words))
    if which.school:
        yield Student.id.in_(_of_school(which.school))
    if which.teacher:
        yield Student.id.in_(_taught_by(which.teacher, actor))


def _has_words(folded: SQLColumnExpression[str], words: str) -> ColumnElement[bool]:
    """Folded words are letters and digits only, so none of them is a wildcard."""
    return and_(True, *(folded.contains(word) for word in fold(words).split()))


def _of_school(words: str) -> Select[int]:
    named = _has_words(func.folded_name(School.name, ""), words)
    return select(StudentSchool.student_id).join(School, School.id == StudentSchool.school_id).where(named)


def _taught_by(words: str, actor: Actor) -> Select[int]:
    name = " ".join(word for word in fold(words).split() if word not in _TITLES)
    return (
        select(ClassStudent.student_id)
        .join(ClassTeacher, ClassTeacher.class_id == ClassStudent.class_id)
        .join(Staff, Staff.id == ClassTeacher.staff_id)
        .where(_has_words(Staff.search, name))
        .where(current(ClassStudent, actor.today), current(ClassTeacher, actor.today))
    )
