"""Why a list is empty: a student of that name is not on it, no student matches the filter, or everyone can be texted."""

from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, exists, or_, select, true
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import AccessLevel, Actor
from bot.cleanup_list.name_search import load_known_names
from bot.cleanup_list.query import NAMES, StudentRow, has_words, narrow_students, student_from_row
from bot.cleanup_list.student_columns import reachability_query, school_names, teacher_names
from bot.cleanup_list.vocabulary import load_grades
from bot.db.models.listed_students import ListedStudent
from bot.db.models.roster import Contact, Student
from bot.db.models.views import effective_contacts
from bot.db.session import plan_for_names
from bot.domain.names import fold
from bot.filters.filter import Filter
from bot.filters.vocabulary import Vocabulary

_ALL = Filter()


@dataclass(frozen=True)
class EmptyReason:
    """Why the list of `which` is empty.

    `without_students` is the level of a person who has no student at all; then there is no other reason.
    `unlisted` are students with the typed name who are not on the list. `unmet` are the parts of the filter that no student of
    this person meets; `alternatives` replace a school or teacher in it by one with a similar name, and grades by one that is near.
    """

    which: Filter
    unlisted: tuple[StudentRow, ...] = ()
    unmet: tuple[Filter, ...] = ()
    alternatives: tuple[Filter, ...] = ()
    without_students: AccessLevel | None = None


def explain_empty(
    session: Session, which: Filter, vocabulary: Vocabulary, *, actor: Actor, roster: str | None, limit: int
) -> EmptyReason:
    """Return why nothing matches, with at most `limit` unlisted students."""
    if not has_students(session, actor, roster=roster):
        return EmptyReason(which, without_students=actor.level)
    unmet = unmet_criteria(session, which, actor=actor, roster=roster)
    return EmptyReason(
        which=which,
        unlisted=find_unlisted_students(session, which, actor=actor, roster=roster, limit=limit),
        unmet=unmet,
        alternatives=tuple(other for part in unmet for other in _alternatives(which, part, vocabulary)),
    )


def _alternatives(which: Filter, part: Filter, vocabulary: Vocabulary) -> list[Filter]:
    if part == Filter(school=part.school):
        return [replace(which, school=name, page=1) for name in vocabulary.school_index.similar(part.school or "")]
    if part == Filter(teacher=part.teacher):
        return [replace(which, teacher=name, page=1) for name in vocabulary.teacher_index.similar(part.teacher or "")]
    if part == Filter(class_title=part.class_title):
        return [
            replace(which, class_title=title, page=1) for title in vocabulary.classes_like(fold(part.class_title or ""))
        ]
    if part == Filter(grades=part.grades):
        levels = dict.fromkeys(level for typed in part.grades for level in vocabulary.grades_near(typed))
        return [replace(which, grades=(level,), page=1) for level in levels]
    return []


def unmet_criteria(session: Session, which: Filter, *, actor: Actor, roster: str | None = None) -> tuple[Filter, ...]:
    """Return the parts of a filter (school, teacher, class, grades, letter) that no student of this person meets.

    If each part has students but no student meets them all, return one filter with all parts; if one does, return nothing. Names
    and SMS statuses are not considered.
    """
    parts = (
        *(Filter(school=which.school), Filter(teacher=which.teacher)),
        *(Filter(class_title=which.class_title), Filter(grades=which.grades), Filter(letter=which.letter)),
    )
    given = [part for part in parts if part != Filter()]
    together = which.student_part().with_page(1)
    if not given or has_students(session, actor, together, roster=roster):
        return ()
    return tuple(part for part in given if not has_students(session, actor, part, roster=roster)) or (together,)


def has_students(session: Session, actor: Actor, which: Filter = _ALL, *, roster: str | None = None) -> bool:
    """Return whether any student of this person matches a filter's grades, school, teacher, class, and letter."""
    grades = load_grades(session, which, actor=actor, roster=roster)
    if not which.letter and (which.grades or grades):  # The grades are cached, so most empty lists need no statement.
        return not which.grades or not set(which.grades).isdisjoint(grades)
    students = narrow_students(rights.visible_students(actor), which, today=actor.today)
    return session.scalar(students.limit(1)) is not None


def find_unlisted_students(
    session: Session, which: Filter, *, actor: Actor, roster: str | None, limit: int
) -> tuple[StudentRow, ...]:
    """Return the first students by name who, or whose contact, has the filter's names and who are not on the list; or those of
    the filter's student ids.

    A filter without both finds none. SMS statuses are not considered: a student who is not on the list has none.
    """
    if not (which.names or which.student_ids):
        return ()
    if which.names and not load_known_names(session, roster=roster).may_contain(which.names):
        return ()
    plan_for_names(session)
    on_list = exists().where(ListedStudent.id == Student.id)
    unlisted = rights.visible_students(actor).where(~on_list)
    if which.names:
        unlisted = unlisted.where(is_or_has_named(actor))
    by_name = (Student.family_name, Student.given_name, Student.id)
    first = (
        narrow_students(unlisted, which, today=actor.today)
        .with_only_columns(Student.id.label("student_id"), Student.given_name, Student.family_name, Student.grade)
        .order_by(*by_name)
        .limit(limit)
        .cte("first")
    )
    reachability = reachability_query(first.c.student_id).lateral()
    rows = (
        select(
            *(first, reachability),
            school_names(first.c.student_id).label("schools"),
            teacher_names(first.c.student_id, actor.today).label("teachers"),
        )
        .join_from(first, reachability, true())
        .order_by(first.c.family_name, first.c.given_name, first.c.student_id)
    )
    return tuple(map(student_from_row, session.execute(rows)))


def is_or_has_named(actor: Actor) -> ColumnElement[bool]:
    """Return the condition that a student, or a contact of theirs, has the filter's names.

    For the whole district, the contacts with these names are found first; else the contacts of each student are looked up.
    """
    adult = effective_contacts.c
    students = (
        select(adult.student_id).join(Contact, Contact.id == adult.contact_id).where(has_words(Contact.search, NAMES))
    )
    has_named = (
        Student.id.in_(students)
        if actor.level is AccessLevel.DISTRICT
        else Student.id == students.where(adult.student_id == Student.id).limit(1).scalar_subquery()
    )
    return or_(has_words(Student.search, NAMES), has_named)
