"""Block Kit as plain dictionaries from small functions, kept within Slack's limits.

Text from the SIS goes through `escaped`: a contact named `<!channel>` notifies no one.
"""

import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from bot.db.models.base import ContactMethod
from bot.db.models.edits import EditField
from bot.domain import display
from bot.domain.sms_status import MEANINGS, Color, SmsStatus

Block = dict[str, Any]

VIEW_BLOCKS = 100
# Slack accepts about 13,200 characters in all blocks of a message; how it counts is not documented.
MESSAGE_CHARACTERS = 12_500
# Characters of a message's text; Slack cuts what is longer than 4,000.
MESSAGE_TEXT = 3900
HEADER = 150
VALUE = "value"  # The action id of every input; its block id says which one it is.
_TEXT, _BUTTON, _OPTION, _VALUE, _OPTIONS = 3000, 75, 75, 150, 100
_LINES = 12  # Of a table in one section; more could be longer than Slack accepts.
TITLE = 24
COLOR_DOTS = {Color.YELLOW: "🟡", Color.RED: "🔴"}
# To be shown beside the word of the status: never alone.
DOTS = {status: COLOR_DOTS[meaning.color] for status, meaning in MEANINGS.items()}
_DATE_TOKEN = re.compile(r"\{date\w*\}")
_DATE = re.compile(r"<!date\^[^|]*\|([^>]*)>")
# Formatting characters of other people, which `escaped` sets apart with zero-width spaces; and our own formatting.
_MARK = re.compile("\u200b([*_~`])\u200b")
_FORMATTING = str.maketrans("", "", "*_~`")
# An entity, a date, a mention, or a mark that lost its end.
_HALF = re.compile("(?:&[#\\w]*|<[^>]*|(?<![*_~`])\u200b[*_~`]?)\\Z")
METHOD_NAMES = {ContactMethod.TEXT: "Text", ContactMethod.CALL: "Call", ContactMethod.EMAIL: "Email"}


@dataclass(frozen=True)
class Card:
    """The content of one answer, Home tab, or post: blocks, and the same as text for screen readers and notifications."""

    blocks: list[Block]
    text: str


def card(blocks: list[Block]) -> Card:
    """Return a card whose text is what its blocks say, for screen readers, which read the text and not the blocks."""
    lines: list[str] = []
    for block in plainer(blocks):
        if "text" in block:
            lines.append(_spoken(block["text"]))
        elif block["type"] == "context":
            lines.append(" · ".join(map(_spoken, block["elements"])))
        elif block["type"] == "actions":
            lines += [f"[{_spoken(element['text'])}]" for element in block["elements"] if element["type"] == "button"]
    return Card(blocks, cut_mrkdwn("\n".join(lines), MESSAGE_TEXT))


def _spoken(text: Block) -> str:
    return without_formatting(text["text"]) if text["type"] == "mrkdwn" else html.escape(text["text"], quote=False)


def without_formatting(mrkdwn: str) -> str:
    """Return formatted text as the text of a message: what is read aloud, or shown on a locked screen."""
    parts = _MARK.split(_DATE.sub(r"\1", mrkdwn))  # Every other part is a character of other people.
    parts[::2] = [part.translate(_FORMATTING) for part in parts[::2]]
    return "".join(parts)


def as_plain(mrkdwn: str) -> str:
    """Return formatted text as plain text, in which entities and marks stand for themselves."""
    return html.unescape(_MARK.sub(r"\1", _DATE.sub(r"\1", mrkdwn)))


def cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def cut_mrkdwn(text: str, length: int) -> str:
    """Cut formatted text, but no entity, date, or mention in half."""
    return text if len(text) <= length else _HALF.sub("", text[: length - 1]).rstrip() + "…"


def size(blocks: Sequence[Block]) -> int:
    """Return how many of `MESSAGE_CHARACTERS` these blocks take."""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))


def escaped(text: str, length: int | None = None) -> str:
    """Return foreign text, cut to `length` characters, that is safe inside mrkdwn: formatting characters are set apart."""
    safe = html.escape(cut(text, length) if length else text, quote=False)
    for character in "*_~`":
        safe = safe.replace(character, f"\u200b{character}\u200b")
    return safe


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": True}


