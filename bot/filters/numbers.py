"""Phone numbers and student numbers in what was typed, as digits. A number is found by its end, so its country code may be left out."""

import re

# The last digits of a phone, which are on screen wherever a number is masked.
LAST_DIGITS = 4
# A phone in one of its usual spellings, which blanks do not end. A country code of 1 stands apart only behind a plus: in
# `1 248 555 0142` it may be a grade.
PHONE = (
    r"(?<![\w.+-])(?:(?:\+1[ .-]?|1[.-]?)?(?:\(\d{3}\)[ .-]?|\d{3}[ .-]?)\d{3}[ .-]?\d{4}"
    r"|\+\d[\d ().-]{6,16}\d|\d{3}[.-]\d{4})(?![\w-])"
)
_PHONE = re.compile(PHONE)
_LONGEST = 20
_NORTH_AMERICAN = re.compile(r"1[2-9]\d{2}[2-9]\d{6}")
_YEAR = re.compile(r"(?:19|20)\d\d")


def number_in(text: str) -> str:
    """Return the digits of a word that is a phone, or a number of at least four digits; empty for any other."""
    is_digits = text.isascii() and text.isdecimal() and LAST_DIGITS <= len(text) <= _LONGEST
    return canonical(text) if is_digits or _PHONE.fullmatch(text) else ""


def canonical(text: str) -> str:
    """Return the digits, at most twenty, without the country code of North America."""
    digits = "".join(re.findall(r"[0-9]", text))[:_LONGEST]
    return digits[1:] if _NORTH_AMERICAN.fullmatch(digits) else digits


def is_year(number: str) -> bool:
    return _YEAR.fullmatch(number) is not None


def shown(number: str) -> str:
    """Return a number for a heading: one that may be a whole phone is masked."""
    return number if len(number) < 7 else f"••• {number[-LAST_DIGITS:]}"  # noqa: PLR2004
