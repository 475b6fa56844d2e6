"""What the words in a messenger's report mean, and which messenger wrote it. The words are in `report_words.toml`."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from bot.domain.names import fold
from bot.domain.sms_status import Outcome
from bot.errors import UserError

_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
_BETWEEN_WORDS = re.compile(r"[_\-‐-―/\\:;,.]+")
_BESIDE = re.compile(r"\s*\([^)]*\)")
_PREFIX = re.compile(r"^(?:sms|phone|text) (?=\S)")


class Meaning(StrEnum):
    """What a result means for a delivery: an outcome, or that it is no result of a text.

    VOICE is the result of a call. STATE describes a contact, whether or not it was texted. Neither counts.
    """

    DELIVERED = Outcome.DELIVERED
    LANDLINE = Outcome.LANDLINE
    TURNED_OFF = Outcome.TURNED_OFF
    BLOCKED = Outcome.BLOCKED
    INACTIVE = Outcome.INACTIVE
    OPT_OUT = Outcome.OPT_OUT
    UNCONFIRMED = Outcome.UNCONFIRMED
    NOT_CONTACT_PROBLEM = Outcome.NOT_CONTACT_PROBLEM
    PENDING = Outcome.PENDING
    VOICE = "voice"
    STATE = "state"

    @property
    def outcome(self) -> Outcome | None:
        return None if self in {Meaning.VOICE, Meaning.STATE} else Outcome(self)


# What people choose from where a word is not known.
LABELS: Mapping[Meaning, str] = {
    Meaning.DELIVERED: "Delivered",
    Meaning.LANDLINE: "Landline: this phone gets no texts",
    Meaning.INACTIVE: "Inactive: the number is out of service",
    Meaning.BLOCKED: "Blocked by the family or the carrier",
    Meaning.TURNED_OFF: "Turned Off: the phone was off",
    Meaning.OPT_OUT: "Opt-Out: the family asked us to stop",
    Meaning.UNCONFIRMED: "Not delivered, for no known reason",
    Meaning.NOT_CONTACT_PROBLEM: "Not sent, for a reason of ours",
    Meaning.PENDING: "Not final yet",
    Meaning.VOICE: "The result of a call, not of a text",
    Meaning.STATE: "Not a result: leave these rows out",
}
NOT_DELIVERED = frozenset({Meaning.LANDLINE, Meaning.TURNED_OFF, Meaning.BLOCKED, Meaning.INACTIVE, Meaning.OPT_OUT,
                           Meaning.UNCONFIRMED})  # fmt: skip


@dataclass(frozen=True)
class Messenger:
    """A messenger that schools use. `provider` is the SMS service whose codes its report has, if that is certain."""

    key: str
    title: str
    names: frozenset[str]
    marks: frozenset[str]
    words: Mapping[str, Meaning]
    provider: str | None


class Channel(StrEnum):
    """How a row's message went out."""

    TEXT = "text"
    CALL = "call"
    OTHER = "other"


def normalize(word: str) -> str:
    """Return a word or title without case, width, signs, and the `SMS` or `Phone` in front: `SMS Opted-Out` is `opted out`."""
    return _PREFIX.sub("", normalize_title(word))


def normalize_title(word: str) -> str:
    spaced = _CAMEL_CASE.sub(" ", unicodedata.normalize("NFKC", word))
    return fold(_BETWEEN_WORDS.sub(" ", spaced))


@cache
def data() -> Mapping[str, Any]:
    with Path(__file__).with_suffix(".toml").open("rb") as file:
        return tomllib.load(file)


def _meanings(words: Mapping[str, Iterable[str]]) -> dict[str, Meaning]:
    return {word: Meaning(meaning) for meaning, listed in words.items() for word in listed}


@cache
def known_words() -> Mapping[str, Meaning]:
    """Return the words that mean the same to every messenger; our own names of the statuses are among them."""
    return _meanings(data()["words"])


@cache
def messengers() -> Mapping[str, Messenger]:
    return {
        key: Messenger(
            key,
            entry["title"],
            frozenset(entry["names"]),
            frozenset(entry["marks"]),
            _meanings(entry.get("words", {})),
            entry.get("provider"),
        )
        for key, entry in data()["messengers"].items()
    }


@cache
def channels() -> Mapping[str, Channel]:
    lists = {Channel.TEXT: data()["texts"], Channel.CALL: data()["calls"], Channel.OTHER: data()["others"]}
    return {word: channel for channel, words in lists.items() for word in words}


def named_messenger(key: str) -> Messenger:
    """Return the messenger that a person named.

    Raises:
        UserError: it is not known.
    """
    messenger = messengers().get(key.strip().lower())
    if messenger is None:
        sentence = f"The messenger “{key}” is not known here. Use one of: {', '.join(messengers())}; or leave it out."
        raise UserError("report.unknown_messenger", sentence, field="messenger")
    return messenger


def find_messenger(beside: str, words: Iterable[str]) -> Messenger | None:
    """Return the messenger that a report is from: named `beside` its table, or else the one that has most of its words and titles.

    `beside` is the name of the file and the text above the header. None if no messenger or more than one fits.
    """
    spoken = f" {normalize_title(beside)} "
    for messenger in messengers().values():
        if any(f" {name} " in spoken for name in messenger.names):
            return messenger
    found = {form for word in words for form in (normalize_title(word), normalize(word))}
    hits = {key: len(messenger.marks & found) for key, messenger in messengers().items()}
    best = max(hits.values())
    winners = [key for key, count in hits.items() if count == best]
    return messengers()[winners[0]] if best and len(winners) == 1 else None


def look_up(word: str, messenger: Messenger | None, remembered: Mapping[str, Meaning]) -> Meaning | None:
    """Return what a result means, or None if a person has to be asked. What a person chose before goes first."""
    own = messenger.words if messenger else {}
    # Some write the reason beside the word: `Invalid (the phone is wrong)`.
    for text in (word, _BESIDE.sub("", word)):
        key = normalize(text)
        if meaning := remembered.get(key) or own.get(key) or known_words().get(key):
            return meaning
    return None


def may_be_landline_or_inactive(word: str) -> bool:
    return normalize(_BESIDE.sub("", word)) in data()["ask"] or normalize(word) in data()["ask"]


def only_texts_have(word: str) -> bool:
    """Return whether a result can be that of a text alone, and of no call."""
    return normalize_title(word).startswith(("sms ", "text ")) or normalize(word) in data()["text_only"]
