"""The values of a view's or message's inputs and menus, in the form that Slack sends, and blocks as Slack stores them.

Untouched elements are submitted too, with their initial value (an empty text input as null), and a menu outside of an
input block is part of the state like any input.
"""

import random
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# block_id -> action_id -> {"type": ..., "value" or "selected_...": ...}
Values = dict[str, dict[str, dict[str, Any]]]


@dataclass(frozen=True)
class ValueField:
    """The key of an element's value in the state, and the element's property with the initial value."""

    key: str
    initial: str
    is_list: bool = False
    is_option: bool = False


# Elements that have a value. Buttons and overflow menus have none.
VALUE_FIELDS: Mapping[str, ValueField] = {
    **dict.fromkeys(
        ("plain_text_input", "number_input", "email_text_input", "url_text_input"), ValueField("value", "initial_value")
    ),
    "rich_text_input": ValueField("rich_text_value", "initial_value"),
    **dict.fromkeys(
        ("static_select", "external_select", "radio_buttons"),
        ValueField("selected_option", "initial_option", is_option=True),
    ),
    **dict.fromkeys(
        ("multi_static_select", "multi_external_select", "checkboxes"),
        ValueField("selected_options", "initial_options", is_list=True, is_option=True),
    ),
    "users_select": ValueField("selected_user", "initial_user"),
    "conversations_select": ValueField("selected_conversation", "initial_conversation"),
    "channels_select": ValueField("selected_channel", "initial_channel"),
    "multi_users_select": ValueField("selected_users", "initial_users", is_list=True),
    "multi_conversations_select": ValueField("selected_conversations", "initial_conversations", is_list=True),
    "multi_channels_select": ValueField("selected_channels", "initial_channels", is_list=True),
    "datepicker": ValueField("selected_date", "initial_date"),
    "timepicker": ValueField("selected_time", "initial_time"),
    "datetimepicker": ValueField("selected_date_time", "initial_date_time"),
    "file_input": ValueField("files", "initial_files", is_list=True),
}


def elements_of(block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the elements of a block, which each type keeps in a field of its own."""
    for name in ("accessory", "element"):
        if name in block:
            yield block[name]
    for element in block.get("elements", ()):
        if not element["type"].startswith("rich_text"):
            yield element


def state_entry(element: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """An element's entry in the state, with a `value` as Slack sends it: whole options, lists for multi-selects."""
    return {"type": element["type"], VALUE_FIELDS[element["type"]].key: value}


def state_values(blocks: list[dict[str, Any]], entered: Values) -> Values:
    """`view.state.values`: what was entered where block_id, action_id and type still match, else the initial value."""
    state: Values = {}
    for block in blocks:
        for element in elements_of(block):
            if element["type"] in VALUE_FIELDS:
                entry = entered.get(block["block_id"], {}).get(element["action_id"])
                if not entry or entry["type"] != element["type"]:
                    entry = _initial_entry(element)
                state.setdefault(block["block_id"], {})[element["action_id"]] = entry
    return state


def _initial_entry(element: Mapping[str, Any]) -> dict[str, Any]:
    field = VALUE_FIELDS[element["type"]]
    initial = element.get(field.initial, [] if field.is_list else None)
    return state_entry(element, initial if initial != "" else None)


def normalize(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks as Slack stores them: with generated block_ids and action_ids where none was given, and text flags."""
    normalized: list[dict[str, Any]] = [_with_text_flags(block) for block in blocks]
    for block in normalized:
        block.setdefault("block_id", _random_id())
        for element in elements_of(block):
            if element["type"] not in {"image", "plain_text", "mrkdwn"}:
                element.setdefault("action_id", _random_id())
    return normalized


def _with_text_flags(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_text_flags(item) for item in value]
    if not isinstance(value, dict):
        return value
    flags = {"plain_text": {"emoji": True}, "mrkdwn": {"verbatim": False}}.get(str(value.get("type")), {})
    return {**flags, **{name: _with_text_flags(item) for name, item in value.items()}}


def _random_id() -> str:
    return "".join(random.choices(string.ascii_letters + string.digits, k=5))
