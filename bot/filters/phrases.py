"""The phrases of `questions.toml`: what people write in a question, by language, and what each phrase means to the grammar."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import product
from pathlib import Path

from bot.filters import words as w

FILE = Path(__file__).with_name("questions.toml")


class Language(StrEnum):
    ENGLISH = "english"
    SPANISH = "spanish"


class Kind(StrEnum):
    """What a phrase is. `FILTER` and `COMMAND` have a text of the grammar; the others are explained in the file."""

    FILTER = "filter"
    COMMAND = "command"
    LIST = "list"
    SHOW = "show"
    ASK = "ask"
    OWN = "own"
    STUDENT = "student"
    SKIP = "skip"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Phrase:
    kind: Kind
    text: str = ""


Words = tuple[str, ...]


@dataclass(frozen=True)
class PhraseBook:
    """The phrases of one language by their folded words. `own_words` are those of this language and not of the other one."""

    phrases: Mapping[Words, Phrase]
    longest: int
    own_words: frozenset[str]

    def find(self, words: Sequence[str], at: int) -> tuple[int, Phrase | None]:
        """Return the position after the longest phrase that begins at `at`, and the phrase; `at` and None where none does."""
        for end in range(min(at + self.longest, len(words)), at, -1):
            if phrase := self.phrases.get(tuple(words[at:end])):
                return end, phrase
        return at, None


@cache
def phrase_books() -> Mapping[Language, PhraseBook]:
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))
    phrases = {language: dict(read_phrases(tables[language])) for language in Language}
    used = {language: {word for phrase in phrases[language] for word in phrase} for language in Language}
    used[Language.ENGLISH] |= w.FILLERS | set(w.STATUS_WORDS)
    return {
        language: PhraseBook(
            phrases[language],
            max(map(len, phrases[language])),
            frozenset(used[language] - used[_other(language)]),
        )
        for language in Language
    }


def _other(language: Language) -> Language:
    return Language.SPANISH if language is Language.ENGLISH else Language.ENGLISH


def read_phrases(table: Mapping[str, Mapping[str, Sequence[str]]]) -> Iterator[tuple[Words, Phrase]]:
    """Yield all phrases of a language. A test checks that no phrase has two meanings."""
    for kind, name in ((Kind.FILTER, "filters"), (Kind.COMMAND, "commands")):
        for text, patterns in table[name].items():
            yield from ((words, Phrase(kind, text)) for pattern in patterns for words in _spellings(pattern))
    for name, patterns in table["words"].items():
        yield from ((words, Phrase(Kind(name))) for pattern in patterns for words in _spellings(pattern))


def _spellings(pattern: str) -> Iterator[Words]:
    """Yield the phrases that a pattern stands for: of `our|the? texts`, `our texts`, `the texts`, and `texts`."""
    places = []
    for place in pattern.split():
        choices = place.removesuffix("?").split("|")
        places.append(["", *choices] if place.endswith("?") else choices)
    for chosen in product(*places):
        if words := tuple(filter(None, chosen)):
            yield words
