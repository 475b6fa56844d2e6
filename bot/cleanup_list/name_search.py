"""Names with a typo, and teachers' names that several people have.

The words of all names in the district are cached. They show that a name is unknown, and which words are similar to it, without
reading any person. People with a similar name are then read only from the list of the person who asks.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy import ARRAY, ColumnElement, Select, Text, func, literal, select
from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.cleanup_list.query import TEACHER, has_words, matching_entries, person_patterns, query_params
from bot.cleanup_list.vocabulary import cached_per_roster, visible_teachers
from bot.db.models.folding import full_name
from bot.db.models.messages import ListEntry
from bot.db.models.name_words import NameWord
from bot.db.models.roster import ClassTeacher, Contact, School, SchoolClass, Staff, Student
from bot.db.session import plan_for_names, use_indexes
from bot.domain.names import fold, search_words, word_parts
from bot.filters.filter import Criterion, Filter

_MAX_SUGGESTIONS = 5
_MAX_INDEXED_WORDS = 500
_LETTERS_PER_TYPO = 3


@dataclass(frozen=True)
class KnownNames:
    """The folded words of all names in the district; `text` is the same, joined by blanks."""

    words: tuple[str, ...]
    text: str

    def may_contain(self, names: Iterable[str]) -> bool:
        """Return whether each typed word is part of some name."""
        return all(part in self.text for word in search_words(" ".join(names)) for part in word_parts(word))

    def similar(self, typed: str) -> dict[str, int]:
        """Return the words that a folded one may have meant, with the number of typos: at most one for every three letters
        (`Riverra`, `Sofia` for Sophia, `Kaitlyn` for Caitlin); zero for a word that contains it.
        """
        cutoff = len(typed) // _LETTERS_PER_TYPO + 1
        near = process.extract(typed, self.words, scorer=OSA.distance, score_cutoff=cutoff, limit=None)
        likely = {word: typos for word, typos, _ in near if typos <= max(len(typed), len(word)) // _LETTERS_PER_TYPO}
        containing = (word for word in self.words if typed in word) if typed in self.text else ()
        return likely | dict.fromkeys(containing, 0)


def load_known_names(session: Session, *, roster: str | None) -> KnownNames:
    def load() -> KnownNames:
        words = tuple(session.scalars(select(NameWord.word)))
        return KnownNames(words, " ".join(words))

    return cached_per_roster(roster, "known names", load)


def similar_names(session: Session, which: Filter, *, actor: Actor, roster: str | None) -> tuple[Filter, ...]:
    """Return the filter with similar names that people on this person's list have, closest first, then by alphabet."""
    typed = fold(" ".join(which.names)).split()
    if not typed:
        return ()
    known = load_known_names(session, roster=roster)
    similar = [known.similar(word) for word in typed]
    if not all(similar):
        return ()
    plan_for_names(session)
    use_indexes(session)
    params = query_params(replace(which, names=()), actor)
    people = {words for row in session.execute(_names_like(similar, which, actor), params) for words in row}
    matches = {match for words in people if (match := _match(typed, similar, words.split())) and match[0]}
    # SQL folds the letters of some scripts differently; a suggestion that would not be found again is left out.
    findable = (names for _, names in sorted(matches) if all(fold(name) == name for name in names))
    capitalized = (tuple(f"{name[:1].upper()}{name[1:]}" for name in names) for names in findable)
    return tuple(replace(which, names=names, page=1) for names in capitalized)[:_MAX_SUGGESTIONS]


def _names_like(similar: Sequence[dict[str, int]], which: Filter, actor: Actor) -> Select[str, str]:
    """Select the words of the student's and the contact's name of each entry that has a similar word for each typed one."""
    criteria = replace(which, names=()).criteria
    entries = matching_entries(criteria, actor.level, *map(_has_one_of, similar))
    return (
        select(_name_words(Student), _name_words(Contact))
        .select_from(entries)
        .join(Student, Student.id == entries.c.student_id)
        .join(Contact, Contact.id == entries.c.contact_id)
        .distinct()
    )


def _name_words(person: type[Student | Contact]) -> ColumnElement[str]:
    return func.words_of_a_name(person.given_name, person.family_name, person.search)


def _has_one_of(words: dict[str, int]) -> ColumnElement[bool]:
    """Use the index, unless there are too many words to look up: one or two letters are part of a thousand names."""
    if len(words) > _MAX_INDEXED_WORDS:
        return literal(True)
    return func.string_to_array(ListEntry.names, " ").op("&&")(literal(list(words), ARRAY(Text)))


def _match(
    typed: Sequence[str], similar: Sequence[dict[str, int]], words: Sequence[str]
) -> tuple[int, tuple[str, ...]] | None:
    """Return the number of typos if this person was meant, and the corrected names; a word that is part of the name stays as typed."""
    typos, names = 0, []
    for word, near in zip(typed, similar, strict=True):
        candidates = [(near[candidate], candidate) for candidate in words if candidate in near]
        if not candidates:
            return None
        fewest, candidate = min(candidates)
        typos += fewest
        names.append(candidate if fewest else word)
    return typos, tuple(names)


def teacher_namesakes(session: Session, which: Filter, *, actor: Actor) -> tuple[Filter, ...]:
    """Return one filter per teacher and school, where the teacher of the filter (it has one) may be several people.

    Records of the SIS with the same email are one person.
    """
    schools: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    school_words = fold(which.school or "").split()
    for row in session.execute(_teachers_named(which.teacher or "", actor)):
        if all(word in fold(row.school) for word in school_words):
            schools[row.person, row.name].append(row.school)
    if len({person for person, _ in schools}) < 2:  # noqa: PLR2004
        return ()
    filters = (replace(which, teacher=name, school=places[0], page=1) for (_, name), places in schools.items())
    others = dict.fromkeys(candidate for candidate in filters if candidate != which)
    return tuple(islice(others, _MAX_SUGGESTIONS))


def _teachers_named(words: str, actor: Actor) -> Select[*tuple[Any, ...]]:
    """Select a row for each teacher of this person's students and each school where they teach."""
    name = full_name(Staff.given_name, Staff.family_name)
    person = func.coalesce(Staff.email, Staff.sourced_id)
    return (
        select(person.label("person"), name.label("name"), School.name.label("school"))
        .join(ClassTeacher, ClassTeacher.staff_id == Staff.id)
        .join(SchoolClass, SchoolClass.id == ClassTeacher.class_id)
        .join(School, School.id == SchoolClass.school_id)
        .where(Staff.id.in_(visible_teachers(actor)), has_words(Staff.search, TEACHER))
        .params({Criterion.TEACHER: person_patterns(words)})
        .distinct()
        .order_by("name", "school")
    )
