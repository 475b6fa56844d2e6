"""The providers that send our texts and report on them: one module each, all with the same attributes."""

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
    """A provider's module. `SECRET` is the setting that turns it on."""

    NAME: str
    SECRET: str
    CODES: Mapping[str, Code]

    def verify(self, secret: str, callback: Callback) -> None:
        """Check that the provider sent this request.

        Raises:
            BadSignature: it is not signed, not with this secret, or too long ago.
            Malformed: the body, which has to be read to check it, is not what this provider sends.
        """

    def parse(self, callback: Callback) -> Parsed:
        """Return what a verified request reports; an empty list if nothing concerns us, such as an ordinary text of a family.

        Raises:
            Malformed: part of it is not what this provider sends; then nothing is accepted.
        """


_PROVIDERS: tuple[Provider, ...] = (
    aws, azure, bandwidth, bird, generic, infobip, messagebird, plivo, sinch, telnyx, twilio, vonage,
)  # fmt: skip
BY_NAME: Mapping[str, Provider] = {provider.NAME: provider for provider in _PROVIDERS}


def meaning(provider: str | None, code: str | None) -> str | None:
    """Return a code's meaning as a sentence, or None if it is not in the provider's table."""
    module = BY_NAME.get(provider or "")
    entry = module.CODES.get(code or "") if module else None
    return entry.meaning if entry else None
