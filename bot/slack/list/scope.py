"""A command that a filter may follow, narrowed by what is of students: grades, a school, a teacher. What else was typed is said to
be left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.access import Actor
from bot.cleanup_list.empty_reasons import unmet_criteria
from bot.cleanup_list.vocabulary import load_vocabulary
from bot.filters.filter import Filter, describe
from bot.filters.parse import Parsed, parse_filter
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.list import empty as empty_list
from bot.slack.list import links as list_links


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
            *([b.context(left_out)] if asked.student_part() != asked else []),
            *(
                [b.context(f"I did not understand {words}. Type `/cleanup help` to see what I understand.")]
                if unknown
                else []
            ),
        ]

    def heading(self, about: str) -> str:
        """A title: what it is about, and of whom, if not of everybody."""
        return f"{about} · {describe(self.which)}" if self.which.criteria else about


def read(session: Session, actor: Actor, text: str, mentioned: Mapping[str, str]) -> Asked:
    """What was typed after a command; `mentioned` as of `mentions.emails`."""
    parsed = parse_filter(text, load_vocabulary(session, actor, mentioned))
    which = parsed.filter.student_part()
    unmet = unmet_criteria(session, which, actor=actor)
    return Asked(parsed, which, empty_list.said_of(unmet) if unmet else None)
