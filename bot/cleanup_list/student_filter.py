"""Which students a filter means, whoever asks: the conditions that the list and the digests share.

A teacher is whoever teaches the student today; schools and teachers are found by words of theirs, in part and in any order.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Select,
    SQLColumnExpression,
    Text,
    all_,
    any_,
    bindparam,
    func,
    select,
)

from bot import access
from bot.access import BOUND_PARAMS
from bot.db.models.roster import ClassStudent, ClassTeacher, School, Staff, Student, StudentSchool
from bot.domain.names import fold
from bot.filters.filter import Criteria, Criterion, Filter
from bot.filters.words import TITLES


def _texts(name: str) -> BindParameter[Any]:
    return bindparam(name, type_=ARRAY(Text))


GRADES, STATUSES, NAMES = _texts(Criterion.GRADES), _texts(Criterion.STATUSES), _texts(Criterion.NAMES)
TEACHER, SCHOOL = _texts(Criterion.TEACHER), _texts(Criterion.SCHOOL)


def narrow_students(students: Select[int], which: Filter, *, today: date) -> Select[int]:
    """Those of some students whom a filter means by grade, teacher and school. `today` is the district's date."""
    return students.where(*student_conditions(which.criteria)).params(filter_params(which, today=today))


def student_conditions(criteria: Criteria) -> Iterator[ColumnElement[bool]]:
    """What must hold of a student for these criteria, whatever they say: a statement of it takes the `values`. Names and SMS statuses
    are of contacts, too: whoever knows those adds them.
    """
    if Criterion.GRADES in criteria:
        yield Student.grade == any_(GRADES)
    if Criterion.SCHOOL in criteria:
        yield Student.id.in_(_of_school())
    if Criterion.TEACHER in criteria:
        yield Student.id.in_(_taught_by_teacher())


def filter_params(which: Filter, *, today: date) -> dict[str, Any]:
    """The parameters of a statement that narrows by a filter."""
    return {
        "today": today,
        Criterion.GRADES: list(which.grades),
        Criterion.STATUSES: [str(one) for one in which.statuses],
        Criterion.NAMES: patterns(" ".join(which.names)),
        Criterion.TEACHER: person_patterns(which.teacher or ""),
        Criterion.SCHOOL: patterns(which.school or ""),
    }


def has_words(folded: SQLColumnExpression[str], words: BindParameter[Any]) -> ColumnElement[bool]:
    """Whether a folded name holds all words of a parameter whose value is made by `patterns`."""
    return folded.like(all_(words))


def patterns(words: str) -> list[str]:
    """A pattern for each word. Folded words are letters and digits only, so none of them is a wildcard."""
    return [f"%{word}%" for word in fold(words).split()]


def person_patterns(words: str) -> list[str]:
    """The same for the name of a person, whatever title stands in it."""
    return patterns(" ".join(word for word in fold(words).split() if word not in TITLES))


def _of_school() -> Select[int]:
    named = has_words(func.folded_name(School.name, ""), SCHOOL)
    return select(StudentSchool.student_id).join(School, School.id == StudentSchool.school_id).where(named)


def _taught_by_teacher() -> Select[int]:
    return (
        select(ClassStudent.student_id)
        .join(ClassTeacher, ClassTeacher.class_id == ClassStudent.class_id)
        .join(Staff, Staff.id == ClassTeacher.staff_id)
        .where(has_words(Staff.search, TEACHER))
        .where(access.is_current(ClassStudent, BOUND_PARAMS.today), access.is_current(ClassTeacher, BOUND_PARAMS.today))
    )
