"""The words of one command as the steps of reading see them: folded, and told whether they mean something by themselves."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.names import fold
from bot.domain.sms_status import SmsStatus
from bot.filters import levels
from bot.filters.tokens import Token
from bot.filters.words import (
    FILLERS,
    LONGEST_NO_ADULT,
    LONGEST_STATUS,
    NO_ADULT,
    ONLY_KEYS,
    PAGE_KEYS,
    STATUS_WORDS,
    TITLES,
)


@dataclass(frozen=True)
class Odd:
    """Words that were not understood, and what could stand in their place instead; perhaps they are a name."""

    at: int
    length: int = 1
    instead: tuple[str, ...] = ()
    perhaps_name: bool = True


class Line:
    """What was typed, and in `odd` what of it was not understood."""

    def __init__(self, typed: Sequence[Token]) -> None:
        self._typed = typed
        self._folded = ["" if token.quoted else fold(token.text) for token in typed]
        self.odd: list[Odd] = []

    def __len__(self) -> int:
        return len(self._typed)

    def word(self, at: int) -> str:
        """The folded word at a place; nothing past the end, and nothing for a quoted one."""
        return self._folded[at] if at < len(self._folded) else ""

    def said(self, at: int, length: int) -> list[str]:
        words = self._folded[at : at + length]
        return words + [""] * (length - len(words))

    def text(self, at: int, length: int = 1) -> str:
        return " ".join(token.text for token in self._typed[at : at + length])

    def quoted(self, at: int) -> str:
        """The text in quotes at a place, or nothing."""
        return self._typed[at].text if at < len(self._typed) and self._typed[at].quoted else ""

    def unquoted(self, at: int) -> list[str]:
        """The words from a place to the next quoted one, as typed."""
        end = at
        while end < len(self._typed) and not self._typed[end].quoted:
            end += 1
        return [token.text for token in self._typed[at:end]]

    def has_figure(self, at: int) -> bool:
        return any(letter.isdigit() for letter in self.word(at))

    def statuses(self, at: int) -> tuple[int, tuple[SmsStatus, ...]]:
        """How many words from here on are a status, and which."""
        for length in range(min(LONGEST_STATUS, len(self) - at), 0, -1):
            said = self.said(at, length)
            if all(said) and (statuses := STATUS_WORDS.get("".join(said).replace(" ", ""))):
                return length, statuses
        return 0, ()

    def no_adult(self, at: int) -> int:
        """How many words from here on say that no adult can be texted."""
        for length in range(min(LONGEST_NO_ADULT, len(self) - at), 0, -1):
            said = self.said(at, length)
            if all(said) and "".join(said).replace(" ", "") in NO_ADULT:
                return length
        return 0

    def free(self, at: int) -> int:
        """How many words from here on mean nothing by themselves."""
        place = at
        while self.word(place) and not self._is_known(place):
            place += 1
        return place - at

    def _is_known(self, at: int) -> bool:
        word = self.word(at)
        if word in PAGE_KEYS and self.has_figure(at + 1):
            return True
        known = word in ONLY_KEYS or word in FILLERS or word in TITLES
        return known or bool(self.statuses(at)[0] or self.no_adult(at)) or levels.is_plain(self._typed[at].text)

    def not_understood(self, at: int, length: int = 1, *instead: str, perhaps_name: bool = True) -> int:
        self.odd.append(Odd(at, length, instead, perhaps_name))
        return length
