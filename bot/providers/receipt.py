"""What any provider can tell us, once its own words are left behind: a delivery receipt, or a STOP or START that somebody
texted. What it means is in the provider's own table of codes.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from bot.domain.sms_status import Outcome

logger = logging.getLogger(__name__)


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

    @classmethod
    def of(cls, known: Code, *, provider: str, event_key: str, provider_id: str, phone: str | None,
           code: str | None = None, occurred_at: datetime | None = None) -> Self:  # fmt: skip
        """A report that means what the provider's table says of its code."""
        meant = (known.outcome, code, known.shaky, known.reasonless)
        return cls(provider, event_key, provider_id, phone, *meant, occurred_at)


@dataclass(frozen=True)
class OptOutMessage:
    """Somebody texted STOP (`opted_out`) or START to our number. `phone` is E.164; `event_key` as in a receipt."""

    provider: str
    event_key: str
    phone: str
    opted_out: bool


@dataclass(frozen=True)
class Handshake:
    """A provider asks whether it may send here. `answer` goes back as JSON; `confirm` is a URL of theirs to be called first."""

    answer: Mapping[str, str]
    confirm: str | None = None


Parsed = Sequence[ParsedReceipt | OptOutMessage | Handshake]


class Refused(Exception):  # noqa: N818 (It says what happened to the request.)
    """A request that is not taken: nothing of it is stored. Its text has no personal data; `status` answers HTTP, and
    `challenge` says how the provider may show who it is.
    """

    status = 400
    challenge: str | None = None


class BadSignature(Refused):
    """It was not signed with our secret."""

    status = 403


class TryAgain(BadSignature):
    """As above, where the provider tries again only after a 5xx and may fit then: signed after all, or our secret set right."""

    status = 503


class NoPassword(BadSignature):
    """A provider that signs nothing did not give the user and password; some do only when they are asked for."""

    status = 401
    challenge = 'Basic realm="receipts"'


class Malformed(Refused):
    """It was signed, but it is not what this provider sends."""


BEFORE_CARRIER = Code(Outcome.NOT_CONTACT_PROBLEM, "It failed before a carrier had it, for a reason that is new to us.")
AFTER_CARRIER = Code(Outcome.UNCONFIRMED, "The carrier did not deliver it, for a reason that is new to us.")
ON_ITS_WAY = Code(Outcome.PENDING, "A status that is new to us; we wait for one that we know.")


def look_up(provider: str, codes: Mapping[str, Code], said: Sequence[str], *, message: str, otherwise: Code) -> Code:
    """What the first of `said` (a code before its status word) that is in the table means; what is new to us is logged loudly."""
    for one in said:
        if one in codes:
            return codes[one]
        logger.error("%s %s: %s is not in our table", provider, message, one)
    return otherwise


def weigh(provider: str, codes: Mapping[str, Code], status: str, said: Sequence[str], *, message: str,
          otherwise: Code | None = None) -> Code:  # fmt: skip
    """What a status word means with the codes beside it: the code of a failure beats its status word.

    Where the word is that of no failure, no code is read; where no code is in the table, it is `otherwise` or the word.
    """
    by_status = look_up(provider, codes, [status], message=message, otherwise=ON_ITS_WAY)
    is_no_failure = status in codes and by_status.outcome in {Outcome.DELIVERED, Outcome.PENDING}
    if not said or is_no_failure:
        return by_status
    return look_up(provider, codes, said, message=message, otherwise=otherwise or by_status)
