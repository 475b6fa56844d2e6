"""Reads `unverified` and `not verified for 6 months` out of what was typed, in English or Spanish, wherever the words stand.

The rest is a filter. The text of the command is again what people type: `unverified 6 months grade 5`.
"""

import re
from dataclasses import dataclass

from bot.domain.display import plural
from bot.domain.names import fold

UNVERIFIED = "unverified"
DEFAULT_MONTHS = 12

_WORDS = re.compile(
    r"\b(?:un-?verified|(?:not|never)[ -]+(?:been +)?verified|sin +verificar|no +verificad[oa]s?)\b", re.IGNORECASE
)
_NUMBERS = {
    **dict.fromkeys(("half a", "medio"), 0.5),
    **dict.fromkeys(("a", "an", "one", "the", "last", "past", "un", "uno", "ultimo"), 1),
    **{
        word: number
        for words in (
            "two three four five six seven eight nine ten eleven twelve",
            "dos tres cuatro cinco seis siete ocho nueve diez once doce",
        )
        for number, word in enumerate(words.split(), 2)
    },
}
# By the first letters, also of `mnths` and `años`. Other units are refused.
_MONTHS_OF_UNIT = {**dict.fromkeys(("mo", "mn", "mt", "me"), 1), **dict.fromkeys(("ye", "yr", "an"), 12)}
# Longest first: `half a year` is not `a year`.
_NUMBER = "|".join([r"[-+]?\d+(?:[.,]\d+)?", *sorted(_NUMBERS, key=len, reverse=True), "último"])
_AGE = re.compile(
    r"(?<![\w.,+-])(?:(?:for|in|within|since|over|more than|at least|the|last|past|desde|hace|en|por|los|el|más de|mas de) +)*"
    rf"(?P<number>{_NUMBER})[ -]*(?P<unit>mo?n?ths?|monts?|years?|yrs?|mes(?:es)?|años?|anos?|days?|weeks?|d[ií]as?|semanas?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Unverified:
    """What was typed: the text around the words, and the number of months, 0 for an age that is no whole number of them."""

    rest: str
    months: int | None = None

    @property
    def command(self) -> str:
        """The command as it is typed in front of a filter."""
        return command_with(self.months)


def command_with(months: int | None) -> str:
    is_default = months is None or months == DEFAULT_MONTHS
    return UNVERIFIED if is_default else f"{UNVERIFIED} {plural(months or 0, 'month')}"


def read_unverified(text: str) -> Unverified | None:
    """Return the filter around `not verified for 12 months`; None where something else was typed."""
    return take_age(_WORDS.sub(" ", text, count=1)) if _WORDS.search(text) else None


def take_age(text: str) -> Unverified:
    """Return the text without the first age in it (`for 6 months`), and that age."""
    found = _AGE.search(text)
    if found is None:
        return Unverified(" ".join(text.split()))
    rest = f"{text[: found.start()]} {text[found.end() :]}"
    return Unverified(" ".join(rest.split()), _months(found["number"], found["unit"]))


def _months(number: str, unit: str) -> int:
    word = fold(number)
    count = float(number.replace(",", ".")) if number[-1].isdigit() else _NUMBERS[word]
    months = float(count * _MONTHS_OF_UNIT.get(fold(unit)[:2], 0))
    return int(months) if months.is_integer() and months > 0 else 0