def mrkdwn(text: str) -> Block:
    """Return formatted text; verbatim, so that Slack turns no part of a name into a link or a mention."""
    return {"type": "mrkdwn", "text": cut_mrkdwn(text, _TEXT), "verbatim": True}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(cut(text, HEADER))}


def section(text: str, *, accessory: Block | None = None) -> Block:
    block: Block = {"type": "section", "text": mrkdwn(text)}
    return block | {"accessory": accessory} if accessory else block


def context(*texts: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(text) for text in texts]}


def folded(title: str, blocks: Sequence[Block]) -> Block:
    """Return blocks that a reader of a message or the Home tab opens. Some workspaces refuse it: see `plainer`."""
    return {
        "type": "container",
        "title": plain(cut(title, HEADER)),
        "is_collapsible": True,
        "default_collapsed": True,
        "child_blocks": list(blocks),
    }


def plainer(blocks: Sequence[Block]) -> list[Block]:
    """Return the same blocks with folds in the open and with charts and tables in words: for a dialog, for a screen reader, and for
    a workspace whose Slack refuses such blocks.
    """
    plain_blocks: list[Block] = []
    for block in blocks:
        in_words = _PLAINER.get(block["type"])
        plain_blocks += in_words(block) if in_words else [block]
    return plain_blocks


def has_newer(blocks: Sequence[Block]) -> bool:
    """Return whether some workspaces refuse a block of these."""
    return any(block["type"] in _PLAINER for block in blocks)


def _unfolded(fold: Block) -> list[Block]:
    return [section(f"*{escaped(fold['title']['text'])}*"), *fold["child_blocks"]]


def _chart_in_words(block: Block) -> list[Block]:
    series = block["chart"]["series"]
    lines = [
        f"{escaped(line['name'])}: {_points(line['data'])}" if len(series) > 1 else _points(line["data"])
        for line in series
    ]
    return [context("\n".join([f"*{escaped(block['title'])}*", *lines]))]


def _points(data: Sequence[Block]) -> str:
    return " · ".join(f"{escaped(point['label'])}: {number(point['value'])}".replace(" ", "\u00a0") for point in data)


def _table_in_words(block: Block) -> list[Block]:
    (_, *columns), *rows = ([escaped(cell["text"]) for cell in row] for row in block["rows"])
    lines = [
        " · ".join([f"*{name}*", *(f"{column}: {cell}" for column, cell in zip(columns, cells, strict=True))])
        for name, *cells in rows
    ]
    groups = [lines[start : start + _LINES] for start in range(0, len(lines), _LINES)]
    return [section(f"*{escaped(block['caption'])}*"), *(section("\n".join(group)) for group in groups)]


_PLAINER: Mapping[str, Callable[[Block], list[Block]]] = {
    "container": _unfolded,
    "data_visualization": _chart_in_words,
    "data_table": _table_in_words,
}


def number(value: float) -> str:
    """Return `1,234` or `95.5`: at most one digit after the point."""
    return f"{value:,.1f}".removesuffix(".0")


def divider() -> Block:
    return {"type": "divider"}


def actions(elements: Sequence[Block], *, block_id: str | None = None) -> list[Block]:
    """Return a row of buttons and menus, or nothing: Slack refuses an empty row."""
    if not elements:
        return []
    block: Block = {"type": "actions", "elements": list(elements)}
    return [block | {"block_id": block_id} if block_id else block]


def button(text: str, action_id: str, value: str, *, style: str | None = None, label: str | None = None) -> Block:
    """Return a button; a screen reader says `label` where the text alone does not tell which row it belongs to."""
    element: Block = {"type": "button", "text": plain(cut(text, _BUTTON)), "action_id": action_id, "value": value}
    if style:
        element["style"] = style
    if label:
        # Read aloud, never formatted; without angle brackets it cannot be taken for a mention.
        element["accessibility_label"] = cut(label.replace("<", "").replace(">", ""), _BUTTON)
    return element


def confirm(title: str, text: str, *, yes: str) -> Block:
    return {
        "title": plain(title),
        "text": plain(text),
        "confirm": plain(yes),
        "deny": plain("Cancel"),
        "style": "danger",
    }


