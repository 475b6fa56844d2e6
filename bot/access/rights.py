"""Which students a person may see, and whether they may change contacts. Checked again at every request, never cached.

A teacher sees their own classes, a school role its schools, others the whole district; `bot.access.identity` says who a Slack user is. A
refusal never reveals whether a student exists.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Date,
    Select,
    SQLColumnExpression,
    and_,
    any_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from bot.db.models.roster import ClassStudent, ClassTeacher, Student, StudentSchool
from bot.db.models.views import effective_contacts
from bot.db.session import fetch_rows
from bot.errors import UserError

_IDS = ARRAY(BigInteger)


class AccessLevel(StrEnum):
    """How many students a person sees: those of their classes, of their schools, or of the whole district."""

    CLASSES = "classes"
    SCHOOLS = "schools"
    DISTRICT = "district"


@dataclass(frozen=True)
class Scope:
    """All that decides which students a person sees. People with equal scopes see the same, so it is a cache key, too."""

    level: AccessLevel
    school_ids: tuple[int, ...]
    staff_ids: tuple[int, ...]
    today: date

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of a statement built on `BOUND_PARAMS`."""
        return {"today": self.today, "school_ids": list(self.school_ids), "staff_ids": list(self.staff_ids)}


class AccessParams(NamedTuple):
    """A scope inside a statement: the values of one person, or placeholders."""

    today: ColumnElement[date]
    school_ids: ColumnElement[Any]
    staff_ids: ColumnElement[Any]


# Building a statement takes longer than running it. A statement that every command needs is built once with these placeholders
# (`@cache`) and executed with `Scope.params`; any other statement holds the values of its person.
BOUND_PARAMS = AccessParams(
    bindparam("today", type_=Date), bindparam("school_ids", type_=_IDS), bindparam("staff_ids", type_=_IDS)
)
# The same placeholders, hidden from the planner in a subquery: a generic plan is then as good as one for the given ids.
_HIDDEN_PARAMS = AccessParams(
    BOUND_PARAMS.today,
    *(cast(select(ids).scalar_subquery(), _IDS) for ids in (BOUND_PARAMS.school_ids, BOUND_PARAMS.staff_ids)),
)


@dataclass(frozen=True)
class Actor:
    """A person who may use the list. `today` is the district's date, because enrollments are dated.

    `staff_ids` has several ids where the SIS has a person once per school, and none for an admin who is not in the SIS.
    """

    user_id: str
    staff_ids: tuple[int, ...]
    name: str
    email: str
    level: AccessLevel
    school_ids: tuple[int, ...]
    may_edit: bool
    today: date
    may_export: bool = False

    @property
    def scope(self) -> Scope:
        staff_ids = () if self.level is AccessLevel.DISTRICT else self.staff_ids
        return Scope(self.level, self.school_ids, staff_ids, self.today)

    @property
    def access_params(self) -> AccessParams:
        scope = self.scope
        school_ids, staff_ids = (literal(list(ids), _IDS) for ids in (scope.school_ids, scope.staff_ids))
        return AccessParams(literal(scope.today), school_ids, staff_ids)


def visible_students(actor: Actor) -> Select[int]:
    """Return a query of the ids of the active students this person may see."""
    students = select(Student.id).where(Student.active)
    if actor.level is AccessLevel.DISTRICT:
        return students
    return students.where(Student.id.in_(_visible_ids(actor.level, actor.access_params)))


def is_visible(
    level: AccessLevel, student_id: SQLColumnExpression[int], *, generic_plan: bool = False
) -> ColumnElement[bool]:
    """Return the condition that an active student is visible, for a statement executed with `Scope.params`.

    With `generic_plan`, PostgreSQL looks students up by id in a plan that it keeps, where planning for each person takes longer
    than the rest. Not to be used where another condition leaves only a few students, as a name does.
    """
    if level is AccessLevel.DISTRICT:
        return true()
    if not generic_plan:
        return student_id.in_(_visible_ids(level, BOUND_PARAMS))
    return student_id == any_(func.array(_visible_ids(level, _HIDDEN_PARAMS, distinct=False).scalar_subquery()))


def _visible_ids(
    level: AccessLevel, params: AccessParams, *, distinct: bool = True
) -> Select[int] | CompoundSelect[int]:
    if level is AccessLevel.CLASSES:
        return taught_students(params)
    at_schools = select(StudentSchool.student_id).where(StudentSchool.school_id == any_(params.school_ids))
    # For a union, PostgreSQL starts from the school and the classes; for OR, it reads every student of the district.
    return at_schools.union(taught_students(params)) if distinct else at_schools.union_all(taught_students(params))


