"""Which words a filter may use, for one person: the schools, teachers and grades of the students they may see."""

from collections.abc import Mapping
from functools import cache

from sqlalchemy import ARRAY, Select, Text, any_, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from bot import access
from bot.access import BOUND_PARAMS, AccessParams, Actor, Reach, Scope
from bot.cleanup_list.memory import cached_until_sync
from bot.cleanup_list.query import query_params
from bot.cleanup_list.student_filter import student_conditions
from bot.db.models.roster import ClassStudent, ClassTeacher, School, SchoolClass, Staff, Student, StudentSchool
from bot.domain.grade import LEVELS
from bot.filters.filter import Criteria, Filter
from bot.filters.vocabulary import Vocabulary

_NAME = (Staff.given_name + " " + Staff.family_name).label("name")


def load_vocabulary(session: Session, actor: Actor, mentioned: Mapping[str, str] | None = None) -> Vocabulary:
    """The schools and the teachers of this person's students, as a filter may name them.

    `mentioned` are colleagues' e-mails (lower case) by Slack user id; those who teach none of these students stay unknown.
    """
    known = cached_until_sync(session, _schools_and_teachers, actor.sight)
    return known.with_mentions(_mentions(session, actor, mentioned)) if mentioned else known


def _schools_and_teachers(session: Session, sight: Scope) -> Vocabulary:
    asked = (_schools(sight.reach), _names_of_teachers(sight.reach))
    schools, teachers = (tuple(session.scalars(statement, sight.values)) for statement in asked)
    return Vocabulary(schools, teachers)


def _mentions(session: Session, actor: Actor, mentioned: Mapping[str, str]) -> Mapping[str, str]:
    with_email = visible_teachers(actor).where(Staff.email.in_(mentioned.values()))
    found = session.execute(with_email.with_only_columns(Staff.email, _NAME).order_by(Staff.id.desc()))
    names = {row.email: row.name for row in found}  # Of somebody the SIS has twice, the name that it had first.
    return {user_id: names[email] for user_id, email in mentioned.items() if email in names}


@cache
def _schools(reach: Reach) -> Select[str]:
    schools = select(School.name).where(School.active).distinct().order_by(School.name)
    if reach is Reach.DISTRICT:
        return schools
    of_students = select(StudentSchool.school_id).where(
        StudentSchool.student_id.in_(access.taught_students(BOUND_PARAMS))
    )
    return schools.where(or_(School.id == any_(BOUND_PARAMS.school_ids), School.id.in_(of_students)))


@cache
def _names_of_teachers(reach: Reach) -> Select[str]:
    return _teachers(reach, BOUND_PARAMS).with_only_columns(_NAME).distinct().order_by(_NAME)


def visible_teachers(actor: Actor) -> Select[int]:
    """The ids of those who teach any of this person's students today."""
    return _teachers(actor.reach, actor.whose)


def _teachers(reach: Reach, whose: AccessParams) -> Select[int]:
    teaching = select(ClassTeacher.staff_id).where(access.is_current(ClassTeacher, whose.today))
    if reach is not Reach.DISTRICT:
        learning = select(ClassStudent.class_id).where(
            ClassStudent.student_id.in_(access.taught_students(whose)), access.is_current(ClassStudent, whose.today)
        )
        at_schools = select(SchoolClass.id).where(SchoolClass.school_id == any_(whose.school_ids))
        teaching = teaching.where(ClassTeacher.class_id.in_(learning.union(at_schools)))
    return select(Staff.id).where(Staff.active, Staff.id.in_(teaching))


def load_grades(session: Session, which: Filter, *, actor: Actor) -> tuple[str, ...]:
    """The levels that this person's students of the filter's school and teacher are in, lowest first."""
    place = Filter(school=which.school, teacher=which.teacher)
    return cached_until_sync(session, _levels, (place, actor.sight))


def _levels(session: Session, where: tuple[Filter, Scope]) -> tuple[str, ...]:
    place, sight = where
    held = set(session.scalars(_grades(place.criteria, sight.reach), query_params(place, sight)))
    return tuple(one for one in LEVELS if one in held)


@cache
def _grades(criteria: Criteria, reach: Reach) -> Select[str | None]:
    """Of the whole district a probe of the index for each level: counting its students for a menu would take too long."""
    if criteria or reach is not Reach.DISTRICT:
        students = access.visible_students_query(reach).where(*student_conditions(criteria))
        return students.with_only_columns(Student.grade).distinct()
    level = func.unnest(literal(list(LEVELS), ARRAY(Text))).column_valued("level")
    return select(level).where(exists().where(Student.active, Student.grade == level))
