"""Blocks, and the surfaces that accept them. Blocks that apps rarely use (video, card, carousel ...) are refused as unknown."""

from collections.abc import Mapping
from enum import StrEnum

from bot.sandbox.slack.block_kit import charts, elements
from bot.sandbox.slack.block_kit.elements import any_text, plain_text, slack_file
from bot.sandbox.slack.block_kit.schema import (
    Check,
    array,
    at_least_one,
    boolean,
    by_type,
    exactly_one,
    integer,
    number,
    one_of,
    shape,
    string,
    url,
)


class Surface(StrEnum):
    MESSAGE = "message"
    MODAL = "modal"
    HOME = "home"


_BLOCK: Mapping[str, Check] = {"block_id": string(255)}

# Rich text.

_STYLE_NAMES = ("bold", "italic", "strike", "underline", "code", "highlight", "client_highlight", "unlink")
_STYLED = {"style": shape({}, dict.fromkeys(_STYLE_NAMES, boolean))}
_RICH_TEXT_ELEMENTS = array(
    by_type(
        {
            "text": shape({"text": string(12_000)}, _STYLED),
            "link": shape({"url": url()}, {**_STYLED, "text": string(12_000), "unsafe": boolean}),
            "emoji": shape({"name": string(255)}, {**_STYLED, "unicode": string(255), "skin_tone": integer(1, 6)}),
            "user": shape({"user_id": string(30)}, _STYLED),
            "usergroup": shape({"usergroup_id": string(30)}, _STYLED),
            "channel": shape({"channel_id": string(30)}, _STYLED),
            "broadcast": shape({"range": one_of("here", "channel", "everyone")}, _STYLED),
            "color": shape({"value": string(7, pattern=r"#[0-9a-fA-F]{6}")}, _STYLED),
            "date": shape(
                {"timestamp": integer(0, 99_999_999_999), "format": string(255)},
                {**_STYLED, "url": url(), "fallback": string(255)},
            ),
        }
    ),
    0,
    1000,
)
_BORDER = {"border": integer(0, 1)}
_RICH_TEXT_SECTION = {"rich_text_section": shape({"elements": _RICH_TEXT_ELEMENTS}, {})}
_RICH_TEXT = shape(
    {
        "elements": array(
            by_type(
                {
                    **_RICH_TEXT_SECTION,
                    "rich_text_list": shape(
                        {"style": one_of("bullet", "ordered"), "elements": array(by_type(_RICH_TEXT_SECTION), 1, 1000)},
                        {**_BORDER, "indent": integer(0, 8), "offset": integer(0, 10_000)},
                    ),
                    "rich_text_preformatted": shape(
                        {"elements": _RICH_TEXT_ELEMENTS}, {**_BORDER, "language": string(50)}
                    ),
                    "rich_text_quote": shape({"elements": _RICH_TEXT_ELEMENTS}, _BORDER),
                }
            ),
            1,
            1000,
        )
    },
    _BLOCK,
)

# Tables.

_PLAIN_CELLS: dict[str, Check] = {
    "raw_text": shape({"text": string(3000, minimum=0)}, {}),
    "raw_number": shape({"value": number}, {"text": string(255)}),
}
_ROW = array(by_type({**_PLAIN_CELLS, "rich_text": _RICH_TEXT}), 1, 20)
_COLUMN = shape({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})


_ON_EVERY_SURFACE: Mapping[str, Check] = {
    "divider": shape({}, _BLOCK),
    "header": shape({"text": plain_text(150)}, {**_BLOCK, "level": integer(1, 4)}),
    "section": shape(
        {},
        {
            **_BLOCK,
            "text": any_text(3000),
            "fields": array(any_text(2000), 1, 10),
            "accessory": by_type(elements.SECTION_ACCESSORIES),
            "expand": boolean,
        },
        at_least_one("text", "fields"),
    ),
    "context": shape({"elements": array(by_type(elements.CONTEXT_ELEMENTS), 1, 10)}, _BLOCK),
    "actions": shape({"elements": array(by_type(elements.ACTIONS_ELEMENTS), 1, 25)}, _BLOCK),
    "image": shape(
        {"alt_text": string(2000)},
        {**_BLOCK, "image_url": url(), "slack_file": slack_file, "title": plain_text(2000)},
        exactly_one("image_url", "slack_file"),
    ),
    "input": shape(
        {"label": plain_text(2000), "element": by_type(elements.INPUT_ELEMENTS)},
        {**_BLOCK, "hint": plain_text(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": _RICH_TEXT,
}
# The documentation and Slack's own validator disagree about other children.
_CHILDREN = {name: _ON_EVERY_SURFACE[name] for name in ("actions", "context", "divider", "header", "section")}
_CONTAINER = {
    **dict.fromkeys(("is_collapsible", "default_collapsed", "has_header_divider"), boolean),
    "subtitle": any_text(150),
    "width": one_of("narrow", "standard", "wide", "full"),
}
_IN_MESSAGES_AND_HOME: Mapping[str, Check] = {
    "container": shape(
        {"title": plain_text(150), "child_blocks": array(by_type(_CHILDREN), 1, 10)}, {**_BLOCK, **_CONTAINER}
    ),
    "data_visualization": charts.data_visualization(_BLOCK),
    "data_table": charts.data_table(_BLOCK, _PLAIN_CELLS, _RICH_TEXT),
    "table": shape({"rows": array(_ROW, 1, 100)}, {**_BLOCK, "column_settings": array(_COLUMN, 0, 20)}),
}

BLOCKS: Mapping[Surface, Mapping[str, Check]] = {
    Surface.MESSAGE: {
        **_ON_EVERY_SURFACE,
        **_IN_MESSAGES_AND_HOME,
        "markdown": shape({"text": string(12_000)}, _BLOCK),
    },
    Surface.HOME: {**_ON_EVERY_SURFACE, **_IN_MESSAGES_AND_HOME},
    Surface.MODAL: _ON_EVERY_SURFACE,
}
MAX_BLOCKS: Mapping[Surface, int] = {Surface.MESSAGE: 50, Surface.MODAL: 100, Surface.HOME: 100}
