"""Whose students are meant: a teacher's, a school's. A name that only one of them has becomes that one's whole name."""

import re

from bot.domain.names import fold
from bot.filters import typos, words
from bot.filters.line import Line
from bot.filters.tokens import cleaned
from bot.filters.vocabulary import Vocabulary

_LONGEST = 6
_LONGEST_TEACHER = 4
_POSSESSIVE = re.compile(r"'s?$", re.IGNORECASE)


def unowned(text: str) -> str:
    """`Rivera's` and `Rivas'` as the name alone."""
    return _POSSESSIVE.sub("", text)


class Places:
    """The teacher and the school that a line names; of two different ones the second is odd, unless it is in quotes."""

    def __init__(self, line: Line, vocabulary: Vocabulary) -> None:
        self._line = line
        self._schools = vocabulary.schools_by_word
        self._teachers = vocabulary.teachers_by_word
        self.teacher = ""
        self.school = ""

    def after_teacher_key(self, at: int) -> int:
        if quoted := self._line.quoted(at + 1):
            self.teacher = quoted
            return 2
        start = at + 2 if self._line.word(at + 1) in words.TITLES else at + 1
        length = 0 if self._line.has_figure(start) else self._line.free(start)
        taken = self._take_teacher(start, length, since=at)
        return start - at + taken if taken else 0

    def after_school_key(self, at: int) -> int:
        if quoted := self._line.quoted(at + 1):
            self.school = quoted
            return 2
        if taken := self._take_school(at + 1, _LONGEST, since=at):
            return 1 + taken
        length = self._line.free(at + 1)
        if not length:
            return 0
        if like := self._schools.like(self._line.word(at + 1)):
            return self._line.not_understood(at, 1 + length, *map(_school, like))
        return self._set_school(at, 1 + length, self._line.text(at + 1, length))

    def titled(self, at: int) -> int:
        """`ms tanner`: as much of the name as there is a teacher for, or one word."""
        if self._line.word(at) not in words.TITLES or not self._line.word(at + 1):
            return 0
        most = self._line.free(at + 1)
        known = [length for length in range(1, _LONGEST_TEACHER) if self._teachers.named(self._said(at + 1, length))]
        taken = self._take_teacher(at + 1, max(known, default=min(most, 1)), since=at)
        return 1 + taken if taken else 0

    def whole(self, at: int) -> int:
        """Several words in a row that stand in one school's name, or that are one teacher's: more than their parts."""
        if self._line.word(at) in words.KEYS_AND_FILLERS:
            return 0
        for length in range(_LONGEST, 1, -1):
            said = self._line.said(at, length)
            if not all(said) or (said[-1] in words.KEYS and self._line.quoted(at + length)):
                continue
            if teacher := self._teachers.exactly(self._said(at, length)):
                return self._set_teacher(at, length, self._teachers.written(teacher, self._line.text(at, length)))
            if not set(said[1:]) <= words.FILLERS and self._schools.named(said):
                return self._take_school(at, length)
        return 0

    def part_of_school(self, at: int, *, after_name: bool) -> int:
        """One word of a school's name; if it is not all that tells the school, it may be a person's, as in `Kim Park`."""
        word = self._line.word(at)
        if word in words.KEYS or not (found := self._schools.named([word])):
            return 0
        if self._schools.told_by(word):
            return self._take_school(at, 1)
        if after_name or word in words.COMMON_IN_SCHOOLS:
            return 0
        return self._line.not_understood(at, 1, _school(self._schools.written(found, self._line.text(at))))

    def owned(self, at: int) -> int:
        """`tanner's class`: a teacher's name without a title."""
        is_owner = unowned(self._line.text(at)) != self._line.text(at) or self._said(at, 1) != self._line.said(at, 1)
        is_taught = bool(words.TAUGHT.intersection(self._line.said(at + 1, 3)))
        return self._take_teacher(at, 1) if is_owner and is_taught and self._teachers.named(self._said(at, 1)) else 0

    def near(self, at: int) -> list[str]:
        """The schools that a word with a typo may have meant."""
        word = self._line.word(at)
        if unowned(self._line.text(at)) != self._line.text(at):
            return []
        near = typos.of(word, self._schools.holding)
        found = (self._schools.names[number] for part in near for number in self._schools.holding[part])
        return [_school(name) for name in dict.fromkeys(found)]

    def _said(self, at: int, length: int) -> list[str]:
        """The words here, with `tanners` as `tanner` where there is one."""
        said = self._line.said(at, length)
        if said[-1] not in self._teachers.holding and said[-1][:-1] in self._teachers.holding:
            said[-1] = said[-1].removesuffix("s")
        return said

    def _take_teacher(self, at: int, most: int, *, since: int | None = None) -> int:
        """The longest of the words here that is in a teacher's name; with none, a near one or what was typed.

        `since` is where their title or key stands. Returns how many words from `at` on are taken.
        """
        before = 0 if since is None else at - since
        for length in range(min(most, _LONGEST_TEACHER), 0, -1):
            said = self._said(at, length)
            if found := self._teachers.named(said):
                name = self._teachers.written(found, " ".join(said))
                return self._set_teacher(at - before, before + length, name) - before
        if not most:
            return 0
        if like := self._teachers.like(self._line.word(at)):
            return self._line.not_understood(at - before, before + most, *map(_teacher, like)) - before
        return self._set_teacher(at - before, before + most, unowned(self._line.text(at, most))) - before

    def _take_school(self, at: int, most: int, *, since: int | None = None) -> int:
        """The longest of the words here that is in a school's name, with the `school` behind it; or nothing."""
        before = 0 if since is None else at - since
        for length in range(most, 0, -1):
            if found := self._schools.named(self._line.said(at, length)):
                name = self._schools.written(found, self._line.text(at, length))
                is_called_so = self._line.word(at + length) in words.SCHOOL_NOUNS and not self._line.quoted(
                    at + length + 1
                )
                return self._set_school(at - before, before + length, name) - before + is_called_so
        return 0

    def _set_teacher(self, at: int, length: int, name: str) -> int:
        if self.teacher and fold(self.teacher) != fold(name):
            return self._line.not_understood(at, length, _teacher(name))
        self.teacher = name
        return length

    def _set_school(self, at: int, length: int, name: str) -> int:
        if self.school and fold(self.school) != fold(name):
            return self._line.not_understood(at, length, _school(name))
        self.school = name
        return length


def _school(name: str) -> str:
    return f'school "{cleaned(name)}"'


def _teacher(name: str) -> str:
    return f'teacher "{cleaned(name)}"'
