"""What a family texts to us: a STOP or a START is for us, all other words are for somebody else."""

from typing import Any

from bot.providers.callback import e164, said
from bot.providers.receipt import OptOutMessage

_STOP = {"STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"}
# Carriers also take YES; but a YES may answer any question, and a wrong one would lift an opt-out that was meant.
_START = {"START", "UNSTOP"}


def heard(provider: str, event_key: str, *, sender: Any, text: Any) -> list[OptOutMessage]:
    """The STOP or START that a whole text is; nothing for other words, or a sender without a number, such as a short code."""
    phone, keyword = e164(sender), " ".join(said(text).upper().split())
    if phone is None or keyword not in _STOP | _START:
        return []
    return [OptOutMessage(provider, event_key, phone, opted_out=keyword in _STOP)]
