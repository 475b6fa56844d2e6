"""Who sends our texts and reports on them: one file a provider, all of the same shape."""

from collections.abc import Mapping

from bot.providers import twilio
from bot.providers.receipt import (
    BadSignature,
    Code,
    Malformed,
    OptOutMessage,
    ParsedReceipt,
    Provider,
    Refused,
)

BY_NAME: Mapping[str, Provider] = {twilio.NAME: twilio}

__all__ = [
    "BY_NAME",
    "BadSignature",
    "Code",
    "Malformed",
    "OptOutMessage",
    "ParsedReceipt",
    "Provider",
    "Refused",
]
