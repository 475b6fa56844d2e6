"""Names of people and schools: cleaned, and folded so that a search finds them however they are typed.

Folding drops what people leave out when they type: case, accents, apostrophes, and hyphens.
"""

import re
import unicodedata
from functools import lru_cache
from string import ascii_uppercase

_HIDDEN = re.compile(
    r"[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufffe\uffff]"
)
# Lower-case letters that people type differently and that Unicode does not decompose into a plain letter and a mark.
SPELLINGS = {
    "đ": "d",
    "ð": "d",
    "ø": "o",
    "ł": "l",
    "ħ": "h",
    "\u0131": "i",
    "ŧ": "t",
    "ς": "σ",
    "æ": "ae",
    "œ": "oe",
    "ß": "ss",
}
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_PARTICLES = re.compile(r"(de)(las?|los)([a-z]{3,})|(van|von)(de[rn])([a-z]{3,})|(del?|van|von|san)([a-z]{4,})")
# Ends the given name of an adult whose name the SIS does not have: `Mother of` `Ada Lee`.
DESCRIBED = " of"
# These separate words, as white space does.
SEPARATORS = ",;/()"


def clean(text: str) -> str:
    """Return the text without hidden characters, with single blanks, in composed form (NFC)."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    return " ".join(_HIDDEN.sub("", unicodedata.normalize("NFC", text)).split())


@lru_cache(maxsize=8192)  # A roster repeats its names, and commands repeat their words.
def fold(text: str) -> str:
    """Return letters, digits, and single blanks only: `O'Brien-Núñez, Ana` is `obriennunez ana`. Folding is idempotent."""
    if text.isascii():
        return " ".join(text.translate(_ASCII).split())
    letters = unicodedata.normalize("NFKD", clean(text)).lower().translate(_TRANSLATION)
    return " ".join("".join(map(_fold_character, letters)).split())


def fold_full_name(given: str, family: str) -> str:
    """Return `fold` of both names. Each is folded by itself: it is in the cache more often than the two together."""
    return f"{fold(given)} {fold(family)}".strip()


def search_words(text: str) -> list[str]:
    """Return the folded words of typed names. A Han character is a word: 王小明 may be stored as 小明 and 王."""
    return _HAN.sub(r" \g<0> ", fold(text)).split()


def word_parts(word: str) -> tuple[str, ...]:
    """Return the parts of a folded word that a name may have apart: `delacruz` is `de`, `la`, `cruz`; most words are one."""
    match = _PARTICLES.fullmatch(word)
    return tuple(filter(None, match.groups())) if match else (word,)


def is_dropped(character: str) -> bool:
    """Return whether people leave the character out within a word: marks, apostrophes, hyphens, and other signs."""
    return not (character.isalnum() or character.isspace() or character in SEPARATORS)


def _fold_character(character: str) -> str:
    if character.isalnum():
        return character
    return "" if is_dropped(character) else " "


_TRANSLATION = str.maketrans(SPELLINGS)
# The same rule as a table, several times as fast, for the many names that need no Unicode.
_ASCII = {
    code: " " if chr(code) in "\t\n\v\f\r" else _fold_character(chr(code)).lower() if code > ord("\x1f") else ""
    for code in range(128)
}


def _initials() -> dict[str, list[str]]:
    """Return the Latin letters, of both cases and with marks, by the capital that they fold to."""
    latin = (chr(code) for code in (*range(0x41, 0x250), *range(0x1E00, 0x1F00)))
    folded = [(fold(character)[:1].upper(), character) for character in latin]
    return {letter: [written for first, written in folded if first == letter] for letter in ascii_uppercase}


INITIALS = _initials()
