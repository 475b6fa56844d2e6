"""Columns of SQL about students, for any statement: how they can be reached, schools, teachers, and the orders of lists."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Function,
    Integer,
    Select,
    SQLColumnExpression,
    Text,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from bot.access import rights
from bot.db.models.base import ContactMethod
from bot.db.models.folding import full_name
from bot.db.models.roster import ClassStudent, ClassTeacher, School, SchoolClass, Staff, StudentSchool
from bot.db.models.views import effective_contacts, textable
from bot.domain import grade
from bot.domain.sms_status import NOT_CALLED, WORK_ORDER

_TEACHERS_IN_A_ROW = 3


def work_order(status: SQLColumnExpression[str]) -> ColumnElement[int]:
    return sort_position(WORK_ORDER, status)


def grade_order(level: SQLColumnExpression[str | None]) -> ColumnElement[int]:
    return sort_position(grade.LEVELS, level)


def sort_position(order: Sequence[str], value: SQLColumnExpression[Any]) -> ColumnElement[int]:
    """Return the position of a value in an order; unknown values come last. As literals: parameters would take longer to send."""
    positions: dict[Any, Any] = {
        literal_column(f"'{known}'", Text): literal_column(str(position)) for position, known in enumerate(order)
    }
    return case(positions, value=value, else_=literal_column(str(len(order)), Integer))


def has_other_way(adult: ReadOnlyColumnCollection[str, Any]) -> ColumnElement[bool]:
    """Return the condition that a contact gets calls or email; `adult` are the columns of `effective_contacts`, or the same ones.

    A call to an Inactive number reaches no one, or a stranger, as does one to the wrong person.
    """
    in_service = and_(adult.phone.is_not(None), adult.sms_status.in_(NOT_CALLED).is_not(True))
    return or_(
        and_(adult.method == ContactMethod.CALL, in_service),
        and_(adult.method == ContactMethod.EMAIL, adult.email.is_not(None)),
    )


def reachability_query(student_id: SQLColumnExpression[int]) -> Select[*tuple[Any, ...]]:
    """Select how many adults of a student can be texted, and whether one gets calls or email."""
    return select(
        func.count().filter(textable).label("textable"),
        func.coalesce(func.bool_or(has_other_way(effective_contacts.c)), False).label("other_ways"),
    ).where(effective_contacts.c.student_id == student_id)


def school_names(student_id: SQLColumnExpression[int]) -> Function[Any]:
    """Return the array of the names of a student's schools."""
    schools = select(School.name).join(StudentSchool, StudentSchool.school_id == School.id)
    return func.array(schools.where(StudentSchool.student_id == student_id).order_by(School.name).scalar_subquery())


def teacher_names(
    student_id: SQLColumnExpression[int], today: date | ColumnElement[date], *, family_only: bool = False
) -> Function[Any]:
    """Return the array of the names of a student's teachers today: homeroom first, then primary teachers."""
    family = func.coalesce(func.nullif(Staff.family_name, ""), Staff.given_name)
    teachers = (
        select(family if family_only else full_name(Staff.given_name, Staff.family_name))
        .join(ClassTeacher, ClassTeacher.staff_id == Staff.id)
        .join(ClassStudent, ClassStudent.class_id == ClassTeacher.class_id)
        .join(SchoolClass, SchoolClass.id == ClassTeacher.class_id)
        .where(ClassStudent.student_id == student_id, *both_current(today))
        .group_by(Staff.id)
        .order_by(func.bool_or(SchoolClass.homeroom).desc(), func.bool_or(ClassTeacher.is_primary).desc(), Staff.search)
        .limit(_TEACHERS_IN_A_ROW)
    )
    return func.array(teachers.scalar_subquery())


def both_current(today: date | ColumnElement[date]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return rights.is_current(ClassStudent, today), rights.is_current(ClassTeacher, today)
