"""The common form of what providers report: delivery receipts, texts of families, reassigned numbers, and handshakes.

Each provider's own table of codes decides what a receipt means.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from bot.domain.sms_status import Outcome

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Code:
    """The meaning of a provider's code for a delivery; `meaning` is a sentence that staff read.

    `shaky`: the provider lists other causes too (confidence L, and Twilio 30005), so one such receipt does not turn a number
    red. `reasonless`: a refusal without a cause; if many recipients of a message get it, our sender is at fault.
    """

    outcome: Outcome
    meaning: str
    shaky: bool = False
    reasonless: bool = False


@dataclass(frozen=True)
class ParsedReceipt:
    """A provider's report on one delivery. `event_key` is the same when the same report is sent again.

    `phone` is E.164 or None; `code` is the provider's own, if it sent one; `occurred_at` is the provider's time.
    """

    provider: str
    event_key: str
    provider_id: str
    phone: str | None
    outcome: Outcome
    code: str | None = None
    shaky: bool = False
    reasonless: bool = False
    occurred_at: datetime | None = None

    @classmethod
    def from_code(cls, entry: Code, *, provider: str, event_key: str, provider_id: str, phone: str | None,
                  code: str | None = None, occurred_at: datetime | None = None) -> Self:  # fmt: skip
        """Build a receipt that means what the provider's table says."""
        meaning = (entry.outcome, code, entry.shaky, entry.reasonless)
        return cls(provider, event_key, provider_id, phone, *meaning, occurred_at)


@dataclass(frozen=True)
class OptOutMessage:
    """An opt-out (`opted_out`) or opt-in text. `phone` is the sender's number as E.164; `event_key` as in a receipt."""

    provider: str
    event_key: str
    phone: str
    opted_out: bool


@dataclass(frozen=True)
class ReassignedNumber:
    """A provider learned from the carriers that a number (E.164) belongs to someone else; `at` is its time, if it said one."""

    provider: str
    phone: str
    at: datetime | None = None


@dataclass(frozen=True)
class FamilyText:
    """A text that is neither an opt-out nor an opt-in word. `phone` and `event_key` as above; the text is never logged."""

    provider: str
    event_key: str
    phone: str
    text: str = field(repr=False)


@dataclass(frozen=True)
class Handshake:
    """A provider asks whether it may send here. `answer` is returned as JSON, after a GET of the provider's URL `confirm`."""

    answer: Mapping[str, str]
    confirm: str | None = None


Parsed = Sequence[ParsedReceipt | OptOutMessage | FamilyText | ReassignedNumber | Handshake]


class Refused(Exception):  # noqa: N818 (It says what happened to the request.)
    """A request that is refused and not stored. Its text contains no personal data.

    `status` is the HTTP status of the answer; `challenge` is its `WWW-Authenticate` header.
    """

    status = 400
    challenge: str | None = None


class BadSignature(Refused):
    """The request is not signed with our secret."""

    status = 403


class OtherUrlSigned(BadSignature):
    """The signature is not one of this URL with our secret: the provider called another spelling of it, or the secret is wrong."""


class TryAgain(BadSignature):
    """As above, from a provider that tries again only after a 5xx: by then, a missing signature or our secret may be fixed."""

    status = 503


class FetchFirst(TryAgain):
    """A request of ours has to be made before this one can be verified: call `fetch`, which may take seconds, then verify again."""

    def __init__(self, fetch: Callable[[], None]) -> None:
        super().__init__("something has to be fetched from the provider first")
        self.fetch = fetch


class NoPassword(BadSignature):
    """The user and password are missing or wrong; some providers send them only after being challenged."""

    MISSING = "no user and password were sent"
    status = 401
    challenge = 'Basic realm="receipts"'


class Malformed(Refused):
    """The request is signed, but it is not what this provider sends."""


BEFORE_CARRIER = Code(
    Outcome.NOT_CONTACT_PROBLEM, "It failed before reaching a carrier; the reason is not in our table."
)
AFTER_CARRIER = Code(Outcome.UNCONFIRMED, "The carrier did not deliver it; the reason is not in our table.")
ON_ITS_WAY = Code(Outcome.PENDING, "This status is not in our table; we wait for the next one.")


def look_up(provider: str, table: Mapping[str, Code], codes: Sequence[str], *, message_id: str, default: Code) -> Code:
    """Return the entry of the first code that the table has, or `default`. Unknown codes before it are logged as errors."""
    for code in codes:
        if code in table:
            return table[code]
        logger.error("%s %s: %s is not in our table", provider, message_id, code)
    return default


def look_up_failure(provider: str, table: Mapping[str, Code], status: str, codes: Sequence[str], *, message_id: str,
                    default: Code | None = None) -> Code:  # fmt: skip
    """Return the entry for a status and its error codes: of a failure, the codes decide; otherwise they are ignored.

    If no code is in the table, the entry is `default`, or that of the status.
    """
    by_status = look_up(provider, table, [status], message_id=message_id, default=ON_ITS_WAY)
    is_no_failure = status in table and by_status.outcome in {Outcome.DELIVERED, Outcome.PENDING}
    if not codes or is_no_failure:
        return by_status
    return look_up(provider, table, codes, message_id=message_id, default=default or by_status)
