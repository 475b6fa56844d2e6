"""What was typed after `/cleanup`, read kindly into a `Filter`, and a `Filter` written back: `parse(str(f)).filter == f`.

The text is a filter's only serialisation, so it is also the state of paging and of every menu.
"""

from bot.filters.commands import commands_meant
from bot.filters.filter import OF_STUDENTS, Criteria, Criterion, Filter, describe, pages
from bot.filters.grammar import COMMANDS, GRAMMAR, Phrase
from bot.filters.parsing import Parsed, Suggestion, Unknown, parse
from bot.filters.vocabulary import Vocabulary
from bot.filters.words import TITLES

__all__ = [
    "COMMANDS",
    "GRAMMAR",
    "OF_STUDENTS",
    "TITLES",
    "Criteria",
    "Criterion",
    "Filter",
    "Parsed",
    "Phrase",
    "Suggestion",
    "Unknown",
    "Vocabulary",
    "commands_meant",
    "describe",
    "pages",
    "parse",
]
