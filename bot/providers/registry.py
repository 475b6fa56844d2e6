"""Who sends our texts and reports on them: one file a provider, all of the same shape."""

from collections.abc import Mapping
from typing import Protocol

from bot.providers import (
    aws,
    azure,
    bandwidth,
    bird,
    generic,
    infobip,
    messagebird,
    plivo,
    sinch,
    telnyx,
    twilio,
    vonage,
)
from bot.providers.callback import Callback
from bot.providers.receipt import Code, Parsed


class Provider(Protocol):
    """A provider's file: is it them, what do they say, and what does it mean?

    `SECRET` names the setting that turns the provider on. `verify` raises `BadSignature` (or `Malformed`, where the body
    had to be read for it); `parse` reads what was verified, or raises `Malformed`.
    """

    NAME: str
    SECRET: str
    CODES: Mapping[str, Code]

    def verify(self, secret: str, callback: Callback) -> None: ...

    def parse(self, callback: Callback) -> Parsed: ...


_ALL: tuple[Provider, ...] = (
    aws,
    azure,
    bandwidth,
    bird,
    generic,
    infobip,
    messagebird,
    plivo,
    sinch,
    telnyx,
    twilio,
    vonage,
)
BY_NAME: Mapping[str, Provider] = {provider.NAME: provider for provider in _ALL}


def meaning(provider: str | None, code: str | None) -> str | None:
    """What a code says, in a sentence; None for one that is not in the provider's table."""
    table = BY_NAME.get(provider or "")
    known = table.CODES.get(code or "") if table else None
    return known.meaning if known else None
