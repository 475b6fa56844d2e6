"""Grades and classes in a question: ordinals of both languages, ranges, `quinto B`, and numbers that need not be a grade at all."""

import re
from collections.abc import Mapping, Sequence

from bot.domain.names import fold
from bot.filters import words as w

# `5.º B` and `5°B` are a class, `5.º` is a grade. Unicode's compatibility forms would make `5.o` of it.
_ORDINAL_SIGN = re.compile(r"\b(\d{1,2})\s?\.?\s?[ºª°]\s?([A-Ha-h]\b)?")
_SPANISH_ORDINAL = re.compile(r"(\d{1,2})(?:er|ro|ra|do|da|to|ta|mo|ma|vo|va|no|na)")
_GRADE = re.compile(r"\d(?:st|nd|rd|th)?$", re.IGNORECASE)
_SECTION = re.compile("[A-H]")
_CLASS = re.compile(r"\b(?:(?:grades?|grado|class|room) )*(\d{1,2})(?:st|nd|rd|th)?(?: grade| grado)? ([A-Hb-h])\b")
_DASH = re.compile(r"\b(k|\d{1,2}) - (\d{1,2})\b", re.IGNORECASE)
_UP_TO = "to|through|thru|until|till|hasta"
_NOUN_BEFORE_UP_TO = re.compile(rf" (?:grades?|graders?|grados?) ({_UP_TO}) ")
_ORDINAL_WORDS = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth"
_KEY_BEHIND_UP_TO = re.compile(
    rf" (\d{{1,2}}(?:st|nd|rd|th)?|[pt]?k|{_ORDINAL_WORDS}) ({_UP_TO}) (?:grades?|grados?) ", re.IGNORECASE
)
_BARE_GRADE = re.compile(rf"(?:k|pk|tk|\d{{1,2}})(?:st|nd|rd|th)?(?:-\d{{1,2}}(?:st|nd|rd|th)?)?|{_ORDINAL_WORDS}")
_BEFORE_GRADE = w.GRADE_KEYS | w.ROOM_KEYS | w.PAGE_KEYS | {"in", "of", "from", "class", "#"}
_JOINS = w.AND | w.UP_TO | {"-", "&"}


def with_plain_ordinals(text: str) -> str:
    """Return text as typed without signs of ordinals, and with `3 - 5` in one word."""
    plain = _ORDINAL_SIGN.sub(lambda found: f"{found[1]}{found[2]} " if found[2] else f"grade {found[1]} ", text)
    return _DASH.sub(r"\1-\2", plain)


def spanish_ordinal(word: str) -> str:
    """Return the grade of a folded word like `5to` or `1er`; empty for any other."""
    found = _SPANISH_ORDINAL.fullmatch(word)
    return f"grade {found[1]}" if found else ""


def is_section(token: str, before: str) -> bool:
    """Return whether a token is the `A` of `quinto A`, where Spanish has a word, too; `before` is what stands before it."""
    return bool(_SECTION.fullmatch(token) and _GRADE.search(before))


def with_classes(text: str, known: Mapping[str, str]) -> tuple[str, bool]:
    """Return the text with `grade 5 B` as the class 5B, by the folded words of `known`; as it is if one is not
    known, and whether all are.
    """
    unknown = [found for found in _CLASS.finditer(text) if fold(found[1] + found[2]) not in known]
    with_titles = _CLASS.sub(lambda found: f'class "{known.get(fold(found[1] + found[2]))}"', text)
    return (text, False) if unknown else (with_titles, True)


def with_ranges(text: str) -> str:
    """Return `3rd grade to 5th grade` as `3rd to 5th grade`, which the parser reads as a range."""
    return _KEY_BEHIND_UP_TO.sub(r" \1 \2 ", _NOUN_BEFORE_UP_TO.sub(r" \1 ", text))


def has_number_alone(words: Sequence[str]) -> bool:
    """Return whether a number or an ordinal stands where it need not be a grade: `top 5`, `the second message`."""
    numbers = {at for at, word in enumerate(words) if _BARE_GRADE.fullmatch(word)}
    sure: set[int] = set()
    for at in sorted(numbers):
        is_continued = at - 1 in sure or (at - 2 in sure and words[at - 1] in _JOINS)
        if is_continued or (at and words[at - 1] in _BEFORE_GRADE):
            sure.add(at)
    for at in sorted(numbers, reverse=True):
        following = words[at + 1] if at + 1 < len(words) else ""
        is_before_noun = following in w.GRADE_NOUNS and at + 2 not in numbers
        if is_before_noun or at + 1 in sure or (at + 2 in sure and following in _JOINS):
            sure.add(at)
    return bool(numbers - sure)
