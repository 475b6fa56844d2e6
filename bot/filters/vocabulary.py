"""The names of schools and teachers that a bare word may mean, and the known words that a misspelled word may have meant.

A vocabulary indexes its names once, when it is first used: keep it while its names are valid.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.domain.names import fold
from bot.filters.words import COMMON_IN_SCHOOLS, FILLERS, SCHOOL_KINDS, SCHOOL_NOUNS

_SHORT_FORMS = {"saint": "st", "mount": "mt", "high": "hs", "elementary": "es", "junior": "jr"}
_LONG_FORMS = {short: long for long, short in _SHORT_FORMS.items()}
# Two digits: a longer number is no slip of a grade.
_NUMBER = re.compile(r"(?<!\d)\d{1,2}(?!\d)")
_LEADING_NUMBER = re.compile(r"\d+")
_VOWELS = frozenset("aeiouy")
_SHORTEST_START = 3
_SIMILARITY = 0.7
_SUGGESTIONS = 3
_SHORTEST_WITH_TYPO = 5
_SHORTEST_WITH_TWO_TYPOS = 8


class NameIndex:
    """Names by their words; words are folded."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.by_word: dict[str, list[int]] = {}
        self._words = [fold(name.replace("-", " ")).split() for name in names]
        self._forms = [{*words, *(_SHORT_FORMS.get(word, word) for word in words)} for words in self._words]
        # `mlk` and `jfk`; initials with a vowel could be a person's name.
        by_initials: dict[str, list[int]] = {}
        for number, words in enumerate(self._words):
            for word in {*self._forms[number], *fold(names[number]).split()}:
                self.by_word.setdefault(word, []).append(number)
            initials = "".join(word[0] for word in words)
            for length in range(_SHORTEST_START, len(initials) + 1):
                if _VOWELS.isdisjoint(initials[:length]):
                    by_initials.setdefault(initials[:length], []).append(number)
        # A phrase may begin with any whole word of a name, or with its initials.
        self.by_first_word = by_initials | self.by_word

    def find(self, words: Sequence[str]) -> list[int]:
        """Return the names that hold all words, the first one whole, the others at least begun (`lincoln elem`)."""
        if not words or not all(words) or FILLERS.issuperset(words):
            return []
        others = [word for word in words[1:] if word not in SCHOOL_NOUNS]
        numbers = self.by_first_word.get(words[0], [])
        return [number for number in numbers if all(self._has(number, word) for word in others)]

    def _has(self, number: int, word: str) -> bool:
        forms = self._forms[number]
        return word in forms or (len(word) >= _SHORTEST_START and any(form.startswith(word) for form in forms))

    def find_exact(self, words: Sequence[str]) -> list[int]:
        """Return the names with exactly these words, in any order."""
        return [number for number in self.by_word.get(words[0], []) if set(self._words[number]) == set(words)]

    def is_distinctive(self, word: str) -> bool:
        """Return whether the word alone means a school: `rosa` of `Rosa Parks Elementary` may as well be a student."""
        if word in SCHOOL_KINDS or word not in self.by_word:
            return True
        return any(set(self._words[number]) - COMMON_IN_SCHOOLS == {word} for number in self.by_word[word])

    def full_name(self, numbers: Sequence[int], typed: str) -> str:
        """Return the name if only one is meant, else what was typed, without short forms that no name holds."""
        names = {self.names[number] for number in numbers}
        if len(names) == 1:
            return names.pop()
        words = (word for word in typed.split() if fold(word) not in SCHOOL_NOUNS)
        return " ".join(_LONG_FORMS.get(fold(word), word) for word in words) or typed

    def similar(self, text: str) -> list[str]:
        """Return names with a word that is similar to one of the text's, at most three for each, nearest first."""
        similar: dict[str, None] = {}
        for word in fold(text).split():
            near = process.extract(
                word, list(self.by_word), scorer=OSA.normalized_similarity, score_cutoff=_SIMILARITY, limit=_SUGGESTIONS
            )
            names = [self.names[number] for part, _, _ in near for number in self.by_word[part][:_SUGGESTIONS]]
            similar |= dict.fromkeys(list(dict.fromkeys(names))[:_SUGGESTIONS])
        return list(similar)

    def with_typo(self, word: str) -> list[str]:
        """Return the names with a word that this may be with a typo."""
        numbers = (number for part in without_typo(word, self.by_word) for number in self.by_word[part])
        return list(dict.fromkeys(self.names[number] for number in numbers))


