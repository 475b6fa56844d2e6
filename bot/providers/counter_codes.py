"""Texts that are the four-digit code of a counter: the code alone, or between a few polite words."""

from dataclasses import dataclass, field

from bot.providers.opt_out_keywords import normal_form
from bot.providers.receipt import FamilyText

_LENGTH = 4
_LONGEST = 80
_POLITE = """
    hi hello hey hola the this my code codigo clave number is it its es mi el la here aqui esta for verify please por favor
    thanks thank you gracias ok okay
"""
_WORDS = frozenset(_POLITE.split())


@dataclass(frozen=True)
class CounterText:
    """A text with a code. `phone` is E.164, `event_key` as in a receipt; the code is never logged."""

    provider: str
    event_key: str
    phone: str
    code: str = field(repr=False)


def read_code(message: FamilyText) -> CounterText | None:
    """Return the code that a text consists of; None for a text that says anything else, opt-outs too."""
    if len(message.text) > _LONGEST:
        return None
    words = normal_form(message.text).split()
    numbers = [word for word in words if word not in _WORDS]
    code = numbers[0] if len(numbers) == 1 else ""
    if len(code) != _LENGTH or not (code.isascii() and code.isdecimal()):
        return None
    return CounterText(message.provider, message.event_key, message.phone, code)
