"""Reading what was typed: any order, any case, and never a failure. A word that is nearly a known one is not guessed at:
it comes back as unknown, with the whole filters it may have meant.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot import grade
from bot.filters import words as w
from bot.filters.filter import Filter, describe
from bot.filters.words import Token
from bot.names import fold
from bot.sms_status import SmsStatus

_LONGEST_TEXT = 3000
_NEAR = 0.72
_SHORTEST_NEAR = 4
_SUGGESTIONS = 3
_RANGE = re.compile(r"^(.+?)-(.+)$")
_GLUED = re.compile(r"^(?:grades?|gr|g)\.?(\d{1,2}|k)$", re.IGNORECASE)
_BARE = re.compile(r"^(\d{1,2}(st|nd|rd|th)?|k|kg|kinder|kindergarten|pk|pre-?k|prek|tk)$", re.IGNORECASE)


@dataclass(frozen=True)
class Vocabulary:
    """Names of schools and teachers that a bare word may mean; `mentions` gives the teacher behind a Slack user id."""

    schools: tuple[str, ...] = ()
    teachers: tuple[str, ...] = ()
    mentions: Mapping[str, str] = field(default_factory=dict)


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


def parse(text: str, vocabulary: Vocabulary | None = None) -> Parsed:
    """Read at most 3,000 characters; never raises. Without a vocabulary, schools and teachers must be called so."""
    typed = w.tokens(text[:_LONGEST_TEXT])
    known = vocabulary or Vocabulary()
    reader = _Reader(typed, known)
    reader.read()
    unknown = tuple(Unknown(typed[place].text, tuple(_suggest(typed, place, known))) for place in reader.unknown)
    return Parsed(reader.filter(), unknown)


class _Reader:
    """One pass over the words; each step takes as many as belong together and says how many it took."""

    def __init__(self, typed: list[Token], vocabulary: Vocabulary) -> None:
        self._typed = typed
        self._schools = [set(fold(name).split()) for name in vocabulary.schools]
        self._teachers = {fold(name) for name in vocabulary.teachers}
        self._vocabulary = vocabulary
        self._grades: list[str] = []
        self._statuses: list[SmsStatus] = []
        self._names: list[str] = []
        self._teacher: list[str] = []
        self._school: list[str] = []
        self._page = 1
        self.unknown: list[int] = []

    def filter(self) -> Filter:
        return Filter(
            tuple(self._grades),
            tuple(self._statuses),
            tuple(self._names),
            " ".join(self._teacher) or None,
            " ".join(self._school) or None,
            self._page,
        )

    def read(self) -> None:
        place = 0
        while place < len(self._typed):
            place += self._step(place)

    def _step(self, at: int) -> int:
        if self._typed[at].quoted:
            self._names.append(self._typed[at].text)
            return 1
        steps = (
            self._keyed_grades,
            self._keyed_page,
            self._keyed_words,
            self._status,
            self._bare_grades,
            self._known_school,
            self._known_teacher,
            self._mention,
            self._filler,
            self._near_miss,
        )
        for step in steps:
            if taken := step(at):
                return taken
        self._names.append(self._typed[at].text)
        return 1

    def _word(self, at: int) -> str:
        """The folded word at a place; nothing past the end, and nothing for a quoted one."""
        if at >= len(self._typed) or self._typed[at].quoted:
            return ""
        return fold(self._typed[at].text)

    def _keyed_grades(self, at: int) -> int:
        if match := _GLUED.match(self._typed[at].text):
            self._grades += _levels(match.group(1))
            return 1 + self._more_grades(at + 1)
        if self._word(at) not in w.GRADE_KEYS:
            return self._spelled_grade(at)
        taken = self._more_grades(at + 1)
        if not taken and not self._grades:
            self.unknown.append(at)
        return 1 + taken

    def _spelled_grade(self, at: int) -> int:
        """`fifth grade`: a word that is a grade only because the next one says so."""
        levels = _levels(self._typed[at].text)
        if not levels or self._word(at + 1) not in w.GRADE_KEYS - {"g"}:
            return 0
        self._grades += levels
        return 2 if not self._more_grades_at(at + 2) else 1

    def _more_grades_at(self, at: int) -> bool:
        return at < len(self._typed) and bool(_levels(self._typed[at].text)) and self._word(at) not in w.FILLERS

    def _more_grades(self, at: int) -> int:
        """Grades that follow a key or a grade: `3,4`, `3 and 4`, `K - 2`."""
        place = at
        while place < len(self._typed) and not self._typed[place].quoted:
            if self._word(place) in {"and", "or", "to"} and self._more_grades_at(place + 1) and place > at:
                place += 1
            if self._typed[place].text == "-" and self._grades and self._more_grades_at(place + 1):
                self._grades += _levels(f"{self._grades[-1]}-{self._typed[place + 1].text}")
                place += 2
                continue
            levels = _levels(self._typed[place].text)
            if not levels:
                break
            self._grades += levels
            place += 1
        return place - at

    def _keyed_page(self, at: int) -> int:
        following = self._word(at + 1)
        if self._word(at) not in w.PAGE_KEYS or not following.isdecimal():
            return 0
        self._page = int(following[:7])
        return 2

    def _keyed_words(self, at: int) -> int:
        """`teacher Ana García`, `school "Lincoln Elementary"`: a quoted text, or the words up to the next thing known."""
        into = self._target(self._word(at))
        if into is None or at + 1 >= len(self._typed):
            return 0
        if self._typed[at + 1].quoted:
            into.append(self._typed[at + 1].text)
            return 2
        end = at + 1
        while end < len(self._typed) and not self._typed[end].quoted and not self._is_known(end):
            end += 1
        into += [token.text for token in self._typed[at + 1 : end]]
        return end - at if end > at + 1 else 0

    def _target(self, word: str) -> list[str] | None:
        if word in w.TEACHER_KEYS:
            return self._teacher
        if word in w.SCHOOL_KEYS:
            return self._school
        return self._names if word in w.STUDENT_KEYS else None

    def _is_known(self, at: int) -> bool:
        word = self._word(at)
        return (
            word in w.KEYS
            or word in w.FILLERS
            or bool(self._status_at(at)[0])
            or bool(_BARE.match(self._typed[at].text))
        )

    def _status(self, at: int) -> int:
        if self._word(at) in w.STATUS_KEYS and at + 1 < len(self._typed):
            return 1
        taken, statuses = self._status_at(at)
        self._statuses += statuses
        return taken

    def _status_at(self, at: int) -> tuple[int, tuple[SmsStatus, ...]]:
        for length in range(w.LONGEST_STATUS, 0, -1):
            phrase = " ".join(self._word(place) for place in range(at, at + length))
            spaced = " ".join(phrase.replace("-", " ").split())
            if spaced in w.STATUS_WORDS and at + length <= len(self._typed):
                return length, w.STATUS_WORDS[spaced]
        return 0, ()

    def _bare_grades(self, at: int) -> int:
        text = self._typed[at].text
        ends = _RANGE.match(text)
        is_range = bool(ends and _BARE.match(ends.group(1)) and _BARE.match(ends.group(2)))
        if not (_BARE.match(text) or is_range) or not _levels(text):
            return 0
        return self._more_grades(at)

    def _known_school(self, at: int) -> int:
        """The most words in a row that stand in the name of one school."""
        for length in range(4, 0, -1):
            said = [self._word(place) for place in range(at, at + length)]
            if all(said) and any(set(said) <= school for school in self._schools) and not set(said) <= w.FILLERS:
                self._school += [token.text for token in self._typed[at : at + length]]
                return length
        return 0

    def _known_teacher(self, at: int) -> int:
        """A title before a name, or a teacher's whole name."""
        if self._word(at).rstrip(".") in w.TITLES and self._word(at + 1):
            self._teacher.append(self._typed[at + 1].text)
            return 2
        for length in (4, 3, 2):
            if " ".join(self._word(place) for place in range(at, at + length)) in self._teachers:
                self._teacher += [token.text for token in self._typed[at : at + length]]
                return length
        return 0

    def _mention(self, at: int) -> int:
        text = self._typed[at].text
        if not text.startswith("<@"):
            return 0
        teacher = self._vocabulary.mentions.get(text[2:-1].split("|")[0])
        if teacher is None:
            self.unknown.append(at)
        else:
            self._teacher.append(teacher)
        return 1

    def _filler(self, at: int) -> int:
        word = self._word(at)
        is_key_alone = word in w.KEYS - w.GRADE_KEYS
        return 1 if not word or word in w.FILLERS or is_key_alone else 0

    def _near_miss(self, at: int) -> int:
        if not any(_near(self._word(at), self._vocabulary)):
            return 0
        self.unknown.append(at)
        return 1


