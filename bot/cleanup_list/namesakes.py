"""Whom a teacher's name may have meant: several who have it."""

from collections import defaultdict
from dataclasses import replace
from itertools import islice
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from bot import selection
from bot.access import Actor
from bot.cleanup_list.words import teachers_for
from bot.filters import Criterion, Filter
from bot.models import ClassTeacher, School, SchoolClass, Staff
from bot.names import fold

_MOST = 5


def namesakes(session: Session, which: Filter, *, actor: Actor) -> tuple[Filter, ...]:
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
        .where(Staff.id.in_(teachers_for(actor)), selection.has_words(Staff.search, selection.TEACHER))
        .params({Criterion.TEACHER: selection.patterns_of_a_person(words)})
        .distinct()
        .order_by("name", "school")
    )
