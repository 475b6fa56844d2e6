"""Grade levels, stored as one of `LEVELS` however the SIS wrote them. An unknown word becomes `Other`; no student is dropped for it.

OneRoster 1.1 uses the CEDS entry grade levels (IT PR PK TK KG 01..12 13 PS UG Other); 1.2 leaves the vocabulary open.
"""

import re
import unicodedata
from collections.abc import Set as AbstractSet

from bot.domain.names import fold

LEVELS = ("PK", "TK", "K", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "UG", "Other")

_WORDS = {
    "it": "PK", "pr": "PK", "pk": "PK", "prek": "PK", "prekindergarten": "PK", "preschool": "PK",
    "p3": "PK", "p4": "PK", "pk3": "PK", "pk4": "PK", "prek3": "PK", "prek4": "PK", "3k": "PK", "4k": "PK", "prekinder": "PK",
    "tk": "TK", "transitionalkindergarten": "TK", "transitional": "TK",
    "k": "K", "kg": "K", "kinder": "K", "kindergarten": "K", "kdg": "K", "kgn": "K", "kinders": "K",
    "kindergartener": "K", "kindergarteners": "K", "kindergartner": "K", "kindergartners": "K",
    "ug": "UG", "ungraded": "UG", "other": "Other", "ps": "Other", "postsecondary": "Other",
    "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "sixth": "6", "seventh": "7",
    "eighth": "8", "ninth": "9", "tenth": "10", "eleventh": "11", "twelfth": "12",
    "freshman": "9", "sophomore": "10", "junior": "11", "senior": "12",
    "freshmen": "9", "freshmans": "9", "sophomores": "10", "juniors": "11", "seniors": "12",
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "eleven": "11", "twelve": "12",
}  # fmt: skip
# The common spellings, for which no pattern is needed.
_COMMON = {**_WORDS, **{level: level for level in LEVELS}, **{f"{number:02}": str(number) for number in range(1, 10)}}
_LABELS = {
    "PK": "pre-K",
    "TK": "transitional kindergarten",
    "K": "kindergarten",
    "UG": "ungraded",
    "Other": "other grade",
}

_SHORT = {"UG": "ungraded", "Other": "other grade"}

# A level in digits with what people write around it: blanks anywhere, other signs only before it.
_DIGITS = re.compile(r"(?:grades?|gr|g)?[ .:#=-]*(\d{1,2})(?:\.0)? ?(?:st|nd|rd|th)?[ .°]*(?:grade)?")
# Some SIS count the years before kindergarten, which is their 0.
_BELOW_ZERO = re.compile(r"-0?[1-4]")
_DIGIT = re.compile(r"\d")
# Longer than any range of grades: what is longer is not compared part by part.
_LONGEST_RANGE = 60


def parse(text: str) -> str | None:
    """Return the level of one written grade (`5`, `05`, `5th`, `Gr. 5`, `KG`, `kinder`); None if it is not one grade.

    Two grades in one (`1-2`, `1/2`) are not one grade.
    """
    if level := _COMMON.get(text):
        return level
    visible = [letter for letter in unicodedata.normalize("NFKC", text) if unicodedata.category(letter) != "Cf"]
    word = " ".join("".join(visible).casefold().split())
    if _BELOW_ZERO.fullmatch(word):
        return "PK"
    if digits := _DIGITS.fullmatch(word):
        level = str(int(digits[1]))
        return "K" if level == "0" else level if level in LEVELS else None
    return _WORDS.get(re.sub(r"[^a-z0-9]|\bgrade\b", "", word))


def grade_levels(text: str, among: AbstractSet[str] | None = None) -> list[str]:
    """Return the levels of one word as typed: of a grade, of a range (`3-5`, `pre-k-2`), or none.

    With `among`, a word counts only if it has a digit or is in there, each of its parts too: `junior` may be a name.
    """
    parts = text.strip("-").split("-") if len(text) <= _LONGEST_RANGE else []
    if among is not None and fold(text) not in among:
        for part in parts:
            if part and fold(part) not in among and not _DIGIT.search(part):
                return []
    for cut in range(1, len(parts)):
        if levels := levels_between("-".join(parts[:cut]), "-".join(parts[cut:])):
            return levels
    level = parse(text) if parts else None
    return [level] if level else []


def levels_between(first: str, last: str) -> list[str]:
    """Return every level from one grade to another, in either order; none if one of them is not a grade."""
    ends = [parse(first), parse(last)]
    if None in ends:
        return []
    low, high = sorted(order(level) for level in ends if level)
    return list(LEVELS[low : high + 1])


def from_roster(text: str) -> str | None:
    """Return the level of a cell of an SIS export: the first grade of a list, `Other` for an unknown word, None for a blank."""
    first = text.split(",", maxsplit=1)[0].strip()
    return (parse(first) or "Other") if first else None


def order(level: str) -> int:
    return LEVELS.index(level)


def label(level: str) -> str:
    """Return `grade 5`, `kindergarten`, or `pre-K`, for use inside a sentence."""
    return _LABELS.get(level) or f"grade {level}"


def short(level: str) -> str:
    """Return `Gr 5` (its parts stay together at the end of a line), `K`, or `Pre-K`, for a row with little space."""
    return f"Gr\u00a0{level}" if level.isdecimal() else "Pre-K" if level == "PK" else _SHORT.get(level, level)


def title(level: str) -> str:
    """Return `Grade 5`, `Kindergarten`, or `Pre-K`, for the start of a line."""
    text = label(level)
    return text[0].upper() + text[1:]