@dataclass(frozen=True)
class Vocabulary:
    """The schools, teachers, grades (of `bot.domain.grade.LEVELS`), and classes that one person may name.

    `classes` are the words with a digit of the titles of classes: `5B` of `Homeroom 5B`. `mentions` gives the teacher of a Slack user id.
    """

    schools: tuple[str, ...] = ()
    teachers: tuple[str, ...] = ()
    grades: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    mentions: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def school_index(self) -> NameIndex:
        return NameIndex(self.schools)

    @cached_property
    def teacher_index(self) -> NameIndex:
        return NameIndex(self.teachers)

    @cached_property
    def class_by_word(self) -> Mapping[str, str]:
        """Return the words of `classes` by their folded form."""
        return {fold(word): word for word in reversed(self.classes)}

    def classes_like(self, word: str) -> list[str]:
        """Return classes, at most three, with the same number as a folded word: `5A` and `5B` for `5C`."""
        number = _LEADING_NUMBER.match(word)
        same = [self.class_by_word[other] for other in self.class_by_word if number and _has_number(other, number[0])]
        return sorted(same)[:_SUGGESTIONS]

    def with_mentions(self, mentions: Mapping[str, str]) -> "Vocabulary":
        """Return a vocabulary with these mentions that shares the indexes of this one."""
        other = replace(self, mentions=mentions)
        vars(other).update(
            school_index=self.school_index, teacher_index=self.teacher_index, class_by_word=self.class_by_word
        )
        return other

    def has_school(self, text: str) -> bool:
        """Return whether a school has this name, or one that begins so, word by word."""
        return bool(self.school_index.find(fold(text).split()))

    def grades_near(self, text: str) -> list[str]:
        """Return the grades nearest to the number in a text, at most three: those of `14` in a high school are 12, 11 and 10."""
        number = _NUMBER.search(text)
        if not number:
            return []
        years = {level: 0 if level == "K" else int(level) for level in self.grades if level == "K" or level.isdecimal()}
        return sorted(years, key=lambda level: abs(years[level] - int(number[0])))[:_SUGGESTIONS]


def _has_number(word: str, number: str) -> bool:
    found = _LEADING_NUMBER.match(word)
    return found is not None and found[0] == number


def without_typo(word: str, known: Iterable[str]) -> list[str]:
    """Return the known words, at most three and nearest first, that the word may be with a typo.

    Most words people type are names, so this is strict: `Grace` is not `grade`, `Fred` is not `red`, `Black` is not `block`.
    """
    near = []
    for other in known:
        if other[:1] != word[:1] or len(other) < _SHORTEST_WITH_TYPO:
            continue
        most = 2 if len(other) >= _SHORTEST_WITH_TWO_TYPOS else 1
        typos = OSA.distance(word, other, score_cutoff=most)
        if 0 < typos <= most and (most > 1 or _is_typo(word, other)):
            near.append((typos, other))
    return [other for _, other in sorted(near)[:_SUGGESTIONS]]


def _is_typo(word: str, known: str) -> bool:
    """Return whether a word that differs in one place misses, swaps, or doubles a letter: another letter makes another name."""
    is_doubled = any(word[at] == word[at - 1] and word[:at] + word[at + 1 :] == known for at in range(1, len(word)))
    return len(word) < len(known) or sorted(word) == sorted(known) or is_doubled
