"""The log of an account at a provider: the texts that it sent and received."""

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Protocol, TypeVar

from bot.providers.receipt import FamilyText, Malformed, OptOutMessage, ParsedReceipt

logger = logging.getLogger(__name__)

_Read = TypeVar("_Read")

# An automatic answer follows within seconds.
_ANSWERED_WITHIN = timedelta(minutes=2)

_LINK = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class SentText:
    """A text that the account sent. `group_key` is the same for the texts of one mass message: a hash of the body, or of the sender
    in a log without bodies. It is None if the body is not shown.

    `event_key` and `receipt` are of its state at the moment: parsing it logs an unknown code, so it is parsed only once.
    `is_unprompted` is False for an answer to one person's text, and for a text that was never sent.
    """

    provider_id: str
    phone: str
    at: datetime
    group_key: str | None
    is_unprompted: bool
    event_key: str
    fields: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class ReceivedText:
    """A text of a family."""

    at: datetime
    message: OptOutMessage | FamilyText


class MessageLog(Protocol):
    """The log of one account. A text may be `late` in the log by this much."""

    @property
    def provider(self) -> str: ...

    @property
    def account(self) -> str: ...

    @property
    def has_bodies(self) -> bool: ...

    @property
    def late(self) -> timedelta: ...

    def texts(self, start: datetime, end: datetime) -> Iterator[SentText | ReceivedText]:
        """Yield the texts between two times, in any order; perhaps some others, too.

        Raises:
            UserError: the log cannot be read; trying again later continues.
        """

    def receipt(self, sent: SentText) -> ParsedReceipt:
        """Return the state of a text as a receipt. An unknown code is logged."""

    def probe(self) -> None:
        """Read one text.

        Raises:
            UserError: the log cannot be read.
        """


def body_key(body: str) -> str | None:
    """Return a hash that is the same for texts that differ only in their links, which many senders shorten for each recipient."""
    words = " ".join(_LINK.sub("", body).split())
    return _hash(words) if words else None


def sender_key(sender: str) -> str | None:
    """Return a hash of the number or name that texts are from."""
    return _hash(f"sender {sender}") if sender else None


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_items(
    items: Iterable[Any], read: Callable[[Mapping[str, Any]], _Read | None], *, provider: str
) -> Iterator[_Read]:
    """Yield what `read` returns for each object of a log, without None; one that is malformed costs only itself."""
    for item in items:
        try:
            value = read(item if isinstance(item, dict) else {})
        except Malformed as problem:
            logger.error("a message in the log of %s was left out: %s", provider, problem)  # noqa: TRY400 (The reason is enough.)
            continue
        if value is not None:
            yield value


def mark_answers(sent: Iterable[SentText], received: Iterable[tuple[str, datetime]]) -> Iterator[SentText]:
    """Mark the texts to numbers that had just sent one: they answer it. `received` has the number and time of each."""
    times: defaultdict[str, list[datetime]] = defaultdict(list)
    for number, at in received:
        times[number].append(at)
    for each in sent:
        is_answer = any(each.at - _ANSWERED_WITHIN <= at <= each.at for at in times[each.phone])
        yield replace(each, is_unprompted=False) if is_answer else each
