"""A command that a filter may follow, narrowed by what is of students: grades, a school, a teacher. What else was typed is said to
be left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot import cleanup_list, filters
from bot.access import Actor
from bot.filters import Filter, Parsed
from bot.slack import blocks as b
from bot.slack import list_links, list_nobody
from bot.slack.blocks import Block
from bot.wording import say


@dataclass(frozen=True)
class Asked:
    """Whom a command is about: those of the reader's students whom `which` means. `unmet` says why that is nobody."""

    parsed: Parsed
    which: Filter
    unmet: str | None

    def asides(self, *, left_out: str) -> list[Block]:
        """The typed words that were not used: those that cannot narrow this, of which `left_out` tells, and those not understood."""
        asked, unknown = self.parsed.filter, self.parsed.unknown
        words = list_links.quoted_unknown(self.parsed)
        return [
            *([b.context(left_out)] if asked.of_students() != asked else []),
            *([b.context(say("list_links.not_understood", words=words))] if unknown else []),
        ]

    def heading(self, about: str) -> str:
        """A title: what it is about, and of whom, if not of everybody."""
        return f"{about} · {filters.describe(self.which)}" if self.which.criteria else about


def read(session: Session, actor: Actor, text: str, mentioned: Mapping[str, str]) -> Asked:
    """What was typed after a command; `mentioned` as of `mentions.emails`."""
    parsed = filters.parse(text, cleanup_list.vocabulary(session, actor, mentioned))
    which = parsed.filter.of_students()
    unmet = cleanup_list.unmet(session, which, actor=actor)
    return Asked(parsed, which, list_nobody.said_of(unmet) if unmet else None)
