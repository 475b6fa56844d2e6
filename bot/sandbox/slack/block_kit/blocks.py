"""Every block Slack knows, and the surfaces it may stand on."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from bot.sandbox.slack.block_kit import elements, rich
from bot.sandbox.slack.block_kit.composition import any_text, plain_text, slack_file
from bot.sandbox.slack.block_kit.schema import (
    Check,
    Problem,
    array,
    at_least_one,
    boolean,
    by_type,
    exactly_one,
    integer,
    one_of,
    shape,
    string,
    unique,
    url,
)


class Surface(StrEnum):
    MESSAGE = "message"
    MODAL = "modal"
    HOME = "home"


_BLOCK: Mapping[str, Check] = {"block_id": string(255)}
_IMAGE = elements.ELEMENTS["image"]


def _standing(value: Any, pointer: str) -> Iterator[Problem]:
    if value.get("status") == "pending":
        yield Problem(f"{pointer}/status", "a task card that stands alone must not be pending")


def _distinct_tasks(value: Any, pointer: str) -> Iterator[Problem]:
    yield from unique(value.get("tasks", []), f"{pointer}/tasks", "task_id")


_task = shape(rich.TASK, rich.TASK_OPTIONS)
_card = shape(
    {},
    {
        **_BLOCK,
        "hero_image": by_type({"image": _IMAGE}),
        "icon": by_type({"image": _IMAGE}),
        "slack_icon": shape({}, {}, closed=False),
        "title": any_text(150),
        "subtitle": any_text(150),
        "body": any_text(200),
        "subtext": any_text(200),
        "actions": array(by_type({"button": elements.ELEMENTS["button"]}), 1, 2),
    },
    at_least_one("hero_image", "title", "actions", "body"),
)

_ANYWHERE: Mapping[str, Check] = {
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
    "video": shape(
        {"alt_text": string(2000), "title": plain_text(199), "thumbnail_url": url(), "video_url": url()},
        {
            **_BLOCK,
            "author_name": string(49),
            "description": plain_text(199),
            "provider_icon_url": url(),
            "provider_name": string(49),
            "title_url": url(),
        },
    ),
    "input": shape(
        {"label": plain_text(2000), "element": by_type(elements.INPUT_ELEMENTS)},
        {**_BLOCK, "hint": plain_text(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": rich.rich_text,
    "card": _card,
}
_MESSAGE_AND_HOME: Mapping[str, Check] = {
    "table": rich.table,
    "data_table": rich.data_table,
    "data_visualization": rich.data_visualization,
    "carousel": shape({"elements": array(by_type({"card": _card}), 1, 10)}, _BLOCK),
    "container": shape(
        {"child_blocks": array(by_type(_ANYWHERE), 1, 10)},
        {
            **_BLOCK,
            "title": any_text(150),
            "subtitle": any_text(150),
            "icon": shape({}, {}, closed=False),
            "width": one_of("narrow", "standard", "wide", "full"),
            "is_collapsible": boolean,
            "default_collapsed": boolean,
        },
    ),
}
_MESSAGE_ONLY: Mapping[str, Check] = {
    "markdown": shape({"text": string(12_000)}, _BLOCK),
    "file": shape({"external_id": string(255), "source": one_of("remote")}, _BLOCK),
    "task_card": shape(rich.TASK, rich.TASK_OPTIONS, _standing),
    "plan": shape(
        {"title": string(255)}, {**_BLOCK, "tasks": array(by_type({"task_card": _task}), 0, 50)}, _distinct_tasks
    ),
    "context_actions": shape({"elements": array(by_type(elements.CONTEXT_ACTIONS_ELEMENTS), 1, 5)}, _BLOCK),
}

BLOCKS: Mapping[Surface, Mapping[str, Check]] = {
    Surface.MESSAGE: {**_ANYWHERE, **_MESSAGE_AND_HOME, **_MESSAGE_ONLY},
    Surface.HOME: {**_ANYWHERE, **_MESSAGE_AND_HOME},
    Surface.MODAL: {**_ANYWHERE, "alert": rich.alert},
}
MOST_BLOCKS: Mapping[Surface, int] = {Surface.MESSAGE: 50, Surface.MODAL: 100, Surface.HOME: 100}