def _levels(text: str) -> list[str]:
    """The levels that one word means: a grade, a range of grades, or none."""
    word = text.strip(".,:;")
    if level := grade.parse(word):
        return [level]
    ends = _RANGE.match(word)
    first, last = (grade.parse(part) for part in ends.groups()) if ends else (None, None)
    if not first or not last:
        return []
    low, high = sorted((grade.order(first), grade.order(last)))
    return list(grade.LEVELS[low : high + 1])


def _suggest(typed: list[Token], place: int, known: Vocabulary) -> Iterator[Suggestion]:
    """Whole filters with the unknown word put right; the last one takes it for a name."""
    word = typed[place].text
    candidates = list(dict.fromkeys(_near(fold(word), known)))[:_SUGGESTIONS]
    if not word.startswith("<@"):
        candidates.append(f'student "{w.cleaned(word)}"')
    seen = set()
    for candidate in candidates:
        reader = _Reader([*typed[:place], *w.tokens(candidate), *typed[place + 1 :]], known)
        reader.read()
        which = reader.filter().with_page(1)
        if which not in seen:
            seen.add(which)
            yield Suggestion(describe(which), str(which))


_KEYWORDS = {
    **{word: word for word in w.STATUS_WORDS if " " not in word},
    **{word: word for word in ("grade", "teacher", "school", "student", "kindergarten", "kinder")},
}


def _near(word: str, known: Vocabulary) -> Iterator[str]:
    """What a misspelt word may have been, nearest first, as text to put in its place."""
    if len(word) < _SHORTEST_NEAR or word in _KEYWORDS:
        return
    yield from _close(word, _KEYWORDS, lambda found: found)
    schools = {part: name for name in known.schools for part in fold(name).split()}
    yield from _close(word, schools, lambda found: f'school "{w.cleaned(schools[found])}"')
    teachers = {fold(name).split()[-1]: name for name in known.teachers if fold(name)}
    if word not in teachers:
        yield from _close(word, teachers, lambda found: f'teacher "{w.cleaned(teachers[found])}"')


def _close(word: str, choices: Mapping[str, str], written: Callable[[str], str]) -> Iterator[str]:
    near = process.extract(
        word, list(choices), scorer=OSA.normalized_similarity, score_cutoff=_NEAR, limit=_SUGGESTIONS
    )
    yield from (written(found) for found, _, _ in near)
