"""What any provider can tell us, once its own words are left behind: a delivery receipt, or a STOP or START that somebody
texted. A provider's file is `verify` (is it them?), `parse` (what do they say?) and `CODES` (what does it mean?).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.sms_status import Outcome


@dataclass(frozen=True)
class Code:
    """What a provider's code says of a delivery, `meaning` in our own words.

    `shaky`: the provider itself lists other causes (confidence L, and Twilio 30005), so one of these does not turn a
    number red. `reasonless`: a refusal without a cause, which is our sender's fault when many recipients get the same.
    """

    outcome: Outcome
    meaning: str
    shaky: bool = False
    reasonless: bool = False


@dataclass(frozen=True)
class ParsedReceipt:
    """A provider's report on one delivery. `event_key` is the same when the same report is sent again.

    `phone` is E.164 or None; `code` is the provider's own, None where it gave none; `occurred_at` is the provider's time.
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


@dataclass(frozen=True)
class OptOutMessage:
    """Somebody texted STOP (`opted_out`) or START to our number. `phone` is E.164; `event_key` as in a receipt."""

    provider: str
    event_key: str
    phone: str
    opted_out: bool


class Refused(Exception):  # noqa: N818 (It says what happened to the request.)
    """A request that is not taken: nothing of it is stored. Its text has no personal data; `status` answers HTTP."""

    status = 400


class BadSignature(Refused):
    """It was not signed with our secret."""

    status = 403


class Malformed(Refused):
    """It was signed, but it is not what this provider sends."""


class Provider(Protocol):
    """The shape of a provider's file."""

    CODES: Mapping[str, Code]

    def verify(self, secret: str, url: str, headers: Mapping[str, str], body: bytes) -> None: ...

    def parse(self, body: bytes) -> list[ParsedReceipt | OptOutMessage]: ...