def option(text: str, value: str, *, description: str | None = None) -> Block:
    choice: Block = {"text": plain(cut(text, _OPTION)), "value": value}
    return choice | {"description": plain(cut(description, _OPTION))} if description else choice


def menu(
    placeholder: str, action_id: str, choices: Sequence[tuple[str, str, str]], *, chosen: str | None = None
) -> list[Block]:
    """Return a menu of labels, values, and descriptions (blank: none); nothing where it has no choices, more than Slack accepts, or
    a value that is too long for Slack.
    """
    options = {value: option(label, value, description=description) for label, value, description in choices}
    if not 0 < len(options) <= _OPTIONS or any(len(value) > _VALUE for value in options):
        return []
    element: Block = {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": plain(placeholder),
        "options": list(options.values()),
    }
    return [element | {"initial_option": options[chosen]} if chosen in options else element]


def overflow(action_id: str, choices: Sequence[tuple[str, str]]) -> Block:
    """Return the menu behind three dots, of labels and values."""
    return {"type": "overflow", "action_id": action_id, "options": [option(*choice) for choice in choices]}


def input_block(block_id: str, label: str, element: Block, *, hint: str | None = None, optional: bool = False) -> Block:
    """Return an input of a dialog. `block_id` is also the `field` of an error that is shown under it."""
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "element": element | {"action_id": VALUE},
        "optional": optional,
    }
    return block | {"hint": plain(hint)} if hint else block


def radio_buttons(options: Sequence[Block], *, chosen: str | None = None) -> Block:
    element: Block = {"type": "radio_buttons", "options": list(options)}
    initial = next((choice for choice in options if choice["value"] == chosen), None)
    return element | {"initial_option": initial} if initial else element


def modal(title: str, blocks: Sequence[Block], *, callback_id: str, metadata: str, submit: str | None = None) -> Block:
    """Return a dialog. `metadata` holds ids and versions only, never a name or a number."""
    view: Block = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(cut(title, TITLE)),
        "close": plain("Cancel" if submit else "Close"),
        "private_metadata": metadata,
        "blocks": list(blocks)[:VIEW_BLOCKS],
    }
    return view | {"submit": plain(submit)} if submit else view


@lru_cache(1_000)  # Contacts join a list together, so most of a list has a few moments.
def date(when: datetime, *, style: str = "{date_short}") -> str:
    """Return a moment in the reader's own time zone; old clients show the fallback in UTC.

    `style` may hold words around the tokens. Slack leaves the year out within six months, and writes a word that begins a style
    with a capital, as in `Today` for `{date_short_pretty}`.
    """
    utc = when.astimezone(UTC)
    day = f"{utc:%b} {utc.day}, {utc:%Y}" + (" (UTC)" if "{time}" not in style else "")
    fallback = _DATE_TOKEN.sub(day, style).replace("{time}", f"{utc:%H:%M} UTC")
    return f"<!date^{int(when.timestamp())}^{style}|{fallback}>"


def mention(actor: str | None) -> str | None:
    """Return a mention of a Slack user, None for a process that acted."""
    return f"<@{actor}>" if actor and actor[0] in "UW" and actor.isupper() else None


def status(which: SmsStatus) -> str:
    """Return color and word, which stay together at the end of a line."""
    return f"{DOTS[which]}\u00a0*{MEANINGS[which].label}*"


def next_step(which: SmsStatus, our_number: str | None) -> str:
    """Return what to do, with the number our texts come from, as people write it, if it is known."""
    step = MEANINGS[which].next_step
    return step.replace("our number", f"our number {our_number}") if our_number else step


def masked(number: str | None) -> str:
    """Return the last digits of a number, which stay together with their dots at the end of a line."""
    return display.masked(number).replace("• ", "•\u00a0")


def display_value(field: EditField, value: str | None) -> str:
    """Return the value of a field for people: a number masked, a method by its name (text where there is none)."""
    return masked(value) if field is EditField.PHONE else METHOD_NAMES[ContactMethod(value or ContactMethod.TEXT)]
