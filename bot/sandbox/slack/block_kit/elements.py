"""Buttons, menus, inputs: the elements that stand in blocks, and which block may hold which."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.sandbox.slack.block_kit.composition import (
    any_text,
    choice_option,
    confirm,
    conversation_filter,
    dispatch_action_config,
    distinct_options,
    initial_among_options,
    option_group,
    overflow_option,
    plain_text,
    select_option,
    slack_file,
)
from bot.sandbox.slack.block_kit.schema import (
    Check,
    Problem,
    array,
    boolean,
    exactly_one,
    in_order,
    integer,
    one_of,
    shape,
    string,
    url,
)

_ACTION: Mapping[str, Check] = {"action_id": string(255)}
_CONFIRMED: Mapping[str, Check] = {**_ACTION, "confirm": confirm}
_FOCUSED: Mapping[str, Check] = {**_CONFIRMED, "focus_on_load": boolean}
_MENU: Mapping[str, Check] = {**_FOCUSED, "placeholder": plain_text(150)}
_MANY: Mapping[str, Check] = {**_MENU, "max_selected_items": integer(1, 100)}
_TYPED: Mapping[str, Check] = {
    **_ACTION,
    "focus_on_load": boolean,
    "placeholder": plain_text(150),
    "dispatch_action_config": dispatch_action_config,
}
_STATIC: Mapping[str, Check] = {"options": array(select_option, 1, 100), "option_groups": array(option_group, 1, 100)}
_USER, _CONVERSATION, _CHANNEL = string(30), string(30), string(30)
_DATE, _TIME = string(10, pattern=r"\d{4}-\d{2}-\d{2}"), string(5, pattern=r"([01]\d|2[0-3]):[0-5]\d")
_DECIMAL = string(30, pattern=r"-?\d+(\.\d+)?")
_IMAGE: Mapping[str, Check] = {"image_url": url(), "slack_file": slack_file}


def _initial_length(value: Any, pointer: str) -> Iterator[Problem]:
    """An initial value obeys the input's own bounds."""
    length = len(value.get("initial_value", ""))
    if length > value.get("max_length", 3000):
        yield Problem(f"{pointer}/initial_value", "must not be longer than max_length")


def _choices(options: Check, most: int, initial: Mapping[str, Check]) -> Check:
    required = {"options": array(options, 1, most)}
    return shape(required, {**_FOCUSED, **initial}, distinct_options, initial_among_options)


def _static(base: Mapping[str, Check], initial: Mapping[str, Check]) -> Check:
    one_source = exactly_one("options", "option_groups")
    return shape({}, {**base, **_STATIC, **initial}, one_source, distinct_options, initial_among_options)


