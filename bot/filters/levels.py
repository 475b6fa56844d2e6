"""Grades in what was typed: one, several, or from one to another."""

from bot.domain import grade
from bot.domain.names import fold
from bot.filters.words import AND, BARE_GRADES, GRADE_KEYS, GRADES_OF_TWO_WORDS, NUMBERS, UP_TO

_PLAIN = BARE_GRADES | GRADE_KEYS | {"pre"}
_AFTER_KEY = _PLAIN | NUMBERS | {"other"}


def of_word(text: str) -> list[str]:
    """The levels that one word means: a grade, a range of grades (`3-5`, `pre-k-2`), or none."""
    parts = text.strip("-").split("-")
    for cut in range(1, len(parts)):
        if found := between("-".join(parts[:cut]), "-".join(parts[cut:])):
            return found
    level = grade.parse(text)
    return [level] if level else []


def between(first: str, last: str) -> list[str]:
    """Every level from one to another, whichever is the lower; none if one of them is no grade."""
    ends = [grade.parse(first), grade.parse(last)]
    if None in ends:
        return []
    low, high = sorted(grade.order(level) for level in ends if level)
    return list(grade.LEVELS[low : high + 1])


def is_plain(text: str) -> bool:
    """A grade that needs no `grade` beside it: it is in figures or it is a word for nothing else."""
    return _is_made_of(text, _PLAIN)


def _is_made_of(text: str, words: set[str]) -> bool:
    clear = all(fold(part) in words or any(letter.isdigit() for letter in part) for part in text.split("-") if part)
    return (clear or fold(text) in words) and bool(of_word(text))


class Run:
    """The grades that stand in a row from a place on: `3,4`, `3 and 4`, `K to 2`, `pre k`; `taken` words of them."""

    def __init__(self, words: list[str], *, after_key: bool) -> None:
        self._words = words
        self._after_key = after_key
        self.levels: list[str] = []
        self.taken = 0
        while step := self._next():
            self.taken += step

    def _next(self) -> int:
        at = self.taken
        if self._two(at):
            self.levels += of_word("".join(self._words[at : at + 2]))
            return 2
        if self._is_grade(at):
            self.levels += of_word(self._words[at])
            return 1
        if not self.levels or not self._is_grade(at + 1):
            return 0
        joined = fold(self._words[at])
        if joined in UP_TO or self._words[at] == "-":
            self.levels += between(self.levels[-1], self._words[at + 1])
            return 2
        return 1 if joined in AND else 0

    def _two(self, at: int) -> bool:
        return fold("".join(self._words[at : at + 2])) in GRADES_OF_TWO_WORDS and len(self._words) > at + 1

    def _is_grade(self, at: int) -> bool:
        if at >= len(self._words):
            return False
        if self._after_key and not self.taken:
            return bool(of_word(self._words[at]))
        return _is_made_of(self._words[at], _AFTER_KEY if self._after_key else _PLAIN)
