"""Reading what was typed: any order, any case, and never a failure. A word that is nearly a known one is not guessed at:
it comes back as unknown, with the whole filters it may have meant.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.filters.filter import Filter, describe
from bot.filters.line import Odd
from bot.filters.reading import read
from bot.filters.tokens import Token, cleaned, plain, tokens
from bot.filters.vocabulary import Vocabulary

_LONGEST_TEXT = 3000
_SUGGESTIONS = 3
_SUGGESTED_FOR = 5
_KEPT = 30


@dataclass(frozen=True)
class Suggestion:
    """A button: what it says, and the text of the whole filter it leads to."""

    label: str
    text: str


@dataclass(frozen=True)
class Unknown:
    word: str
    suggestions: tuple[Suggestion, ...] = ()


@dataclass(frozen=True)
class Parsed:
    """What was understood, and what was not."""

    filter: Filter
    unknown: tuple[Unknown, ...] = ()


def parse_filter(text: str, vocabulary: Vocabulary | None = None) -> Parsed:
    """Read at most 3,000 characters, counted as plain text; never raises. Without a vocabulary, schools and teachers must be
    called so.

    The same lists are asked for again and again, after each change and by each tab, so a vocabulary keeps what was read with it.
    """
    known = vocabulary or Vocabulary()
    before: Parsed | None = known.read.get(text)
    if before is not None:
        return before
    parsed = _parse(text, known)
    if len(known.read) >= _KEPT:
        known.read.clear()
    known.read[text] = parsed
    return parsed


def _parse(text: str, known: Vocabulary) -> Parsed:
    typed = tokens(plain(text[:_LONGEST_TEXT])[:_LONGEST_TEXT])
    understood, odd = read(typed, known)
    # Whoever types a page of words nobody knows is not helped by a hundred buttons.
    asked = [_unknown(typed, one, known, understood) for one in odd[:_SUGGESTED_FOR]]
    more = [Unknown(_text(typed, one)) for one in odd[_SUGGESTED_FOR:]]
    return Parsed(understood, (*(one for one in asked if one), *more))


def _unknown(typed: list[Token], odd: Odd, known: Vocabulary, understood: Filter) -> Unknown | None:
    """What to ask about an odd word; nothing if putting it right changes nothing (`graed 5`)."""
    corrected = [_corrected(typed, odd, words, known) for words in odd.instead]
    if understood in corrected:
        return None
    return Unknown(_text(typed, odd), tuple(_suggestions(corrected, _as_name(typed, odd, known))))


def _suggestions(corrected: Sequence[Filter], named: Sequence[Filter]) -> Iterator[Suggestion]:
    for which in dict.fromkeys((*corrected[:_SUGGESTIONS], *named)):
        yield Suggestion(describe(which), str(which.with_page(1)))


def _as_name(typed: list[Token], odd: Odd, known: Vocabulary) -> list[Filter]:
    words = cleaned(_text(typed, odd))
    return [_corrected(typed, odd, f'student "{words}"', known)] if odd.perhaps_name else []


def _corrected(typed: list[Token], odd: Odd, words: str, known: Vocabulary) -> Filter:
    return read([*typed[: odd.at], *tokens(words), *typed[odd.at + odd.length :]], known)[0]


def _text(typed: list[Token], odd: Odd) -> str:
    return " ".join(token.text for token in typed[odd.at : odd.at + odd.length])
