"""Names of schools and teachers that a bare word may mean. Whoever keeps a vocabulary keeps their index with it, so that thousands
of them cost a command nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.domain.names import fold
from bot.filters.words import COMMON_IN_SCHOOLS, FILLERS, SCHOOL_KINDS, SCHOOL_NOUNS

_SHORT_FORMS = {"saint": "st", "mount": "mt", "high": "hs", "elementary": "es", "junior": "jr"}
_LONG_FORMS = {short: long for long, short in _SHORT_FORMS.items()}
_SHORTEST_START = 3
_NEAR = 0.7
_SUGGESTIONS = 3


@dataclass(frozen=True)
class Vocabulary:
    """What bare words may mean; `mentions` gives the teacher behind a Slack user id, `read` what texts were found to mean before."""

    schools: tuple[str, ...] = ()
    teachers: tuple[str, ...] = ()
    mentions: Mapping[str, str] = field(default_factory=dict)
    read: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def mentioning(self, mentions: Mapping[str, str]) -> "Vocabulary":
        """The same words, with the index that was made of them, and the people who were mentioned."""
        same = Vocabulary(self.schools, self.teachers, mentions)
        vars(same).update(schools_by_word=self.schools_by_word, teachers_by_word=self.teachers_by_word)
        return same

    @cached_property
    def schools_by_word(self) -> "Names":
        return Names(self.schools)

    @cached_property
    def teachers_by_word(self) -> "Names":
        return Names(self.teachers)

    def has_school(self, said: str) -> bool:
        """Whether a school is called so, or begins so word by word."""
        return bool(self.schools_by_word.named(fold(said).split()))

    def schools_like(self, said: str) -> list[str]:
        """The schools with a word nearly like one of those said."""
        return _like(self.schools_by_word, said)

    def teachers_like(self, said: str) -> list[str]:
        """The teachers with a word nearly like one of those said."""
        return _like(self.teachers_by_word, said)


class Names:
    """Names by the words in them; a word is one that `fold` made."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self._words = [fold(name.replace("-", " ")).split() for name in names]
        self._sets = [{*words, *(_SHORT_FORMS.get(word, word) for word in words)} for words in self._words]
        self.holding: dict[str, list[int]] = {}
        for number, words in enumerate(self._sets):
            for word in {*words, *fold(names[number]).split()}:
                self.holding.setdefault(word, []).append(number)

    @cached_property
    def _initials(self) -> dict[str, list[int]]:
        """`mlk` and `jfk`; with a vowel it could be somebody's name."""
        found: dict[str, list[int]] = {}
        for number, words in enumerate(self._words):
            initials = "".join(word[0] for word in words)
            for length in range(_SHORTEST_START, len(initials) + 1):
                if not set(initials[:length]) & set("aeiouy"):
                    found.setdefault(initials[:length], []).append(number)
        return found

    def named(self, said: Sequence[str]) -> list[int]:
        """Which names hold all that was said: the first word whole, the others at least begun (`lincoln elem`)."""
        if not said or not all(said) or set(said) <= FILLERS:
            return []
        first = self.holding.get(said[0], []) or self._initials.get(said[0], [])
        more = [word for word in said[1:] if word not in SCHOOL_NOUNS]
        return [number for number in first if all(self._begun(number, word) for word in more)]

    def _begun(self, number: int, word: str) -> bool:
        is_start = len(word) >= _SHORTEST_START
        return any(own == word or (is_start and own.startswith(word)) for own in self._sets[number])

    def exactly(self, said: Sequence[str]) -> list[int]:
        """Which names are what was said, in any order."""
        return [number for number in self.holding.get(said[0], []) if set(self._words[number]) == set(said)]

    def told_by(self, word: str) -> bool:
        """Whether one word is enough to mean a name; of `Rosa Parks Elementary`, `rosa` may as well be a student."""
        if word in SCHOOL_KINDS or word not in self.holding:
            return True
        return any(set(self._words[number]) - COMMON_IN_SCHOOLS == {word} for number in self.holding[word])

    def written(self, numbers: Sequence[int], typed: str) -> str:
        """The one name that is meant, or what was typed, without short forms that no name holds."""
        found = {self.names[number] for number in numbers}
        if len(found) == 1:
            return found.pop()
        said = (word for word in typed.split() if fold(word) not in SCHOOL_NOUNS)
        return " ".join(_LONG_FORMS.get(fold(word), word) for word in said) or typed

    def like(self, word: str) -> list[str]:
        """The names with a word nearly like this one, nearest first."""
        near = process.extract(
            word, list(self.holding), scorer=OSA.normalized_similarity, score_cutoff=_NEAR, limit=_SUGGESTIONS
        )
        found = (self.names[number] for part, _, _ in near for number in self.holding[part][:_SUGGESTIONS])
        return list(dict.fromkeys(found))[:_SUGGESTIONS]


def _like(names: Names, said: str) -> list[str]:
    return list(dict.fromkeys(name for word in fold(said).split() for name in names.like(word)))
