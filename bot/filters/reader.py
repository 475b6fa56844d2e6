"""One pass over the words of a filter: readers are tried in order at each word, and each takes the words that belong together.

What a number means, in this order: what its key says (`grade 5`, `room 14`, `page 2`, `number 0142`); a word of a school's name; a
grade or several (`5`, `12`, `9-12`); a word of a class's title; a year, which is no filter (`2026` is asked back); a phone, or with
four digits and more the end of a phone or a student number. A number of up to three digits is none of these by itself.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from bot.domain.grade import grade_levels, levels_between
from bot.domain.names import fold
from bot.domain.sms_status import SEVERITY, SmsStatus
from bot.filters import words as w
from bot.filters.filter import Filter, number_in, quotable
from bot.filters.vocabulary import Vocabulary, without_typo

_LONGEST_SCHOOL = 6
_LONGEST_TEACHER = 4
_LONGEST_PAGE = 7
_DIGIT = re.compile(r"\d")
_POSSESSIVE = re.compile(r"'s?$", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")
_ID = re.compile(r"[0-9]{1,18}")
_GRADE_WITH_LETTER = re.compile(r"^(\d{1,2})[a-z]$")


class Token(NamedTuple):
    """A word as typed. A quoted one is never read as anything but a name."""

    text: str
    quoted: bool = False


class Problem(NamedTuple):
    """Tokens that were not understood, with texts that could stand in their place; perhaps they are a name."""

    start: int
    end: int
    instead: tuple[str, ...]
    may_be_name: bool
    topic: w.Topic | None = None


class Reader:
    """One pass over the tokens of a filter.

    A method `_read_...` looks at the token at a position and returns the position after the tokens it used, or 0 if they are
    not for it. What it cannot understand it adds to `problems`.
    """

    def __init__(self, tokens: Sequence[Token], vocabulary: Vocabulary) -> None:
        self.problems: list[Problem] = []
        self.loose_names: list[str] = []  # Words that nothing says are a name, except that they are nothing else.
        self._count = len(tokens)
        self._vocabulary = vocabulary
        self._schools, self._teachers = vocabulary.school_index, vocabulary.teacher_index
        self._mentions = vocabulary.mentions
        # Empty strings at the end let a reader look ahead. Words are folded, and empty for what is in quotes.
        self._texts: list[str] = []
        self._words: list[str] = []
        self._quotes: list[str] = []
        self._numbers: list[str] = []  # The digits of words that may be a phone or a student number.
        for text, quoted in (*tokens, *[("", False)] * (_LONGEST_SCHOOL + 2)):
            self._texts.append(text)
            self._words.append("" if quoted else fold(text))
            self._quotes.append(text if quoted else "")
            self._numbers.append(number_in(text) if not quoted and _DIGIT.search(text) else "")
        self._grades: list[str] = []
        self._statuses: list[SmsStatus] = []
        self._names: list[str] = []
        self._places = {"teacher": "", "school": "", "class": ""}
        self._page = 1
        self._letter = ""
        self._number = ""
        self._student_ids: list[int] = []
        self._flags: set[str] = set()
        self._after_name = -1

    def read(self) -> Filter:
        readers = (
            *(self._read_mention, self._read_full_name, self._read_key, self._read_status),
            *(self._read_grades, self._read_titled, self._read_school_word, self._read_owner, self._read_filler),
            *(self._read_typo, self._read_number, self._read_digits, self._read_name),
        )
        at = 0
        while at < self._count:
            if self._quotes[at]:
                self._names.append(self._quotes[at])
                at += 1
                continue
            for read in readers:  # The last one reads any word.
                if end := read(at):
                    at = end
                    break
        return Filter(
            tuple(self._grades),
            tuple(self._statuses),
            tuple(self._names),
            self._places["teacher"],
            self._places["school"],
            self._page,
            class_title=self._places["class"],
            letter=self._letter,
            number=self._number,
            student_ids=tuple(self._student_ids),
            **dict.fromkeys(self._flags, True),
        )

    def _problem(
        self, start: int, end: int, *instead: str, may_be_name: bool = True, topic: w.Topic | None = None
    ) -> int:
        self.problems.append(Problem(start, end, instead, may_be_name, topic))
        return end

    def _read_mention(self, at: int) -> int:
        """Read a mention, an email address, a command, or a word for something else than a list: never a name."""
        text = self._texts[at]
        who = text[2:-1].split("|")[0] if text.startswith("<@") else text.lower()
        if "@" in text and (teacher := self._mentions.get(who)):
            self._places["teacher"] = teacher
            return at + 1
        if (topic := w.TOPIC_WORDS.get(self._words[at])) and not self._status_phrase(at)[0]:
            return self._problem(at, at + 1, may_be_name=False, topic=topic)
        if text[0] == "<" or "@" in text or self._words[at] in w.COMMAND_WORDS:
            return self._problem(at, at + 1, may_be_name=False)
        return 0

    def _read_full_name(self, at: int) -> int:
        """Read two or more words that are one teacher's name, or in one school's: they mean more than each by itself."""
        word = self._words[at]
        if word in w.KEYS_AND_FILLERS or not (word in self._schools.by_first_word or word in self._teachers.by_word):
            return 0
        for end in range(at + _LONGEST_SCHOOL, at + 1, -1):
            words = self._words[at:end]
            if not all(words) or (words[-1] in w.KEYS and self._quotes[end]):
                continue
            if found := self._teachers.find_exact(self._teacher_words(at, end)):
                return self._set_place("teacher", self._teachers.full_name(found, self._typed(at, end)), at, end)
            if not w.FILLERS.issuperset(words[1:]) and self._schools.find(words):
                return self._read_school(at, at, end)
        return 0

    def _read_key(self, at: int) -> int:
        word, following = self._words[at], self._words[at + 1]
        if word in w.NAME_KEYS and self._count == 1:
            return self._problem(at, at + 1, may_be_name=False)
        if word in w.ROOM_KEYS and _DIGIT.search(following):
            return self._read_class(at, at + 1) or self._problem(at, at + 2, may_be_name=False)
        if word in {"first", "last"} and following in {"name", "names"}:
            return self._read_student(at + 1) or at + 2
        for keys, read in (
            (w.STUDENT_KEYS, self._read_student),
            (w.TEACHER_KEYS, self._read_keyed_teacher),
            (w.SCHOOL_KEYS, self._read_keyed_school),
            (w.PAGE_KEYS, self._read_page),
            (w.LETTER_KEYS, self._read_letter),
            (w.NUMBER_KEYS, self._read_keyed_number),
        ):
            if word in keys:
                return read(at)
        if word == "ids" and self._quotes[at + 1]:
            self._student_ids += [int(part) for part in self._quotes[at + 1].split() if _ID.fullmatch(part)]
            return at + 2
        return 0

    def _read_student(self, at: int) -> int:
        """Read `student O'Brien`: the words up to the next one with a meaning. A quoted text is a name anyway."""
        if self._words[at + 1] in {"number", "id", "no"} and self._words[at + 2].isdecimal():
            return self._set_number(self._words[at + 2], at, at + 3)
        end = self._end_of_name(at + 1)
        end = next((place for place in range(at + 1, end) if self._numbers[place]), end)
        if end == at + 1:
            return 0
        self._names += [_POSSESSIVE.sub("", text) for text in self._texts[at + 1 : end]]
        return end

    def _read_page(self, at: int) -> int:
        """Read `page 2 of 3`; `page first` is page 1."""
        following = self._words[at + 1]
        number = "".join(grade_levels(following)) or following
        if not number.isdecimal():
            return 0
        self._page = int(number[:_LONGEST_PAGE])
        return at + 4 if self._words[at + 2] == "of" and self._words[at + 3].isdecimal() else at + 2

    def _read_letter(self, at: int) -> int:
        letter = self._words[at + 1]
        if letter not in w.LETTERS:
            return self._problem(at, at + 1, may_be_name=False)
        self._letter = letter
        return at + 2

    def _read_keyed_number(self, at: int) -> int:
        number = self._quotes[at + 1] or self._numbers[at + 1]
        return self._set_number(number, at, at + 2) if _DIGIT.search(number) else 0

    def _read_number(self, at: int) -> int:
        number = self._numbers[at]
        if not number or self._words[at] in self._vocabulary.class_by_word:
            return 0
        if _YEAR.fullmatch(number):
            return self._problem(at, at + 1, f'number "{number}"', may_be_name=False)
        return self._set_number(number, at, at + 1)

    def _set_number(self, number: str, start: int, end: int) -> int:
        if self._number:
            return self._problem(start, end, may_be_name=False)
        self._number = number
        return end

    def _read_status(self, at: int) -> int:
        end, statuses, flag = self._status_phrase(at)
        if end:
            self._statuses += statuses
            self._flags |= {flag} if flag else set()
            return end
        if self._words[at] in w.CANNOT:
            adjective = at + 1 + (self._words[at + 1] == "be")
            if self._words[adjective] in w.TEXTABLE:  # The whole list.
                return adjective + 1
        if self._words[at] not in w.NOT:
            return 0
        end, statuses, _ = self._status_phrase(at + 1)
        if not statuses:
            return 0
        # `not blocked`: a filter cannot say it; the other statuses may be meant.
        others = ",".join(w.STATUS_SLUGS[status] for status in SEVERITY if status not in statuses)
        meant = ",".join(w.STATUS_SLUGS[status] for status in statuses)
        return self._problem(at, end, others, meant, may_be_name=False)

    def _status_phrase(self, at: int) -> tuple[int, tuple[SmsStatus, ...], str]:
        """Return the end of the longest phrase here (0: none), and its statuses or the field of a filter that it sets."""
        end, joined, flag = 0, "", ""
        statuses: tuple[SmsStatus, ...] = ()
        for place in range(at, at + w.LONGEST_PHRASE):
            if not self._words[place]:
                break
            joined += self._words[place].replace(" ", "")
            if joined in w.STATUS_WORDS:
                end, statuses, flag = place + 1, w.STATUS_WORDS[joined], ""
            elif joined in w.FLAG_WORDS:
                end, statuses, flag = place + 1, (), w.FLAG_WORDS[joined]
        return end, statuses, flag

    def _read_grades(self, at: int) -> int:
        """Read the grades in a row: `grade 5`, `3,4`, `3 and 4`, `K to 2`, `pre k`, `5th graders`."""
        has_key = self._words[at] in w.GRADE_KEYS
        start = end = at + has_key
        among = w.KEYED_GRADES if has_key or self._is_grade_noun(at + 1) else w.BARE_GRADES
        levels: list[str] = []
        while True:
            word, following = self._words[end], self._words[end + 1]
            # Right after the key any grade counts: `grade junior`.
            known = None if among is w.KEYED_GRADES and end == start else among
            if word and following and word + following in w.TWO_WORD_GRADES:
                levels += grade_levels(self._texts[end] + self._texts[end + 1])
                end += 2
            elif word and (found := grade_levels(self._texts[end], known)):
                levels += found
                end += 1
            elif not levels or not following or not grade_levels(self._texts[end + 1], among):
                break
            elif word in w.UP_TO or (self._texts[end] == "-" and not self._quotes[end]):
                levels += levels_between(levels[-1], self._texts[end + 1])
                end += 2
            elif word in w.AND:
                end += 1
            else:
                break
        self._grades += levels
        if levels:
            return end + self._is_grade_noun(end)
        return self._read_wrong_grade(at) if has_key and self._words[at] != "g" else 0

    def _read_wrong_grade(self, at: int) -> int:
        """Read the key of a grade that is none. `grade 5B` may be a class, but the room of `Room 14` is no grade 14."""
        if not _DIGIT.search(self._words[at + 1]):
            return self._problem(at, at + 1, may_be_name=bool(self._words[at + 1]))
        if _GRADE_WITH_LETTER.match(self._words[at + 1]) and (end := self._read_class(at, at + 1)):
            return end
        topic = w.Topic.NO_SUCH_GRADE if self._words[at + 1].isdecimal() else None
        return self._problem(at, at + 2, *self._grades_and_classes_like(at + 1), may_be_name=False, topic=topic)

    def _is_grade_noun(self, at: int) -> bool:
        return self._words[at] in w.GRADE_NOUNS and _DIGIT.search(self._words[at + 1]) is None

    def _read_keyed_teacher(self, at: int) -> int:
        if self._quotes[at + 1]:
            self._places["class" if self._words[at] == "class" else "teacher"] = self._quotes[at + 1]
            return at + 2
        start = at + 1 + (self._words[at + 1] in w.TITLES)
        end = start if _DIGIT.search(self._words[start]) else self._end_of_name(start)
        return self._read_teacher(at, start, end)

    def _read_titled(self, at: int) -> int:
        """Read `ms tanner`: as much of the name as a teacher has, or one word."""
        if self._words[at] not in w.TITLES or not self._words[at + 1]:
            return 0
        start = at + 1
        end = min(start + 1, self._end_of_name(start))
        for longer in range(start + 1, start + _LONGEST_TEACHER):
            if self._teachers.find(self._teacher_words(start, longer)):
                end = longer
        return self._read_teacher(at, start, end)

    def _read_owner(self, at: int) -> int:
        """Read `tanner's class`: a teacher's name without a title."""
        words = self._teacher_words(at, at + 1)
        is_owner = _POSSESSIVE.search(self._texts[at]) or words != self._words[at : at + 1]
        if is_owner and self._teachers.find(words) and w.TAUGHT.intersection(self._words[at + 1 : at + 4]):
            return self._read_teacher(at, at, at + 1)
        return 0

    def _teacher_words(self, start: int, end: int) -> list[str]:
        """Return the folded words, the last one without its `s` if only so it is a teacher's: `tanners`."""
        words = self._words[start:end]
        if words[-1] not in self._teachers.by_word and words[-1][:-1] in self._teachers.by_word:
            words[-1] = words[-1].removesuffix("s")
        return words

    def _read_teacher(self, at: int, start: int, end: int) -> int:
        """Read the longest words from `start` that are in a teacher's name, else all of them. The key or title is at `at`."""
        for stop in range(min(end, start + _LONGEST_TEACHER), start, -1):
            words = self._teacher_words(start, stop)
            if found := self._teachers.find(words):
                return self._set_place("teacher", self._teachers.full_name(found, " ".join(words)), at, stop)
        if start == end:
            return 0
        if similar := self._teachers.similar(self._words[start]):
            return self._problem(at, end, *(_place("teacher", name) for name in similar))
        return self._set_place("teacher", _POSSESSIVE.sub("", self._typed(start, end)), at, end)

    def _read_keyed_school(self, at: int) -> int:
        if self._quotes[at + 1]:
            self._places["school"] = self._quotes[at + 1]
            return at + 2
        start = at + 1
        if known := self._read_school(at, start, start + _LONGEST_SCHOOL):
            return known
        end = self._end_of_name(start)
        if end == start:
            return 0
        if similar := self._schools.similar(self._words[start]):
            return self._problem(at, end, *(_place("school", name) for name in similar))
        return self._set_place("school", self._typed(start, end), at, end)

    def _read_school_word(self, at: int) -> int:
        """Read one word of a school's name. If other schools or people may have it, as in `Kim Park`, it is a problem."""
        word = self._words[at]
        if word in w.KEYS or not (found := self._schools.find([word])):
            return 0
        if self._schools.is_distinctive(word):
            return self._read_school(at, at, at + 1)
        if self._after_name == at or word in w.COMMON_IN_SCHOOLS:
            return 0
        return self._problem(at, at + 1, _place("school", self._schools.full_name(found, self._texts[at])))

    def _read_school(self, at: int, start: int, end: int) -> int:
        """Read the longest words from `start` that are in a school's name, with the `school` behind. The key is at `at`."""
        for stop in range(end, start, -1):
            if found := self._schools.find(self._words[start:stop]):
                name = self._schools.full_name(found, self._typed(start, stop))
                is_noun = self._words[stop] in w.SCHOOL_NOUNS and not self._quotes[stop + 1]
                return self._set_place("school", name, at, stop) + is_noun
        return 0

    def _set_place(self, kind: str, name: str, start: int, end: int) -> int:
        if self._places[kind] and fold(self._places[kind]) != fold(name):
            return self._problem(start, end, _place(kind, name), may_be_name=kind != "class")
        self._places[kind] = name
        return end

    def _read_filler(self, at: int) -> int:
        word = self._words[at]
        if word in w.ASKING and self._words[at + 1] == "you":
            return at + 2
        return at + 1 if not word or word in w.SKIPPED else 0

    def _read_typo(self, at: int) -> int:
        word, following = self._words[at], self._words[at + 1]
        if topics := without_typo(word, w.TOPICS_WITH_TYPO):
            return self._problem(at, at + 1, topic=w.TOPIC_WORDS[topics[0]])
        meant = without_typo(word, w.STATUSES_WITH_TYPO)
        if not meant and following:
            meant = without_typo(word, w.KEYS_WITH_TYPO)
            if grade_levels(self._texts[at + 1], w.BARE_GRADES):
                meant += without_typo(word, w.GRADE_KEYS_WITH_TYPO)
        if not meant and not _POSSESSIVE.search(self._texts[at]):
            meant = [_place("school", name) for name in self._schools.with_typo(word)]
        if meant:
            return self._problem(at, at + 1, *meant)
        meant = without_typo(word + following, w.STATUSES_WITH_TYPO) if following else []
        return self._problem(at, at + 2, *meant) if meant else 0

    def _read_digits(self, at: int) -> int:
        """Read what is left with a digit: a class, never a name. Without such a class, `5A` may be grade 5."""
        if not _DIGIT.search(self._words[at]):
            return 0
        instead = self._grades_and_classes_like(at)
        return self._read_class(at, at) or self._problem(at, at + 1, *instead, may_be_name=False)

    def _read_class(self, start: int, at: int) -> int:
        """Read the word at `at` if it is in the title of a class. The key, if there is one, is at `start`."""
        title = self._vocabulary.class_by_word.get(self._words[at])
        return self._set_place("class", title, start, at + 1) if title else 0

    def _grades_and_classes_like(self, at: int) -> list[str]:
        word = self._words[at]
        found = _GRADE_WITH_LETTER.match(word)
        levels = [found[1]] if found else self._vocabulary.grades_near(self._texts[at])
        classes = self._vocabulary.classes_like(word) if found else []
        return [*(f"grade {level}" for level in levels), *(_place("class", title) for title in classes)]

    def _read_name(self, at: int) -> int:
        self._names.append(_POSSESSIVE.sub("", self._texts[at]))
        self.loose_names.append(self._names[-1])
        self._after_name = at + 1
        return at + 1

    def _typed(self, start: int, end: int) -> str:
        return " ".join(self._texts[start:end])

    def _end_of_name(self, at: int) -> int:
        """Return the position of the first word from here that means something by itself."""
        while word := self._words[at]:
            is_page = word in w.PAGE_KEYS and _DIGIT.search(self._words[at + 1])
            if is_page or word in w.ENDS_NAME or self._status_phrase(at)[0]:
                break
            if grade_levels(self._texts[at], w.BARE_GRADES):
                break
            at += 1
        return at


def _place(kind: str, name: str) -> str:
    return f'{kind} "{quotable(name)}"'
