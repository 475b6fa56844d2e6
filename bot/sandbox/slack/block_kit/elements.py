"""Text objects, options, buttons, menus, and inputs, and which block may contain which of them.

Text in mrkdwn must have its `<`, `>` and `&` escaped: Slack would read a lone `<` or `&` as the start of a link or an
entity and render it wrongly, so it is refused here. Links, mentions and dates are legal.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.sandbox.slack.block_kit.schema import (
    Check,
    Problem,
    any_object,
    array,
    at_least_one,
    boolean,
    by_type,
    exactly_one,
    in_order,
    integer,
    one_of,
    shape,
    string,
    unique,
    url,
)

_LINK_OR_MENTION = re.compile(
    r"<(?:(?:https?|slack|ftp)://[^<>|\s]+|(?:mailto|tel):[^<>|]+|@[UW][A-Z0-9]+|\#[CGD][A-Z0-9]+"
    r"|!subteam\^S[A-Z0-9]+|!date\^\d+\^[^<>|]*|!here|!channel|!everyone)(?:\|[^<>]*)?>"
)
_ENTITY = re.compile(r"&(?:amp|lt|gt);")
_QUOTE = re.compile(r"^\s*>(?:>>)?", re.MULTILINE)


def find_unescaped(text: str) -> str | None:
    """The first character of mrkdwn that should have been escaped, with up to 12 characters after it."""
    rest = _QUOTE.sub("", _ENTITY.sub("", _LINK_OR_MENTION.sub("", text)))
    match = re.search(r"[<>&].{0,12}", rest)
    return match.group() if match else None


def _escaped(value: Any, pointer: str) -> Iterator[Problem]:
    if unescaped := find_unescaped(value["text"]):
        yield Problem(f"{pointer}/text", f"must escape &, < and > as entities: {unescaped!r}")


def plain_text(maximum: int) -> Check:
    return by_type({"plain_text": shape({"text": string(maximum)}, {"emoji": boolean})})


def any_text(maximum: int) -> Check:
    content = {"text": string(maximum)}
    mrkdwn = shape(content, {"verbatim": boolean}, _escaped)
    return by_type({"plain_text": shape(content, {"emoji": boolean}), "mrkdwn": mrkdwn})


_confirm = shape(
    {"title": plain_text(100), "text": any_text(300)},
    {"confirm": plain_text(30), "deny": plain_text(30), "style": one_of("primary", "danger")},
)
select_option = shape({"text": plain_text(75), "value": string(150)}, {"description": plain_text(75)})
_choice_option = shape({"text": any_text(75), "value": string(150)}, {"description": any_text(75)})
_overflow_option = shape({"text": plain_text(75), "value": string(150)}, {"description": plain_text(75), "url": url()})
option_group = shape({"label": plain_text(75), "options": array(select_option, 1, 100)}, {})
slack_file = shape({}, {"id": string(255), "url": url()}, exactly_one("id", "url"))
_dispatch_action_config = shape(
    {"trigger_actions_on": array(one_of("on_enter_pressed", "on_character_entered"), 1, 2)}, {}
)
_conversation_filter = shape(
    {},
    {
        "include": array(one_of("im", "mpim", "private", "public"), 1, 4),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
    at_least_one("include", "exclude_external_shared_channels", "exclude_bot_users"),
)


def options_of(element: dict[str, Any]) -> list[dict[str, Any]]:
    """Every option of a menu, in a group or not."""
    grouped = [option for group in element.get("option_groups", ()) for option in group["options"]]
    return [*element.get("options", ()), *grouped]


def distinct_options(value: Any, pointer: str) -> Iterator[Problem]:
    yield from unique(options_of(value), f"{pointer}/options", "value")


def _initial_among_options(value: Any, pointer: str) -> Iterator[Problem]:
    """An initial option must equal one of the options in text, value and description."""
    options = [_without_flags(option) for option in options_of(value)]
    name = "initial_option" if "initial_option" in value else "initial_options"
    initial = [value["initial_option"]] if "initial_option" in value else value.get("initial_options", [])
    for option in initial:
        if _without_flags(option) not in options:
            yield Problem(f"{pointer}/{name}", f"option is not among the options: {option['value']}")


def _without_flags(option: dict[str, Any]) -> tuple[str, str, str | None]:
    description = option.get("description")
    return option["value"], option["text"]["text"], description["text"] if description else None


_ACTION: Mapping[str, Check] = {"action_id": string(255)}
_CONFIRMED: Mapping[str, Check] = {**_ACTION, "confirm": _confirm}
_FOCUSED: Mapping[str, Check] = {**_CONFIRMED, "focus_on_load": boolean}
_MENU: Mapping[str, Check] = {**_FOCUSED, "placeholder": plain_text(150)}
_MULTI_MENU: Mapping[str, Check] = {**_MENU, "max_selected_items": integer(1, 100)}
_TEXT_INPUT: Mapping[str, Check] = {
    **_ACTION,
    "focus_on_load": boolean,
    "placeholder": plain_text(150),
    "dispatch_action_config": _dispatch_action_config,
}
_ID = string(30)
_DATE, _TIME = string(10, pattern=r"\d{4}-\d{2}-\d{2}"), string(5, pattern=r"([01]\d|2[0-3]):[0-5]\d")
_DECIMAL = string(30, pattern=r"-?\d+(\.\d+)?")
_SELECT_OPTIONS = array(select_option, 1, 100)


def _initial_length(value: Any, pointer: str) -> Iterator[Problem]:
    if len(value.get("initial_value", "")) > value.get("max_length", 3000):
        yield Problem(f"{pointer}/initial_value", "must not be longer than max_length")


def _choices(initial: Mapping[str, Check]) -> Check:
    required = {"options": array(_choice_option, 1, 10)}
    return shape(required, {**_FOCUSED, **initial}, distinct_options, _initial_among_options)


def _static_menu(fields: Mapping[str, Check], initial: Mapping[str, Check]) -> Check:
    optional = {**fields, **initial, "options": _SELECT_OPTIONS, "option_groups": array(option_group, 1, 100)}
    return shape({}, optional, exactly_one("options", "option_groups"), distinct_options, _initial_among_options)


ELEMENTS: Mapping[str, Check] = {
    "button": shape(
        {"text": plain_text(75)},
        {
            **_CONFIRMED,
            "value": string(2000),
            "url": url(),
            "style": one_of("primary", "danger"),
            "accessibility_label": string(75),
        },
    ),
    "image": shape(
        {"alt_text": string(2000)},
        {"image_url": url(), "slack_file": slack_file},
        exactly_one("image_url", "slack_file"),
    ),
    "overflow": shape({"options": array(_overflow_option, 1, 5)}, _CONFIRMED, distinct_options),
    "checkboxes": _choices({"initial_options": array(_choice_option, 1, 10)}),
    "radio_buttons": _choices({"initial_option": _choice_option}),
    "static_select": _static_menu(_MENU, {"initial_option": select_option}),
    "multi_static_select": _static_menu(_MULTI_MENU, {"initial_options": _SELECT_OPTIONS}),
    "external_select": shape({}, {**_MENU, "initial_option": select_option, "min_query_length": integer(0, 100)}),
    "multi_external_select": shape(
        {}, {**_MULTI_MENU, "initial_options": _SELECT_OPTIONS, "min_query_length": integer(0, 100)}
    ),
    "users_select": shape({}, {**_MENU, "initial_user": _ID}),
    "multi_users_select": shape({}, {**_MULTI_MENU, "initial_users": array(_ID, 1, 100)}),
    "conversations_select": shape(
        {},
        {
            **_MENU,
            "initial_conversation": _ID,
            "default_to_current_conversation": boolean,
            "response_url_enabled": boolean,
            "filter": _conversation_filter,
        },
    ),
    "multi_conversations_select": shape(
        {},
        {
            **_MULTI_MENU,
            "initial_conversations": array(_ID, 1, 100),
            "default_to_current_conversation": boolean,
            "filter": _conversation_filter,
        },
    ),
    "channels_select": shape({}, {**_MENU, "initial_channel": _ID, "response_url_enabled": boolean}),
    "multi_channels_select": shape({}, {**_MULTI_MENU, "initial_channels": array(_ID, 1, 100)}),
    "datepicker": shape({}, {**_MENU, "initial_date": _DATE}),
    "timepicker": shape({}, {**_MENU, "initial_time": _TIME, "timezone": string(100)}),
    "datetimepicker": shape({}, {**_FOCUSED, "initial_date_time": integer(1_000_000_000, 9_999_999_999)}),
    "plain_text_input": shape(
        {},
        {
            **_TEXT_INPUT,
            "initial_value": string(3000, minimum=0),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
        },
        in_order("min_length", "max_length"),
        _initial_length,
    ),
    "number_input": shape(
        {"is_decimal_allowed": boolean},
        {**_TEXT_INPUT, "initial_value": _DECIMAL, "min_value": _DECIMAL, "max_value": _DECIMAL},
        in_order("min_value", "max_value"),
        in_order("min_value", "initial_value"),
        in_order("initial_value", "max_value"),
    ),
    "email_text_input": shape({}, {**_TEXT_INPUT, "initial_value": string(3000, minimum=0)}),
    "url_text_input": shape({}, {**_TEXT_INPUT, "initial_value": string(3000, minimum=0)}),
    "rich_text_input": shape(
        {},
        {
            **_TEXT_INPUT,
            "initial_value": any_object,
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


def _named(*names: str) -> Mapping[str, Check]:
    return {name: ELEMENTS[name] for name in names}


SECTION_ACCESSORIES = _named("button", "image", "overflow", *_SINGLE, *_MULTI, *_PICKERS)
ACTIONS_ELEMENTS = _named("button", "overflow", "datetimepicker", *_SINGLE, *_PICKERS)
CONTEXT_ELEMENTS = _named("image", "plain_text", "mrkdwn")
INPUT_ELEMENTS = _named(
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
