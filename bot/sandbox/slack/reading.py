"""Everything that is written in a message or view, as plain lines: what the terminal prints and what tests search."""

from collections.abc import Iterator
from typing import Any

from bot.sandbox.slack.things import Message, View


def text_of(place: Message | View) -> str:
    """All words on it, a line for each text, in reading order; a message without blocks is its text. Spaces are all alike."""
    if isinstance(place, View):
        parts = [*_words(place.body.get("title")), *_words(place.blocks)]
    else:
        parts = list(_words(place.blocks)) or [place.text]
    return "\n".join(parts).replace("\u00a0", " ")


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _words(item)
    elif isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for name, item in value.items():
            if name not in {"confirm", "placeholder"} and isinstance(item, dict | list):
                yield from _words(item)
