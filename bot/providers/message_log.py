"""The log of an account at a provider: the texts that it sent and received."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from bot.providers.receipt import FamilyText, OptOutMessage, ParsedReceipt

_LINK = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class SentText:
    """A text that the account sent. `body_key` is a hash of its body, None if the log does not show the body.

    `event_key` and `receipt` are of its state at the moment: parsing it logs an unknown code, so it is parsed only once.
    `is_unprompted` is False for an answer to one person's text, and for a text that was never sent.
    """

    provider_id: str
    phone: str
    at: datetime
    body_key: str | None
    is_unprompted: bool
    event_key: str
    fields: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class ReceivedText:
    """A text of a family."""

    at: datetime
    message: OptOutMessage | FamilyText


class MessageLog(Protocol):
    """The log of one account."""

    @property
    def provider(self) -> str: ...

    @property
    def account(self) -> str: ...

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
    return sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16] if words else None
