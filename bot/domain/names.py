"""Names of people and schools: as a roster writes them, cleaned, and folded so that a search finds them however typed.

Folding drops what people leave out when they type: case, accents, apostrophes and hyphens.
"""

import re
import unicodedata
from functools import lru_cache

_HIDDEN = re.compile(
    r"[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufffe\uffff]"
)
SPELT = {
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
"""Small letters that people type in another way, and that Unicode does not decompose into a plain letter and a mark."""
SEPARATORS = ",;/()"
"""What parts words, as white space does."""


def clean(text: str) -> str:
    """The same words without hidden characters, each run of white space one blank, in composed form (NFC)."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    return " ".join(_HIDDEN.sub("", unicodedata.normalize("NFC", text)).split())


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """Letters, digits and single blanks only: `O'Brien-Núñez, Ana` is `obriennunez ana`. Folding twice changes nothing.

    A roster holds the same names over and over, so those folded last are kept.
    """
    if text.isascii():
        return " ".join(text.translate(_ASCII).split())
    letters = unicodedata.normalize("NFKD", clean(text)).lower().translate(_SPELT)
    return " ".join("".join(map(_letter, letters)).split())


def whole(given: str, family: str) -> str:
    """Both names of a person, folded. Each by itself is met again sooner than the two together."""
    return f"{fold(given)} {fold(family)}".strip()


def is_dropped(character: str) -> bool:
    """Marks, apostrophes, hyphens and other signs: people leave them out, and the word goes on."""
    return not (character.isalnum() or character.isspace() or character in SEPARATORS)


def _letter(character: str) -> str:
    if character.isalnum():
        return character
    return "" if is_dropped(character) else " "


_SPELT = str.maketrans(SPELT)

_ASCII = {
    code: " " if chr(code) in "\t\n\v\f\r" else _letter(chr(code)).lower() if code > ord("\x1f") else ""
    for code in range(128)
}
"""The same rule for the many names that need no Unicode, several times as fast."""
