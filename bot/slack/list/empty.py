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
    return [*rows, *([b.context("… and more students: type more of the name.")] if more else [])]


def _instead(nobody: EmptyList) -> list[Block]:
    return [b.section("Did you mean:"), *list_links.near(nobody.instead)] if nobody.instead else []


def _why(nobody: EmptyList) -> str:
    """What nobody was texted about yet, and what no student has, is no good news."""
    which, latest = nobody.which, nobody.latest
    if nobody.unmet:
        return said_of(nobody.unmet)
    if which.names:
        return (
            f"Nobody named *{b.escaped(' '.join(which.names))}* is on your list. Type `/cleanup help` to "
            "see what I understand."
        )
    if not latest.sent_at:
        return "Nobody here. The list begins with the first mass message."
    last_shown = f"as far as the last mass message showed, “{b.escaped(latest.title)}” of {b.date(latest.sent_at)}"
    if which.no_adult:
        return (
            "✅ Nobody here. Every student on the list who matches has an adult who can be texted, "
            f"{last_shown}. `/cleanup forecast` looks at students who are not on it, too."
        )
    return (
        f"✅ Nobody here. Every contact that matches can be texted, {last_shown}."
        if narrows(which)
        else f"✅ Nobody on your list. Every contact can be texted, {last_shown}."
    )


def said_of(unmet: Sequence[Filter]) -> str:
    """In words what none of the reader's students has."""
    return f"Nobody here: none of your students {', none '.join(map(_unmet, unmet))}."


def _unmet(part: Filter) -> str:
    if part == Filter(school=part.school):
        return f"is at a school named *{b.escaped(part.school or '')}*"
    if part == Filter(teacher=part.teacher):
        return f"has a teacher named *{b.escaped(part.teacher or '')}*"
    if part == Filter(grades=part.grades):
        said = describe(part)
        return f"is in *{said[0].lower()}{said[1:]}*"
    return "is all of that at once"
