"""The words that a filter may use, for one person: schools, teachers, and grades of the students they may see.

Only a sync changes them, so they are cached per version of the roster (`Freshness.roster`), for all people with the same scope.
"""

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from threading import Lock
from typing import TypeVar

from cachetools import LRUCache
from sqlalchemy import ARRAY, CompoundSelect, Select, Text, any_, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import AccessLevel, Actor
from bot.cleanup_list.query import narrow_students
from bot.db.models.folding import full_name
from bot.db.models.roster import ClassStudent, ClassTeacher, School, SchoolClass, Staff, Student, StudentSchool
from bot.domain.grade import LEVELS
from bot.domain.names import INITIALS
from bot.filters.filter import Filter, quotable
from bot.filters.vocabulary import Vocabulary

Value = TypeVar("Value")

# One school's words take about 40 kB; all scopes of a process share these places.
_cache: LRUCache[Hashable, object] = LRUCache(maxsize=1_000)
_cache_lock = Lock()
_HAS_DIGIT = re.compile(r"\d")
_AROUND_WORD = ".,:;()[]{}#*\"'"
_NAME = full_name(Staff.given_name, Staff.family_name).label("name")


def cached_per_roster(roster: str | None, key: Hashable, load: Callable[[], Value]) -> Value:
    """Return the value cached for this version of the roster, or load it. Without a version nothing is cached."""
    if roster is None:
        return load()
    with _cache_lock:
        value = _cache.get((roster, key))
    if value is None:
        value = load()
        with _cache_lock:
            _cache[roster, key] = value
    return value  # type: ignore[return-value]


def clear_cache() -> None:
    """Forget everything, for tests that build one roster after another."""
    with _cache_lock:
        _cache.clear()


def load_vocabulary(
    session: Session, actor: Actor, mentioned: Mapping[str, str] | None = None, *, roster: str | None = None
) -> Vocabulary:
    """Return the schools, teachers, grades, and classes of this person's students, from the cache for a given version of the roster.

    `mentioned` are colleagues' emails (lower case) by Slack user id; those who teach none of these students stay unknown.
    """
    vocabulary = cached_per_roster(
        roster,
        ("vocabulary", actor.scope),
        lambda: Vocabulary(
            schools=tuple(session.scalars(_schools(actor))),
            teachers=tuple(session.scalars(_teacher_names(actor))),
            grades=load_grades(session, Filter(), actor=actor, roster=roster),
            classes=_class_words(session.scalars(_class_titles(actor))),
        ),
    )
    return vocabulary.with_mentions(_mentions(session, actor, mentioned)) if mentioned else vocabulary


def _mentions(session: Session, actor: Actor, mentioned: Mapping[str, str]) -> Mapping[str, str]:
    with_email = visible_teachers(actor).where(Staff.email.in_(mentioned.values()))
    rows = session.execute(with_email.with_only_columns(Staff.email, _NAME).order_by(Staff.id.desc()))
    names = {row.email: row.name for row in rows}  # The first record counts where the SIS has a person twice.
    return {user_id: names[email] for user_id, email in mentioned.items() if email in names}


def _schools(actor: Actor) -> Select[str]:
    schools = select(School.name).where(School.active).distinct().order_by(School.name)
    if actor.level is AccessLevel.DISTRICT:
        return schools
    params = actor.access_params
    of_students = select(StudentSchool.school_id).where(StudentSchool.student_id.in_(rights.taught_students(params)))
    return schools.where(or_(School.id == any_(params.school_ids), School.id.in_(of_students)))


def _teacher_names(actor: Actor) -> Select[str]:
    return visible_teachers(actor).with_only_columns(_NAME).distinct().order_by(_NAME)


def visible_teachers(actor: Actor) -> Select[int]:
    """Return a query of the staff ids of those who teach any of this person's students today."""
    params = actor.access_params
    teaching = select(ClassTeacher.staff_id).where(rights.is_current(ClassTeacher, params.today))
    if actor.level is not AccessLevel.DISTRICT:
        teaching = teaching.where(ClassTeacher.class_id.in_(_visible_classes(actor)))
    return select(Staff.id).where(Staff.active, Staff.id.in_(teaching))


def _visible_classes(actor: Actor) -> CompoundSelect[int]:
    """Return a query of the ids of the classes at this person's schools, and of those of the students they teach."""
    params = actor.access_params
    own_classes = select(ClassStudent.class_id).where(
        ClassStudent.student_id.in_(rights.taught_students(params)), rights.is_current(ClassStudent, params.today)
    )
    return own_classes.union(select(SchoolClass.id).where(SchoolClass.school_id == any_(params.school_ids)))


def _class_titles(actor: Actor) -> Select[str]:
    """Return a query of the titles with a digit. Others are words that may be names."""
    titles = select(SchoolClass.title).where(SchoolClass.active, SchoolClass.title.regexp_match("[0-9]")).distinct()
    if actor.level is not AccessLevel.DISTRICT:
        titles = titles.where(SchoolClass.id.in_(_visible_classes(actor)))
    return titles.order_by(SchoolClass.title)


def _class_words(titles: Iterable[str]) -> tuple[str, ...]:
    words = dict.fromkeys(word.strip(_AROUND_WORD) for title in titles for word in title.split())
    # A word that a filter cannot hold would find nothing.
    return tuple(word for word in words if _HAS_DIGIT.search(word) and quotable(word) == word)


def load_grades(session: Session, which: Filter, *, actor: Actor, roster: str | None) -> tuple[str, ...]:
    """Return the grades of this person's students at the filter's school, of its teacher, and in its class, lowest first."""
    place = Filter(school=which.school, teacher=which.teacher, class_title=which.class_title)

    def load() -> tuple[str, ...]:
        present = set(session.scalars(_grades(place, actor)))
        return tuple(level for level in LEVELS if level in present)

    return cached_per_roster(roster, ("grades", place, actor.scope), load)


def load_letters(session: Session, which: Filter, *, actor: Actor, roster: str | None) -> tuple[str, ...]:
    """Return the first letters of the last names of this person's students, narrowed as for the grades and by them; for a whole
    district every letter, as looking would take too long.
    """
    place = Filter(grades=which.grades, school=which.school, teacher=which.teacher, class_title=which.class_title)
    if actor.level is AccessLevel.DISTRICT and not place.criteria:
        return tuple(INITIALS)

    def load() -> tuple[str, ...]:
        students = narrow_students(rights.visible_students(actor), place, today=actor.today)
        present = set(session.scalars(students.with_only_columns(func.left(Student.family_name, 1)).distinct()))
        return tuple(letter for letter, written in INITIALS.items() if not present.isdisjoint(written))

    return cached_per_roster(roster, ("letters", place, actor.scope), load)


def _grades(place: Filter, actor: Actor) -> Select[str | None]:
    if place.criteria or actor.level is not AccessLevel.DISTRICT:
        students = narrow_students(rights.visible_students(actor), place, today=actor.today)
        return students.with_only_columns(Student.grade).distinct()
    # For the whole district, one index probe per level: counting its students for a menu would take too long.
    level = func.unnest(literal(list(LEVELS), ARRAY(Text))).column_valued("level")
    return select(level).where(exists().where(Student.active, Student.grade == level))
