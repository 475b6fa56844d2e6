"""What a form holds: the value of every input and menu, in the shape Slack sends it.

The rule that surprises: what a person never touched is submitted too, with its initial value; an untouched empty text
input is submitted as null, and menus outside of input blocks are part of the state like any input.
"""

import random
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Values = dict[str, dict[str, dict[str, Any]]]
"""block_id -> action_id -> {"type": …, "value" or "selected_…": …}."""


@dataclass(frozen=True)
class Slot:
    """Under which name an element's value travels, and under which name its initial value is written."""

    key: str
    initial: str
    many: bool = False
    is_option: bool = False


SLOTS: Mapping[str, Slot] = {
    **dict.fromkeys(
        ("plain_text_input", "number_input", "email_text_input", "url_text_input"), Slot("value", "initial_value")
    ),
    "rich_text_input": Slot("rich_text_value", "initial_value"),
    **dict.fromkeys(
        ("static_select", "external_select", "radio_buttons"), Slot("selected_option", "initial_option", is_option=True)
    ),
    **dict.fromkeys(
        ("multi_static_select", "multi_external_select", "checkboxes"),
        Slot("selected_options", "initial_options", many=True, is_option=True),
    ),
    "users_select": Slot("selected_user", "initial_user"),
    "conversations_select": Slot("selected_conversation", "initial_conversation"),
    "channels_select": Slot("selected_channel", "initial_channel"),
    "multi_users_select": Slot("selected_users", "initial_users", many=True),
    "multi_conversations_select": Slot("selected_conversations", "initial_conversations", many=True),
    "multi_channels_select": Slot("selected_channels", "initial_channels", many=True),
    "datepicker": Slot("selected_date", "initial_date"),
    "timepicker": Slot("selected_time", "initial_time"),
    "datetimepicker": Slot("selected_date_time", "initial_date_time"),
    "file_input": Slot("files", "initial_files", many=True),
}
"""Elements that hold a value. Buttons and overflow menus act, and hold none."""


def elements_of(block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The elements of a block that a person may use, whatever the block calls their place."""
    for place in ("accessory", "element"):
        if place in block:
            yield block[place]
    for place in ("elements", "actions"):
        for element in block.get(place, ()):
            if element["type"] == "card":
                yield from elements_of(element)
            elif not element["type"].startswith("rich_text"):
                yield element
    for child in block.get("child_blocks", ()):
        yield from elements_of(child)


def initial_entry(element: Mapping[str, Any]) -> dict[str, Any]:
    """What an untouched element submits."""
    slot = SLOTS[element["type"]]
    initial = element.get(slot.initial, [] if slot.many else None)
    return entry(element, initial if initial != "" else None)


def entry(element: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """An element's part of the state, holding `value` as Slack would send it (whole options, lists for the many)."""
    return {"type": element["type"], SLOTS[element["type"]].key: value}


def values(blocks: list[dict[str, Any]], entered: Values) -> Values:
    """`view.state.values`: what was entered where block_id, action_id and type still match, else the initial value."""
    found: Values = {}
    for block in blocks:
        for element in elements_of(block):
            if element["type"] in SLOTS:
                held = entered.get(block["block_id"], {}).get(element["action_id"])
                kept = held if held and held["type"] == element["type"] else initial_entry(element)
                found.setdefault(block["block_id"], {})[element["action_id"]] = kept
    return found


def normalised(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks as Slack keeps them: a generated block_id and action_id where none was given, text flags spelled out."""
    return [_with_ids(_with_flags(block)) for block in blocks]


def _with_flags(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_flags(item) for item in value]
    if not isinstance(value, dict):
        return value
    flags = {"plain_text": {"emoji": True}, "mrkdwn": {"verbatim": False}}.get(str(value.get("type")), {})
    return {
        **{name: _with_flags(item) for name, item in value.items()},
        **{k: v for k, v in flags.items() if k not in value},
    }


def _with_ids(block: dict[str, Any]) -> dict[str, Any]:
    block.setdefault("block_id", _random_id())
    for element in elements_of(block):
        if element["type"] not in {"image", "plain_text", "mrkdwn"}:
            element.setdefault("action_id", _random_id())
    return block


def _random_id() -> str:
    return "".join(random.choices(string.ascii_letters + string.digits, k=5))
