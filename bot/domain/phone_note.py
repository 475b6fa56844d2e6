"""What an SIS wrote beside a phone number, and what follows from it: `DO NOT TEXT`, `(disconnected)`, `mom`.

Words of refusal outrank words that say the number does not work. Words in English and Spanish, in any case and with or without
accents. A word too many costs a text that staff can allow again; with a word too few, a person under a court's protection is texted.
"""

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum

# Longer notes are cut; no SIS shows more in a phone field.
LONGEST_NOTE = 300


class NoteKind(StrEnum):
    """Why a number is not texted until staff allow it, worst first."""

    REFUSED = "refused"
    DEAD = "dead"
    IMPOSSIBLE = "impossible"


_REFUSED = re.compile(
    r"\b(?:do\s*not|(?:do|does|did|wo|ca)n?\W?n?t|can\s*not|never|no|not|please\s+no)\W*(?:\w+\W+){0,3}?"
    r"(?:text|txt|sms|ms?gs?\b|call|contact|messag|llam|comuni|mensaj|mand|envi|escrib)"
    r"|\b(?:dnc|dnt|d\.\s*n\.\s*[ct])\b|\bno\s*(?:contact|text|call|texto|llamada)|\btexts?\W+no\b"
    r"|\b(?:calls?|voice|phone\s+calls?|solo\s+llamadas?)\W+only\b|\bsolo\s+llamadas?\b|\bunsubscri"
    r"|court|restrain|protecti(?:ve|on)\b|injunction|custod|\bopt(?:s|ed)?\W?out|\bstop\b|\brefus|\bt\.?r\.?o\b\.?|\bstay\W+away"
    r"|orden\s+(?:judicial|de\s+\w+)|alejamiento|restriccion|\bprohibid|\bjuzgado|\btribunal"
)
_DEAD = re.compile(
    r"\bwrong|\bdisc\b|\bdisconn?ect|\bnot?\W+(?:in\W+service|working|valid|good|longer)|out\W+of\W+(?:service|order)"
    r"|\bold\b|\bbad\b|\bdead\b|\binvalid|\bincorrect|\bdoes\W?n.?t\W+work|\bdoes\W+not\W+work|\bnon\W?working|\binactive"
    r"|equivocad|desconectad|fuera\s+de\s+servicio|\bno\s+(?:sirve|funciona|existe|es\s+valid)|\bviej[oa]|\bantigu[oa]|\bmal[oa]?\b"
)
# A number within a cell: digits with the signs that people put between them.
_DIGITS = re.compile(r"\+?\(?\d[\d\s().\-]*\d")
_FEWEST_DIGITS = 7
_NATIONAL_DIGITS = 10


def kind_of(note: str) -> NoteKind | None:
    """Return what follows from a note; None for most."""
    text = unicodedata.normalize("NFKD", note.casefold())
    text = (
        "".join(character for character in text if not unicodedata.combining(character))
        .replace("’", "'")
        .replace("_", " ")
    )
    if _REFUSED.search(text):
        return NoteKind.REFUSED
    return NoteKind.DEAD if _DEAD.search(text) else None


def note_beside(cell: str, e164: str | None) -> str | None:
    """Return the words of a cell beside its number, or all of them if none could be read; None if there are no words."""
    rest = (
        cell if e164 is None else _DIGITS.sub(lambda run: " " if _is_number(run.group(), e164) else run.group(), cell)
    )
    note = " ".join(rest.split()).strip(" ,;:/-–()[]*#")
    has_words = any(map(str.isalpha, note)) or (e164 is not None and any(map(str.isdecimal, note)))
    return note[:LONGEST_NOTE] if has_words else None


def masked_note(note: str) -> str:
    """Return a note without the digits of a second number but its last four."""
    return _DIGITS.sub(_mask, note)


def _mask(run: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", run.group())
    return run.group() if len(digits) < _FEWEST_DIGITS else f"••• {digits[-4:]}"


def _is_number(text: str, e164: str) -> bool:
    digits = re.sub(r"\D", "", text)
    return len(digits) >= _FEWEST_DIGITS and digits[-_NATIONAL_DIGITS:] == e164[1:][-_NATIONAL_DIGITS:]


def worst(kinds: Sequence[NoteKind | None]) -> NoteKind | None:
    return next((kind for kind in NoteKind if kind in kinds), None)
