"""Which students a filter means, whoever asks: the conditions that the list and the digests share.

A teacher is whoever teaches the student today; schools and teachers are found by words of theirs, in part and in any order.
"""

from collections.abc import Iterator
from datetime import date

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, func, select

from bot.access import current
from bot.filters import TITLES, Filter
from bot.models import ClassStudent, ClassTeacher, School, Staff, Student, StudentSchool
from bot.names import fold


def of_students(which: Filter, *, today: date) -> Iterator[ColumnElement[bool]]:
    """What must hold of a student by grade, school and teacher; nothing where the filter says nothing of them.

    Names and SMS statuses are of contacts, too; whoever knows the contacts adds those. `today` is the district's date.
    """
    if which.grades:
        yield Student.grade.in_(which.grades)
    if which.school:
        yield Student.id.in_(_of_school(which.school))
    if which.teacher:
        yield Student.id.in_(_taught_by(which.teacher, today))


def is_called(folded: SQLColumnExpression[str], words: str) -> ColumnElement[bool]:
    """Whether a person's folded name holds these words, whatever title stands among them."""
    return has_words(folded, " ".join(word for word in fold(words).split() if word not in TITLES))


def has_words(folded: SQLColumnExpression[str], words: str) -> ColumnElement[bool]:
    """Folded words are letters and digits only, so none of them is a wildcard."""
    return and_(True, *(folded.contains(word) for word in fold(words).split()))


def _of_school(words: str) -> Select[int]:
    named = has_words(func.folded_name(School.name, ""), words)
    return select(StudentSchool.student_id).join(School, School.id == StudentSchool.school_id).where(named)


def _taught_by(words: str, today: date) -> Select[int]:
    return (
        select(ClassStudent.student_id)
        .join(ClassTeacher, ClassTeacher.class_id == ClassStudent.class_id)
        .join(Staff, Staff.id == ClassTeacher.staff_id)
        .where(is_called(Staff.search, words))
        .where(current(ClassStudent, today), current(ClassTeacher, today))
    )
