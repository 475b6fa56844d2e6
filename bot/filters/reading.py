"""One pass over the words that were typed; each step takes as many as belong together and says how many it took."""

import re
from collections.abc import Mapping, Sequence

from bot.domain.sms_status import SEVERITY, SmsStatus
from bot.filters import levels, typos, words
from bot.filters.filter import Filter
from bot.filters.levels import Run
from bot.filters.line import Line, Odd
from bot.filters.places import Places, unowned
from bot.filters.tokens import Token
from bot.filters.vocabulary import Vocabulary

_LONGEST_PAGE = 7
_LETTERED = re.compile(r"^(\d{1,2})[a-z]$")


def read(typed: Sequence[Token], vocabulary: Vocabulary) -> tuple[Filter, Sequence[Odd]]:
    """What was understood, and what was not."""
    line = Line(typed)
    return _Reader(line, Places(line, vocabulary), vocabulary.mentions).read(), line.odd


class _Reader:
    def __init__(self, line: Line, places: Places, mentions: Mapping[str, str]) -> None:
        self._line = line
        self._places = places
        self._mentions = mentions
        self._grades: list[str] = []
        self._statuses: list[SmsStatus] = []
        self._names: list[str] = []
        self._page = 1
        self._alone = False
        self._name_ends = -1

    def read(self) -> Filter:
        place = 0
        while place < len(self._line):
            place += self._step(place)
        places = self._places
        parts = (tuple(self._grades), tuple(self._statuses), tuple(self._names))
        return Filter(*parts, places.teacher, places.school, self._page, self._alone)

    def _step(self, at: int) -> int:
        if quoted := self._line.quoted(at):
            self._names.append(quoted)
            return 1
        steps = (
            *(self._sign, self._places.whole, self._key_alone, self._key),
            *(self._no_adult, self._not_status, self._status, self._grade),
            *(self._places.titled, self._part_of_school, self._places.owned, self._filler, self._typo, self._figures),
        )
        for step in steps:
            if taken := step(at):
                return taken
        self._names.append(unowned(self._line.text(at)))
        self._name_ends = at
        return 1

    def _sign(self, at: int) -> int:
        """Mentions of people and channels, addresses, and commands of their own: never a name."""
        text = self._line.text(at)
        if text.startswith("<@") and (teacher := self._mentions.get(text[2:-1].split("|")[0])):
            self._places.teacher = teacher
            return 1
        is_sign = text.startswith("<") or "@" in text or self._line.word(at) in words.COMMANDS
        return self._line.not_understood(at, perhaps_name=False) if is_sign else 0

    def _key_alone(self, at: int) -> int:
        """`student` and nothing else does not say whom."""
        is_alone = len(self._line) == 1 and self._line.word(at) in words.NAME_KEYS
        return self._line.not_understood(at, perhaps_name=False) if is_alone else 0

    def _key(self, at: int) -> int:
        word = self._line.word(at)
        if word in words.PAGE_KEYS:
            return self._after_page_key(at)
        if word in words.ROOM_KEYS and self._line.has_figure(at + 1):
            return self._line.not_understood(at, 2, perhaps_name=False)
        if word in words.TEACHER_KEYS:
            return self._places.after_teacher_key(at)
        if word in words.SCHOOL_KEYS:
            return self._places.after_school_key(at)
        if word in {"first", "last"} and self._line.word(at + 1) in {"name", "names"}:
            return 1 + (self._after_student_key(at + 1) or 1)
        return self._after_student_key(at) if word in words.STUDENT_KEYS else 0

    def _after_page_key(self, at: int) -> int:
        number = "".join(levels.of_word(self._line.word(at + 1))) or self._line.word(at + 1)
        if not number.isdecimal():
            return 0
        self._page = int(number[:_LONGEST_PAGE])
        return 4 if self._line.word(at + 2) == "of" and self._line.word(at + 3).isdecimal() else 2

    def _after_student_key(self, at: int) -> int:
        """`student O'Brien`: the words up to the next thing known; a quoted text is a name anyway."""
        length = self._line.free(at + 1)
        self._names += [unowned(self._line.text(place)) for place in range(at + 1, at + 1 + length)]
        return 1 + length if length else 0

    def _part_of_school(self, at: int) -> int:
        return self._places.part_of_school(at, after_name=self._name_ends == at - 1 >= 0)

    def _no_adult(self, at: int) -> int:
        taken = self._line.no_adult(at)
        self._alone = self._alone or bool(taken)
        return taken

    def _not_status(self, at: int) -> int:
        """`not blocked` is not offered; what it may mean is."""
        if self._line.word(at) not in words.NOT or self._line.statuses(at)[0]:
            return 0
        taken, statuses = self._line.statuses(at + 1)
        if not taken:
            return 0
        others = ",".join(words.STATUS_SLUGS[status] for status in SEVERITY if status not in statuses)
        meant = ",".join(words.STATUS_SLUGS[status] for status in statuses)
        return self._line.not_understood(at, 1 + taken, others, meant, perhaps_name=False)

    def _status(self, at: int) -> int:
        if self._line.word(at) in words.STATUS_KEYS:
            return 1
        taken, statuses = self._line.statuses(at)
        self._statuses += statuses
        return taken

    def _grade(self, at: int) -> int:
        before = int(self._line.word(at) in words.GRADE_KEYS)
        is_called_so = bool(before) or self._is_grade_noun(at + 1)
        run = Run(self._line.unquoted(at + before), after_key=is_called_so)
        self._grades += run.levels
        if run.taken:
            return before + run.taken + int(self._is_grade_noun(at + before + run.taken))
        if not before or self._line.word(at) == "g":
            return 0
        if self._line.has_figure(at + 1):
            return self._line.not_understood(at, 2, perhaps_name=False)
        return self._line.not_understood(at, perhaps_name=bool(self._line.word(at + 1)))

    def _is_grade_noun(self, at: int) -> bool:
        return self._line.word(at) in words.GRADE_NOUNS and not self._line.has_figure(at + 1)

    def _filler(self, at: int) -> int:
        word = self._line.word(at)
        if word in words.ASKING and self._line.word(at + 1) == "you":
            return 2
        return 1 if not word or word in words.FILLERS or word in words.ONLY_KEYS else 0

    def _typo(self, at: int) -> int:
        word, after = self._line.word(at), self._line.word(at + 1)
        keys = [*typos.of(word, typos.KEYS)] if after else []
        if after and levels.is_plain(after):
            keys += typos.of(word, typos.GRADE_KEYS)
        if found := (typos.of(word, typos.STATUSES) or keys or self._places.near(at)):
            return self._line.not_understood(at, 1, *found)
        found = typos.of(word + after, typos.STATUSES) if after else []
        return self._line.not_understood(at, 2, *found) if found else 0

    def _figures(self, at: int) -> int:
        """No name is written in figures, so what is left of them was meant otherwise; `5A` perhaps as grade 5."""
        if not self._line.has_figure(at):
            return 0
        lettered = _LETTERED.match(self._line.word(at))
        return self._line.not_understood(
            at, 1, *([f"grade {lettered.group(1)}"] if lettered else []), perhaps_name=False
        )
