"""All problems of a message's blocks, a view, or an options response. An empty list means that Slack would accept it."""

import json
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from bot.sandbox.slack.block_kit.blocks import BLOCKS, MAX_BLOCKS, Surface
from bot.sandbox.slack.block_kit.elements import distinct_options, option_group, plain_text, select_option
from bot.sandbox.slack.block_kit.schema import Problem, anything, array, boolean, by_type, exactly_one, shape, string
from bot.sandbox.slack.block_kit.state import elements_of

Blocks = list[dict[str, Any]]

# The limit of a message's blocks, measured as compact JSON. Found by trial; Slack does not publish it.
MAX_MESSAGE_CHARACTERS = 13_200
_MAX_MARKDOWN_CHARACTERS = 12_000
_MAX_CHARTS = 2

_VIEW = {
    "private_metadata": string(3000, minimum=0),
    "callback_id": string(255),
    "external_id": string(255, minimum=0),
}
_VIEWS = {
    Surface.HOME: shape({"blocks": anything}, _VIEW),
    Surface.MODAL: shape(
        {"blocks": anything, "title": plain_text(24)},
        {
            **_VIEW,
            "submit": plain_text(24),
            "close": plain_text(24),
            "clear_on_close": boolean,
            "notify_on_close": boolean,
            "submit_disabled": boolean,
        },
    ),
}
_OPTIONS_RESPONSE = shape(
    {},
    {"options": array(select_option, 0, 100), "option_groups": array(option_group, 0, 100)},
    exactly_one("options", "option_groups"),
    distinct_options,
)


def block_problems(
    surface: Surface, blocks: Any, pointer: str = "/blocks", *, refused: Collection[str] = ()
) -> list[Problem]:
    """The problems of blocks on a surface; `refused` are types of blocks that the workspace does not have yet."""
    checks = {name: check for name, check in BLOCKS[surface].items() if name not in refused}
    problems = list(array(by_type(checks), 0, MAX_BLOCKS[surface])(blocks, pointer))
    if not problems:
        problems.extend(_combined_problems(surface, blocks, pointer))
    return problems


def view_problems(view: Any, *, refused: Collection[str] = ()) -> list[Problem]:
    """The problems of a modal or a Home tab; `refused` as in `block_problems`."""
    if not isinstance(view, dict):
        return [Problem("/view", "must provide an object")]
    surface = view.get("type")
    if surface not in _VIEWS:
        return [Problem("/view/type", f"unsupported type: {surface}")]
    problems = list(_VIEWS[surface](view, "/view"))
    if "blocks" in view:
        problems.extend(block_problems(Surface(surface), view["blocks"], "/view/blocks", refused=refused))
    if not problems and surface == Surface.MODAL and "submit" not in view and _has_input(view["blocks"]):
        problems.append(Problem("/view", "missing required field: submit (a modal with input blocks needs one)"))
    return problems


def _has_input(blocks: Blocks) -> bool:
    return any(block["type"] == "input" for block in blocks)


def options_response_problems(response: dict[str, Any]) -> list[Problem]:
    """The problems of an app's response to a `block_suggestion`."""
    return list(_OPTIONS_RESPONSE(response, ""))


def _combined_problems(surface: Surface, blocks: Blocks, pointer: str) -> Iterator[Problem]:
    """Rules that involve more than one block."""
    yield from _duplicate_ids(blocks, pointer)
    if sum(bool(element.get("focus_on_load")) for block in blocks for element in elements_of(block)) > 1:
        yield Problem(pointer, "only one element may have focus_on_load")
    if surface is not Surface.MODAL:
        for index, block in enumerate(blocks):
            if block["type"] == "input" and block["element"]["type"] == "file_input":
                yield Problem(f"{pointer}/{index}/element/type", "unsupported type: file_input")
    if surface is Surface.MESSAGE:
        yield from _message_totals(blocks, pointer)


def _duplicate_ids(blocks: Blocks, pointer: str) -> Iterator[Problem]:
    block_ids: set[str] = set()
    for index, block in enumerate(blocks):
        if block.get("block_id") in block_ids:
            yield Problem(f"{pointer}/{index}/block_id", f"`block_id` already exists: {block['block_id']}")
        block_ids |= {block["block_id"]} if "block_id" in block else set()
        action_ids = Counter(element["action_id"] for element in elements_of(block) if element.get("action_id"))
        for action_id in (action_id for action_id, count in action_ids.items() if count > 1):
            yield Problem(f"{pointer}/{index}/elements", f"`action_id` already exists: {action_id}")


def _message_totals(blocks: Blocks, pointer: str) -> Iterator[Problem]:
    if sum(block["type"] == "table" for block in blocks) > 1:
        yield Problem(pointer, "no more than 1 table block allowed in a message")
    if sum(block["type"] == "data_visualization" for block in blocks) > _MAX_CHARTS:
        yield Problem(pointer, f"no more than {_MAX_CHARTS} data_visualization blocks allowed in a message")
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > _MAX_MARKDOWN_CHARACTERS:
        yield Problem(pointer, f"markdown blocks must be less than {_MAX_MARKDOWN_CHARACTERS + 1} characters in total")
    if len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) > MAX_MESSAGE_CHARACTERS:
        yield Problem(pointer, f"blocks must be less than {MAX_MESSAGE_CHARACTERS + 1} characters in total")