ELEMENTS: Mapping[str, Check] = {
    "button": shape(
        {"text": plain_text(75)},
        {
            **_CONFIRMED,
            "value": string(2000),
            "url": url(),
            "style": one_of("primary", "danger"),
            "accessibility_label": string(75),
            "agent_prompt": string(4000),
        },
    ),
    "workflow_button": shape(
        {"text": plain_text(75), "workflow": shape({}, {}, closed=False)},
        {**_ACTION, "style": one_of("primary", "danger"), "accessibility_label": string(75)},
    ),
    "icon_button": shape(
        {"icon": one_of("trash"), "text": plain_text(75)},
        {
            **_CONFIRMED,
            "value": string(2000),
            "accessibility_label": string(75),
            "visible_to_user_ids": array(_USER, 1, 10),
        },
    ),
    "feedback_buttons": shape(
        {
            name: shape({"text": plain_text(75), "value": string(2000)}, {"accessibility_label": string(75)})
            for name in ("positive_button", "negative_button")
        },
        _ACTION,
    ),
    "image": shape({"alt_text": string(2000)}, _IMAGE, exactly_one("image_url", "slack_file")),
    "overflow": shape({"options": array(overflow_option, 1, 5)}, _CONFIRMED, distinct_options),
    "checkboxes": _choices(choice_option, 10, {"initial_options": array(choice_option, 1, 10)}),
    "radio_buttons": _choices(choice_option, 10, {"initial_option": choice_option}),
    "static_select": _static(_MENU, {"initial_option": select_option}),
    "multi_static_select": _static(_MANY, {"initial_options": array(select_option, 1, 100)}),
    "external_select": shape({}, {**_MENU, "initial_option": select_option, "min_query_length": integer(0, 100)}),
    "multi_external_select": shape(
        {}, {**_MANY, "initial_options": array(select_option, 1, 100), "min_query_length": integer(0, 100)}
    ),
    "users_select": shape({}, {**_MENU, "initial_user": _USER}),
    "multi_users_select": shape({}, {**_MANY, "initial_users": array(_USER, 1, 100)}),
    "conversations_select": shape(
        {},
        {
            **_MENU,
            "initial_conversation": _CONVERSATION,
            "default_to_current_conversation": boolean,
            "response_url_enabled": boolean,
            "filter": conversation_filter,
        },
    ),
    "multi_conversations_select": shape(
        {},
        {
            **_MANY,
            "initial_conversations": array(_CONVERSATION, 1, 100),
            "default_to_current_conversation": boolean,
            "filter": conversation_filter,
        },
    ),
    "channels_select": shape({}, {**_MENU, "initial_channel": _CHANNEL, "response_url_enabled": boolean}),
    "multi_channels_select": shape({}, {**_MANY, "initial_channels": array(_CHANNEL, 1, 100)}),
    "datepicker": shape({}, {**_MENU, "initial_date": _DATE}),
    "timepicker": shape({}, {**_MENU, "initial_time": _TIME, "timezone": string(100)}),
    "datetimepicker": shape({}, {**_FOCUSED, "initial_date_time": integer(1_000_000_000, 9_999_999_999)}),
    "plain_text_input": shape(
        {},
        {
            **_TYPED,
            "initial_value": string(3000, least=0),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
        },
        in_order("min_length", "max_length"),
        _initial_length,
    ),
    "number_input": shape(
        {"is_decimal_allowed": boolean},
        {**_TYPED, "initial_value": _DECIMAL, "min_value": _DECIMAL, "max_value": _DECIMAL},
        in_order("min_value", "max_value"),
        in_order("min_value", "initial_value"),
        in_order("initial_value", "max_value"),
    ),
    "email_text_input": shape({}, {**_TYPED, "initial_value": string(3000, least=0)}),
    "url_text_input": shape({}, {**_TYPED, "initial_value": string(3000, least=0)}),
    "rich_text_input": shape(
        {},
        {
            **_TYPED,
            "initial_value": shape({}, {}, closed=False),
            "min_lines": integer(1, 100),
            "max_lines": integer(1, 100),
        },
        in_order("min_lines", "max_lines"),
    ),
    "file_input": shape({}, {**_ACTION, "filetypes": array(string(20), 1, 100), "max_files": integer(1, 10)}),
    "plain_text": plain_text(3000),
    "mrkdwn": any_text(3000),
}

_SINGLE = ("static_select", "external_select", "users_select", "conversations_select", "channels_select")
_MULTI = tuple(f"multi_{name}" for name in _SINGLE)
_PICKERS = ("checkboxes", "radio_buttons", "datepicker", "timepicker")


def _of(*names: str) -> Mapping[str, Check]:
    return {name: ELEMENTS[name] for name in names}


SECTION_ACCESSORIES = _of("button", "workflow_button", "image", "overflow", *_SINGLE, *_MULTI, *_PICKERS)
ACTIONS_ELEMENTS = _of("button", "workflow_button", "overflow", "datetimepicker", *_SINGLE, *_PICKERS)
CONTEXT_ELEMENTS = _of("image", "plain_text", "mrkdwn")
CONTEXT_ACTIONS_ELEMENTS = _of("icon_button", "feedback_buttons")
INPUT_ELEMENTS = _of(
    *_SINGLE,
    *_MULTI,
    *_PICKERS,
    "datetimepicker",
    "plain_text_input",
    "number_input",
    "email_text_input",
    "url_text_input",
    "rich_text_input",
    "file_input",
)
