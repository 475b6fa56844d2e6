"""The students that a command is about: a filter of grades, a school, a teacher, and a class may follow it, for some commands names, too.
The rest of what was typed is said to be left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.cleanup_list.empty_reasons import has_students, unmet_criteria
from bot.cleanup_list.page import load_freshness
from bot.cleanup_list.vocabulary import load_vocabulary
from bot.filters.filter import Filter, describe
from bot.filters.parse import Parsed, parse_filter
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.list import empty, links


@dataclass(frozen=True)
class CommandScope:
    """The students selected by `filter`, among those of the reader. `unmet` explains why there are none."""

    parsed: Parsed
    filter: Filter
    unmet: str | None

    def heading(self, title: str) -> str:
        return f"{title} · {describe(self.filter)}" if self.filter.criteria else title

    def ignored_words(self, sentence: str) -> list[Block]:
        """Return `sentence` where a part of the filter cannot narrow this, and the words that were not understood."""
        blocks = [b.context(sentence)] if self.filter != self.parsed.filter else []
        if self.parsed.unknown:
            words = links.quoted_unknown(self.parsed)
            blocks.append(b.context(f"I did not understand {words}, so it was left out."))
            blocks += b.actions([links.HELP])
        return blocks


def read_scope(
    session: Session, actor: Actor, text: str, mentioned: Mapping[str, str], *, has_names: bool = False
) -> CommandScope:
    """Parse what was typed after a command; `mentioned` are colleagues' emails by Slack user id. `has_names`: names narrow it, too."""
    roster = load_freshness(session).roster
    vocabulary = load_vocabulary(session, actor, mentioned, roster=roster)
    parsed = parse_filter(text, vocabulary)
    which = replace(parsed.filter.student_part(), names=parsed.filter.names if has_names else ())
    if not has_students(session, actor, roster=roster):
        return CommandScope(parsed, which, empty.no_students_explanation(actor.level))
    unmet = unmet_criteria(session, which, actor=actor, roster=roster)
    return CommandScope(parsed, which, empty.unmet_explanation(unmet) if unmet else None)
