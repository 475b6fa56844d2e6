"""Opt-out and opt-in words: a text that consists of them alone counts at once, at every provider.

The words are those of 47 CFR 64.1200(a)(10) (April 2025), of the providers' own lists, and of families who write Spanish or French.
"""

import re
import unicodedata
from collections.abc import Collection
from enum import StrEnum
from typing import Any

from bot.providers.callback import as_text, e164
from bot.providers.receipt import FamilyText, OptOutMessage

_WORDS = (
    "stop, quit, end, revoke, opt out, cancel, unsubscribe",  # The FCC's.
    "stop all, remove, arret, td",  # Twilio's, Telnyx's, Plivo's, and those that AWS requires.
    "alto, parar, pare, paren, basta, cancelar, cancele, baja, detener, detenga, no mas, arreter, annuler, desabonner",
)
# Carriers also accept YES. A YES may answer any other question, though, and would then lift an opt-out by mistake.
_OPT_IN = {"start", "unstop"}
_APOSTROPHES = re.compile("['’‘ʼ`´]")


class Keyword(StrEnum):
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"


def normal_form(text: str) -> str:
    """Return the words of a text, in lower case and joined by single blanks: letters without accents, and digits.

    Width, quotes, emoji, hyphens, and punctuation around words do not count; an apostrophe joins its word. Idempotent.
    """
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", _APOSTROPHES.sub("", text)).casefold())
    return " ".join("".join(map(_letter_or_blank, letters)).split())


def _letter_or_blank(character: str) -> str:
    # Marks and hidden characters stand within a word: accents, zero-width spaces, the selectors of emoji.
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return ""
    return character if character.isalnum() else " "


def _without_blanks(word: str) -> str:
    """Return the form in which words are compared: `OPT-OUT`, `opt out`, and `O P T O U T` are one."""
    return normal_form(word).replace(" ", "")


OPT_OUT_WORDS = frozenset(_without_blanks(word) for words in _WORDS for word in words.split(","))


def keyword(text: str, *, own_words: Collection[str] = ()) -> Keyword | None:
    """Return what a text says at once, None unless it consists of keywords alone; `own_words` are the district's opt-out words."""
    words, opt_outs = normal_form(text), OPT_OUT_WORDS.union(map(_without_blanks, own_words)) - {""}
    compact = words.replace(" ", "")
    if compact in _OPT_IN:
        return Keyword.OPT_IN
    is_opt_out = compact in opt_outs or (compact and all(word in opt_outs for word in words.split()))
    return Keyword.OPT_OUT if is_opt_out else None


def opt_out_messages(provider: str, event_key: str, *, sender: Any, text: Any) -> list[OptOutMessage | FamilyText]:
    """Return an opt-out or opt-in if the whole text is one, any other text as it is, and nothing without text or number."""
    phone, written = e164(sender), as_text(text)
    if phone is None or not written:
        return []
    if found := keyword(written):
        return [OptOutMessage(provider, event_key, phone, opted_out=found is Keyword.OPT_OUT)]
    return [FamilyText(provider, event_key, phone, written)]
