"""A command that was typed with a slip or among other words: `hlep`, `forcast grade 5`, `grade 5 pending`."""

from collections.abc import Iterator
from dataclasses import replace

from rapidfuzz.distance import OSA

from bot.domain.names import fold
from bot.filters.filter import Filter
from bot.filters.grammar import COMMANDS
from bot.filters.parsing import Parsed

_WORDS = {phrase.example.split()[0]: " " in phrase.example for phrase in COMMANDS}
"""Whether a filter may follow a command."""
_LONG = 6


def suggest_commands(parsed: Parsed, *, nobody: bool) -> tuple[str, ...]:
    """The commands that were perhaps meant, as one could have typed them; `nobody`: the names that were typed are nobody's."""
    which = parsed.filter
    said = [(one.word, which) for one in parsed.unknown]
    said += [(name, replace(which, names=_without(which.names, name))) for name in which.names if nobody]
    return tuple(dict.fromkeys(text for word, rest in said for text in _like(fold(word), rest)))


def _like(word: str, rest: Filter) -> Iterator[str]:
    for command, takes_filter in _WORDS.items():
        slips = 2 if len(command) >= _LONG else 1
        if word[:1] == command[:1] and OSA.distance(word, command) <= slips:
            yield f"{command} {rest.with_page(1)}".strip() if takes_filter else command


def _without(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(one for one in names if one != name)
