"""Why a list is empty: nobody is named so, a student is not on it, no student is meant at all, or all is well."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from bot.access import Actor
from bot.cleanup_list.empty_reasons import unmet_criteria
from bot.cleanup_list.freshness import Freshness
from bot.cleanup_list.rows import StudentRow
from bot.cleanup_list.unlisted import find_unlisted_students
from bot.filters.filter import Filter, describe
from bot.filters.vocabulary import Vocabulary
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.list import links as list_links
from bot.slack.list import rows as list_rows
from bot.wording import say

_UNLISTED = 5


@dataclass(frozen=True)
class EmptyList:
    """An empty list. `unlisted` are students with the name that was typed, `unmet` the parts of the filter that no student has, and
    `instead` the filters with a school or a teacher of nearly that name.
    """

    which: Filter
    unlisted: Sequence[StudentRow]
    unmet: Sequence[Filter]
    instead: Sequence[Filter]
    latest: Freshness


def look(session: Session, which: Filter, vocabulary: Vocabulary, latest: Freshness, *, actor: Actor) -> EmptyList:
    unmet = unmet_criteria(session, which, actor=actor)
    return EmptyList(
        which,
        find_unlisted_students(session, which, actor=actor, most=_UNLISTED + 1),
        unmet,
        [one for part in unmet for one in _nearly(which, part, vocabulary)],
        latest,
    )


def _nearly(which: Filter, part: Filter, vocabulary: Vocabulary) -> list[Filter]:
    if part == Filter(school=part.school):
        return [replace(which, school=name, page=1) for name in vocabulary.schools_like(part.school or "")]
    if part == Filter(teacher=part.teacher):
        return [replace(which, teacher=name, page=1) for name in vocabulary.teachers_like(part.teacher or "")]
    return []


def narrows(which: Filter) -> bool:
    """Whether it leaves anybody out, whatever its page."""
    return which.with_page(1) != Filter()


def blocks(nobody: EmptyList) -> list[Block]:
    said = _unlisted(nobody) or [b.section(_why(nobody)), *_instead(nobody)]
    return [*said, *(list_links.whole_list() if narrows(nobody.which) else [])]


def in_words(nobody: EmptyList) -> list[str]:
    """The same for whoever has it read aloud."""
    if nobody.unlisted:
        return [list_rows.not_on_the_list(one, b.escaped(one.name)) for one in nobody.unlisted[:_UNLISTED]]
    return [_why(nobody)]


def _unlisted(nobody: EmptyList) -> list[Block]:
    here = list_links.filter_text(nobody.which)
    rows = [list_rows.unlisted(one, here=here) for one in nobody.unlisted[:_UNLISTED]]
    more = len(nobody.unlisted) > _UNLISTED
    return [*rows, *([b.context(say("list_nobody.more_students"))] if more else [])]


def _instead(nobody: EmptyList) -> list[Block]:
    return [b.section(say("list_nobody.instead")), *list_links.near(nobody.instead)] if nobody.instead else []


def _why(nobody: EmptyList) -> str:
    """What nobody was texted about yet, and what no student has, is no good news."""
    which, latest = nobody.which, nobody.latest
    if nobody.unmet:
        return said_of(nobody.unmet)
    if which.names:
        return say("list_nobody.no_name", name=b.escaped(" ".join(which.names)))
    if not latest.sent_at:
        return say("list_nobody.no_message")
    last_shown = say("list_nobody.last_shown", title=b.escaped(latest.title), sent=b.date(latest.sent_at))
    if which.alone:
        return say("list_nobody.nobody_alone", last_shown=last_shown)
    return say("list_nobody.nobody_matches" if narrows(which) else "list_nobody.nobody", last_shown=last_shown)


def said_of(unmet: Sequence[Filter]) -> str:
    """In words what none of the reader's students has."""
    return say("list_nobody.unmet.nobody", unmet=say("list_nobody.unmet.and_none").join(map(_unmet, unmet)))


def _unmet(part: Filter) -> str:
    if part == Filter(school=part.school):
        return say("list_nobody.unmet.school", school=b.escaped(part.school or ""))
    if part == Filter(teacher=part.teacher):
        return say("list_nobody.unmet.teacher", teacher=b.escaped(part.teacher or ""))
    if part == Filter(grades=part.grades):
        said = describe(part)
        return say("list_nobody.unmet.grades", grades=f"{said[0].lower()}{said[1:]}")
    return say("list_nobody.unmet.together")
