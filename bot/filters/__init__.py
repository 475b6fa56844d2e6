"""What was typed after `/cleanup`, read kindly into a `Filter`, and a `Filter` written back: `parse(str(f)).filter == f`.

The text is a filter's only serialisation, so it is also the state of paging and of every menu.
"""

from bot.filters.filter import Filter, describe
from bot.filters.grammar import GRAMMAR, Phrase
from bot.filters.parsing import Parsed, Suggestion, Unknown, parse
from bot.filters.vocabulary import Vocabulary

__all__ = ["GRAMMAR", "Filter", "Parsed", "Phrase", "Suggestion", "Unknown", "Vocabulary", "describe", "parse"]
