"""Whom a teacher's name may have meant: several who have it."""

from collections import defaultdict
from dataclasses import replace
from itertools import islice
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from bot.access import Actor
from bot.cleanup_list import student_filter
from bot.cleanup_list.student_filter import has_words, person_patterns
from bot.cleanup_list.vocabulary import visible_teachers
from bot.db.models.roster import ClassTeacher, School, SchoolClass, Staff
from bot.domain.names import fold
from bot.filters.filter import Criterion, Filter

_MOST = 5


def teacher_namesakes(session: Session, which: Filter, *, actor: Actor) -> tuple[Filter, ...]:
    """A filter for each teacher, told apart by school, where the filter's teacher is several people; nothing otherwise.

    A person whom the SIS has once for each school is one person if their e-mail is the same.
    """
    if not which.teacher:
        return ()
    schools: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    wanted = fold(which.school or "").split()
    for row in session.execute(_teachers_named(which.teacher, actor)):
        if all(word in fold(row.school) for word in wanted):
            schools[row.person, row.name].append(row.school)
    if len({person for person, _ in schools}) < 2:  # noqa: PLR2004
        return ()
    apart = (replace(which, teacher=name, school=places[0], page=1) for (_, name), places in schools.items())
    return tuple(islice(dict.fromkeys(one for one in apart if one != which), _MOST))


def _teachers_named(words: str, actor: Actor) -> Select[*tuple[Any, ...]]:
    """A row for each teacher of this person's students and each school that they teach at."""
    name = Staff.given_name + " " + Staff.family_name
    person = func.coalesce(Staff.email, Staff.sourced_id)
    return (
        select(person.label("person"), name.label("name"), School.name.label("school"))
        .join(ClassTeacher, ClassTeacher.staff_id == Staff.id)
        .join(SchoolClass, SchoolClass.id == ClassTeacher.class_id)
        .join(School, School.id == SchoolClass.school_id)
        .where(Staff.id.in_(visible_teachers(actor)), has_words(Staff.search, student_filter.TEACHER))
        .params({Criterion.TEACHER: person_patterns(words)})
        .distinct()
        .order_by("name", "school")
    )
