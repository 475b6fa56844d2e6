"""Whom a name may have meant: several teachers who have it, or people on the list whose name is nearly what was typed."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, product
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from bot import selection
from bot.access import Actor
from bot.cleanup_list.matching import found, matched, values
from bot.cleanup_list.words import teachers_for
from bot.filters import Criterion, Filter
from bot.models import ClassTeacher, Contact, ListEntry, School, SchoolClass, Staff, Student
from bot.names import fold

_MOST = 5
_NEAR_A_WORD = 4
_TRIED = 12
_LETTERS_A_SLIP = 3


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


def near_names(session: Session, which: Filter, *, actor: Actor) -> tuple[Filter, ...]:
    """The filter with names that somebody on this person's list has, nearest first; nothing where none is like those typed.

    One slip for each three letters: `Riverra`, `Sofia` for Sophia, `Kaitlyn` for Caitlin.
    """
    said = fold(" ".join(which.names)).split()
    if not said:
        return ()
    known = _words_on_the_list(session, replace(which, names=()), actor)
    like = [_like(word, known) for word in said]
    tried = (replace(which, names=names, page=1) for names in islice(_nearest_first(said, like), _TRIED))
    return tuple(one for one in tried if _is_anybody(session, one, actor))[:_MOST]


def _words_on_the_list(session: Session, which: Filter, actor: Actor) -> list[str]:
    """Folded, those with a hyphen both whole and in parts."""
    names = (Student.given_name, Student.family_name, Contact.given_name, Contact.family_name)
    words = func.string_to_table(func.concat_ws(" ", *names), " ")
    listed = matched(which.criteria, actor.reach).join(Contact, Contact.id == ListEntry.contact_id)
    written = session.scalars(listed.with_only_columns(words).distinct(), values(which, actor.sight))
    return list(dict.fromkeys(fold(part) for word in written for part in (word, *word.split("-"))))


def _is_anybody(session: Session, which: Filter, actor: Actor) -> bool:
    anybody = select(found(which.criteria, actor.reach).c.student_id).limit(1)
    return session.scalar(anybody, values(which, actor.sight)) is not None


def _like(word: str, known: Sequence[str]) -> list[str]:
    """The word itself where it is part of a name, and else the nearest ones; of two as near, the first of the alphabet."""
    if any(word in one for one in known):
        return [word]
    most = len(word) // _LETTERS_A_SLIP + 1
    near = process.extract(word, known, scorer=OSA.distance, score_cutoff=most, limit=None)
    in_order = sorted((slips, one) for one, slips, _ in near)
    likely = (one for slips, one in in_order if slips <= max(len(word), len(one)) // _LETTERS_A_SLIP)
    return list(islice(likely, _NEAR_A_WORD))


def _nearest_first(said: Sequence[str], like: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    far = sorted(product(*like), key=lambda names: sum(map(OSA.distance, said, names)))
    yield from (names for names in far if list(names) != list(said))