def can_see(level: AccessLevel, student_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Return the condition that a given student is visible, for a statement executed with `Scope.params`.

    It is evaluated from the student. The queries above, and EXISTS, would look at all students of a school.
    """
    if level is AccessLevel.DISTRICT:
        return true()
    in_class = (
        taught_students(BOUND_PARAMS).with_only_columns(true()).where(ClassStudent.student_id == student_id).limit(1)
    )
    if level is AccessLevel.CLASSES:
        return in_class.scalar_subquery()
    at_school = select(true()).where(
        StudentSchool.student_id == student_id, StudentSchool.school_id == any_(BOUND_PARAMS.school_ids)
    )
    return or_(at_school.limit(1).scalar_subquery(), in_class.scalar_subquery())


def taught_students(params: AccessParams) -> Select[int]:
    """Return a query of the ids of the students in a person's own classes today."""
    return (
        select(ClassStudent.student_id)
        .join(ClassTeacher, ClassTeacher.class_id == ClassStudent.class_id)
        .where(ClassTeacher.staff_id == any_(params.staff_ids))
        .where(is_current(ClassTeacher, params.today), is_current(ClassStudent, params.today))
    )


def is_current(enrollment: type[ClassStudent | ClassTeacher], today: date | ColumnElement[date]) -> ColumnElement[bool]:
    """Return the condition that an enrollment is valid today. Blank dates mean all the time of the class; the end is exclusive."""
    return and_(
        enrollment.active,
        func.coalesce(enrollment.begins_on, today) <= today,
        func.coalesce(enrollment.ends_on > today, true()),
    )


_STUDENT_ID, _CONTACT_ID = (bindparam(name, type_=BigInteger) for name in ("student_id", "contact_id"))


def require_student(session: Session, student_id: int, *, actor: Actor) -> None:
    """Refuse a student that this person may not see.

    Raises:
        UserError: the same sentence whether the student is hidden, inactive, or unknown.
    """
    visible = _visible_student(actor.level)
    if not fetch_rows(session, visible, {**actor.scope.params, "student_id": student_id}):
        sentence = "That student is not on your list anymore. Type /cleanup to see the list as it is now."
        raise UserError("access.no_student", sentence)


@cache
def _visible_student(level: AccessLevel) -> Select[int]:
    return select(Student.id).where(Student.id == _STUDENT_ID, Student.active, can_see(level, Student.id))


def require_contact(session: Session, contact_id: int, *, actor: Actor, student_id: int | None = None) -> None:
    """Refuse a contact of no student this person may see, or, with `student_id`, one that is not a contact of that student.

    Raises:
        UserError: the same sentence whether the contact is hidden, removed, or unknown.
    """
    visible = _visible_contact(actor.level, of_student=student_id is not None)
    params = {**actor.scope.params, "contact_id": contact_id, "student_id": student_id}
    if not fetch_rows(session, visible, params):
        sentence = "That contact is not on your list anymore. Type /cleanup to see the list as it is now."
        raise UserError("access.no_contact", sentence)


@cache
def _visible_contact(level: AccessLevel, *, of_student: bool) -> Select[int]:
    link = effective_contacts.c
    visible = select(link.contact_id).where(link.contact_id == _CONTACT_ID, can_see(level, link.student_id))
    return (visible.where(link.student_id == _STUDENT_ID) if of_student else visible).limit(1)


def require_editor(actor: Actor) -> None:
    """Refuse a person who may see the list but not change it.

    Raises:
        UserError: editing is for other roles.
    """
    if not actor.may_edit:
        sentence = "You can see this list, but changing contacts is for other roles here. Please ask your registrar."
        raise UserError("access.no_editor", sentence)


def may_import(actor: Actor) -> bool:
    """Return whether a person may import the results of mass messages, which are about families of many classes."""
    return actor.may_edit and actor.level is not AccessLevel.CLASSES


def require_importer(actor: Actor) -> None:
    """Refuse a person who may not import results.

    Raises:
        UserError: importing is for other roles.
    """
    if not may_import(actor):
        sentence = "Importing results is for the office of a school or the district. Please ask your registrar."
        raise UserError("access.no_importer", sentence)


def require_exporter(actor: Actor) -> None:
    """Refuse a person who may not export names and numbers as a file.

    Raises:
        UserError: exporting is for other roles, or for none.
    """
    if not actor.may_export:
        sentence = "Downloading changes as a file is for other roles here. Please ask your registrar."
        raise UserError("access.no_exporter", sentence)
