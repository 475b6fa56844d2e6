"""A grade level, stored as one of `LEVELS` whatever the SIS wrote. Unknown words are kept as `Other`, never dropped.

The OneRoster 1.1 vocabulary is CEDS entry grade level (IT PR PK TK KG 01..12 13 PS UG Other); 1.2 leaves it open.
"""

import re
import unicodedata

LEVELS = ("PK", "TK", "K", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "UG", "Other")

_WORDS = {
    "it": "PK", "pr": "PK", "pk": "PK", "prek": "PK", "prekindergarten": "PK", "preschool": "PK", "p3": "PK", "p4": "PK", "ps": "PK",
    "tk": "TK", "transitionalkindergarten": "TK", "transitional": "TK",
    "k": "K", "kg": "K", "kinder": "K", "kindergarten": "K", "kdg": "K", "kgn": "K", "0": "K",
    "ug": "UG", "ungraded": "UG", "other": "Other",
    "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "sixth": "6", "seventh": "7",
    "eighth": "8", "ninth": "9", "tenth": "10", "eleventh": "11", "twelfth": "12",
    "freshman": "9", "sophomore": "10", "junior": "11", "senior": "12",
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "eleven": "11", "twelve": "12",
}  # fmt: skip


def parse(text: str) -> str | None:
    """A level of `LEVELS` for one written grade (`5`, `05`, `5th`, `Grade 5`, `KG`, `kinder`), or None if it is not one."""
    word = unicodedata.normalize("NFKC", text).casefold()
    word = re.sub(r"[^a-z0-9]", "", word.replace("grade", ""))
    word = re.sub(r"^(\d{1,2})(st|nd|rd|th)$", r"\1", word)
    if word in _WORDS:
        return _WORDS[word]
    if word.isdecimal() and word.lstrip("0") in LEVELS:
        return word.lstrip("0")
    return _WORDS["0"] if word and not word.strip("0") else None


def of_roster(text: str) -> str | None:
    """The level for a cell of an SIS export: the first grade of a list; a word nobody knows is `Other`; blank is None."""
    first = text.split(",", maxsplit=1)[0].strip()
    return (parse(first) or "Other") if first else None


def order(level: str) -> int:
    return LEVELS.index(level)


def label(level: str) -> str:
    """How people read a level: `grade 5`, `kindergarten`, `pre-K`."""
    words = {
        "PK": "pre-K",
        "TK": "transitional kindergarten",
        "K": "kindergarten",
        "UG": "ungraded",
        "Other": "other grade",
    }
    return words.get(level) or f"grade {level}"


def title(level: str) -> str:
    """The same at the head of a line: `Grade 5`, `Pre-K`."""
    said = label(level)
    return said[0].upper() + said[1:]
