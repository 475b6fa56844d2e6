"""Block Kit as plain dictionaries from small functions, kept under Slack's limits.

Text that comes from the SIS goes through `escaped`: a contact named `<!channel>` pings nobody.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from bot.db.models.base import ContactMethod
from bot.db.models.edits import EditField
from bot.domain import phone
from bot.domain.sms_status import Color, SmsStatus, meaning
from bot.wording import say

Block = dict[str, Any]

VIEW_BLOCKS = 100
MESSAGE_CHARACTERS = 12_500
"""Slack takes about 13,200 in all the blocks of a message; how it counts is not written anywhere."""
HEADER = 150
_TEXT, _BUTTON, _OPTION, _TITLE, _VALUE, _OPTIONS = 3000, 75, 75, 24, 150, 100
_DOTS = {Color.YELLOW: "🟡", Color.RED: "🔴"}


def cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def size(blocks: Sequence[Block]) -> int:
    """How much of `MESSAGE_CHARACTERS` these blocks take."""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))


def escaped(text: str) -> str:
    """Text of other people's making, safe inside mrkdwn; formatting characters are set apart so that they format nothing."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for character in "*_~`":
        safe = safe.replace(character, f"\u200b{character}\u200b")
    return safe


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": True}


def mrkdwn(text: str) -> Block:
    """Formatted text; verbatim, so that Slack turns no word of a name into a link or a mention."""
    return {"type": "mrkdwn", "text": cut(text, _TEXT), "verbatim": True}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(cut(text, HEADER))}


def section(text: str, *, accessory: Block | None = None) -> Block:
    block: Block = {"type": "section", "text": mrkdwn(text)}
    return block | {"accessory": accessory} if accessory else block


def fields(*texts: str) -> Block:
    return {"type": "section", "fields": [mrkdwn(text) for text in texts]}


def context(*texts: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(text) for text in texts]}


def divider() -> Block:
    return {"type": "divider"}


def actions(elements: Sequence[Block], *, block_id: str | None = None) -> list[Block]:
    """A row of buttons and menus, or nothing: Slack refuses an empty row."""
    if not elements:
        return []
    block: Block = {"type": "actions", "elements": list(elements)}
    return [block | {"block_id": block_id} if block_id else block]


def button(text: str, action_id: str, value: str, *, style: str | None = None, label: str | None = None) -> Block:
    """A button; `label` is what a screen reader says where the text alone would not tell which row it is of."""
    made: Block = {"type": "button", "text": plain(cut(text, _BUTTON)), "action_id": action_id, "value": value}
    if style:
        made["style"] = style
    if label:
        # Read aloud, never formatted; without these two it could not be taken for a mention anywhere.
        made["accessibility_label"] = cut(label.replace("<", "").replace(">", ""), _BUTTON)
    return made


def confirm(title: str, text: str, *, yes: str) -> Block:
    return {
        "title": plain(title),
        "text": plain(text),
        "confirm": plain(yes),
        "deny": plain("Cancel"),
        "style": "danger",
    }


def option(text: str, value: str, *, description: str | None = None) -> Block:
    made: Block = {"text": plain(cut(text, _OPTION)), "value": value}
    return made | {"description": plain(cut(description, _OPTION))} if description else made


def menu(placeholder: str, action_id: str, options: Sequence[Block], *, chosen: str | None = None) -> list[Block]:
    """A drop-down, or nothing when it has no options, more than Slack takes, or one whose value Slack would not take."""
    listed = list({one["value"]: one for one in options}.values())
    if not 0 < len(listed) <= _OPTIONS or any(len(one["value"]) > _VALUE for one in listed):
        return []
    made: Block = {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": plain(placeholder),
        "options": listed,
    }
    initial = [one for one in listed if one["value"] == chosen]
    return [made | {"initial_option": initial[0]} if initial else made]


def overflow(action_id: str, options: Sequence[Block]) -> Block:
    """What is rarely wanted, behind three dots."""
    return {"type": "overflow", "action_id": action_id, "options": list(options)}


def modal(title: str, blocks: Sequence[Block], *, callback_id: str, metadata: str, submit: str | None = None) -> Block:
    """A dialog. `metadata` holds ids and versions only, never a name or a number."""
    view: Block = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(cut(title, _TITLE)),
        "close": plain("Cancel" if submit else "Close"),
        "private_metadata": metadata,
        "blocks": list(blocks)[:VIEW_BLOCKS],
    }
    return view | {"submit": plain(submit)} if submit else view


@lru_cache(1_000)
def date(when: datetime, *, style: str = "{date_short}") -> str:
    """A moment in the reader's own zone; old clients read the fallback, which says UTC. Contacts join a list together, so most of
    it has a few moments.
    """
    there = when.astimezone(UTC)
    day = f"{there:%b} {there.day}, {there:%Y}"
    return f"<!date^{int(when.timestamp())}^{style}|{f'{day}, {there:%H:%M} UTC' if '{time}' in style else f'{day} (UTC)'}>"


def mention(actor: str | None) -> str | None:
    """Who acted, where that was a person in Slack and none of the machines that act."""
    return f"<@{actor}>" if actor and actor[0] in "UW" and actor.isupper() else None


def status(which: SmsStatus) -> str:
    """Colour and word together, at the end of a line too: never colour alone."""
    said = meaning(which)
    return f"{_DOTS[said.color]}\u00a0*{said.label}*"


def masked(number: str | None) -> str:
    """The last digits of a number, never parted from its dots at the end of a line."""
    return phone.masked(number).replace("• ", "•\u00a0")


def value_of(field: EditField, value: str | None) -> str:
    """What a contact has in a field, or had, for people: a number masked, a method by its name; nothing written is a text."""
    return masked(value) if field is EditField.PHONE else say(f"method.{value or ContactMethod.TEXT}")
