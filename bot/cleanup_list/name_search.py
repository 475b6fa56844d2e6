"""People on the list whose name is nearly what was typed, where nobody's is."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import ARRAY, ColumnElement, Select, Text, func, literal, select
from sqlalchemy.orm import Session

from bot.access import Actor
from bot.cleanup_list.known_names import load_known_names
from bot.cleanup_list.query import matching_entries, plan_for_names, query_params
from bot.db.models.messages import ListEntry
from bot.db.models.roster import Contact, Student
from bot.db.session import set_local
from bot.domain.names import fold
from bot.filters.filter import Filter

_MOST = 5
_WORDS_ASKED = 500
# The planner takes each look into an index for a wait on a disk, and reads the whole list instead; it lies in memory.
_LOOK_UP = "random_page_cost = 1.1"


def similar_names(session: Session, which: Filter, *, actor: Actor) -> tuple[Filter, ...]:
    """The filter with names that somebody on this person's list has, nearest first and then by the alphabet; nothing where none
    is like those typed.
    """
    said, known = fold(" ".join(which.names)).split(), load_known_names(session)
    like = [known.like(word) for word in said]
    if not said or not all(like):
        return ()
    plan_for_names(session, which)
    set_local(session, _LOOK_UP)
    asked = session.execute(_named(like, which, actor), query_params(replace(which, names=()), actor.sight))
    people = {words for row in asked for words in row}
    meant = {one for words in people if (one := _meant(said, like, words.split())) and one[0]}
    return tuple(replace(which, names=names, page=1) for _, names in sorted(meant) if _finds(names))[:_MOST]


def _finds(names: Sequence[str]) -> bool:
    """The database folds the letters of some scripts otherwise than we do, who look for them."""
    return all(fold(name) == name for name in names)


def _named(like: Sequence[dict[str, int]], which: Filter, actor: Actor) -> Select[str, str]:
    """The words of the student's and of the contact's name of each entry that has one of `like` for each word that was typed."""
    criteria = replace(which, names=()).criteria
    listed = matching_entries(criteria, actor.reach, *map(_has_one_of, like))
    return (
        select(_words(Student), _words(Contact))
        .select_from(listed)
        .join(Student, Student.id == listed.c.student_id)
        .join(Contact, Contact.id == listed.c.contact_id)
        .distinct()
    )


def _words(of: type[Student | Contact]) -> ColumnElement[str]:
    return func.words_of_a_name(of.given_name, of.family_name, of.search)


def _has_one_of(words: dict[str, int]) -> ColumnElement[bool]:
    """By the index, unless there are too many to look up: a letter or two are part of a thousand names."""
    if len(words) > _WORDS_ASKED:
        return literal(True)
    return func.string_to_array(ListEntry.names, " ").op("&&")(literal(list(words), ARRAY(Text)))


def _meant(
    said: Sequence[str], like: Sequence[dict[str, int]], words: Sequence[str]
) -> tuple[int, tuple[str, ...]] | None:
    """What was meant by those words if this person was, and by how many slips; a word that is part of the name stands as typed."""
    slips, names = 0, []
    for typed, near in zip(said, like, strict=True):
        held = [(near[word], word) for word in words if word in near]
        if not held:
            return None
        fewest, word = min(held)
        slips += fewest
        names.append(word if fewest else typed)
    return slips, tuple(names)
