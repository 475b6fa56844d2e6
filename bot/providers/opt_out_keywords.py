"""Recognize opt-outs and opt-ins among the texts that families send; all other texts are ignored."""

from typing import Any

from bot.providers.callback import as_text, e164
from bot.providers.receipt import OptOutMessage

_OPT_OUT = {"STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"}
# Carriers also accept YES. A YES may answer any other question, though, and would then lift an opt-out by mistake.
_OPT_IN = {"START", "UNSTOP"}


def opt_out_messages(provider: str, event_key: str, *, sender: Any, text: Any) -> list[OptOutMessage]:
    """Return the opt-out or opt-in if the whole text is a keyword, and nothing for other texts or a sender without a number."""
    phone, keyword = e164(sender), " ".join(as_text(text).upper().split())
    if phone is None or keyword not in _OPT_OUT | _OPT_IN:
        return []
    return [OptOutMessage(provider, event_key, phone, opted_out=keyword in _OPT_OUT)]
