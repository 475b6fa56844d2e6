"""Names of people and schools: as a roster writes them, cleaned, and folded so that a search finds them however typed.

Folding drops what people leave out when they type: case, accents, apostrophes and hyphens.
"""

import re
import unicodedata
from functools import lru_cache

_HIDDEN = re.compile(
    r"[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufffe\uffff]"
)
_STROKES = str.maketrans(
    {"đ": "d", "ð": "d", "ø": "o", "ł": "l", "ħ": "h", "\u0131": "i", "ŧ": "t", "æ": "ae", "œ": "oe"}
)
"""Letters that Unicode does not decompose into a plain letter and a mark."""


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
    letters = unicodedata.normalize("NFKD", clean(text)).casefold().translate(_STROKES)
    plain = (_letter(character) for character in unicodedata.normalize("NFKD", letters))
    return " ".join("".join(plain).split())


def whole(given: str, family: str) -> str:
    """Both names of a person, folded. Each by itself is met again sooner than the two together."""
    return f"{fold(given)} {fold(family)}".strip()


def _letter(character: str) -> str:
    """Commas, full stops and the like part words; marks, apostrophes and hyphens belong to the word they stand in."""
    if character.isalnum():
        return character
    return " " if character.isspace() or character in ",;/()" else ""


_ASCII = {
    code: " " if chr(code) in "\t\n\v\f\r" else _letter(chr(code)).lower() if code > ord("\x1f") else ""
    for code in range(128)
}
"""The same rule for the many names that need no Unicode, several times as fast."""
