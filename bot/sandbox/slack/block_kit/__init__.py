"""Block Kit as Slack polices it. Public emulators take anything; what Slack would refuse, this refuses, and says where.

problems(Surface.MESSAGE, blocks)   what is wrong with the blocks of a message, [] when Slack would take them
view_problems(view)                 the same for a modal or a Home tab
normalised(blocks)                  the blocks as Slack keeps them: ids filled in, text flags spelled out
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from bot.sandbox.slack.block_kit.blocks import BLOCKS, MOST_BLOCKS, Surface
from bot.sandbox.slack.block_kit.composition import plain_text
from bot.sandbox.slack.block_kit.schema import Problem, array, boolean, by_type, shape, string
from bot.sandbox.slack.block_kit.state import elements_of

__all__ = [
    "MOST_CHARACTERS",
    "Problem",
    "Surface",
    "any_text",
    "normalised",
    "options_answer_problems",
    "problems",
    "unescaped",
    "view_problems",
]

MOST_CHARACTERS = 13_200
"""A message's blocks may not be longer than this, measured as compact JSON. Found by trial; Slack does not publish it."""

_ONCE_A_MESSAGE = {"table": 1, "data_visualization": 2}


def problems(surface: Surface | str, blocks: Any, pointer: str = "/blocks") -> list[Problem]:
    """Everything for which Slack would refuse these blocks on this surface; empty when it would take them."""
    surface = Surface(surface)
    found = list(array(by_type(BLOCKS[surface]), 0, MOST_BLOCKS[surface])(blocks, pointer))
    if not found:
        found.extend(_together(surface, blocks, pointer))
    return found


def view_problems(view: Any, pointer: str = "/view") -> list[Problem]:
    """Everything for which Slack would refuse this modal or Home tab."""
    if not isinstance(view, dict):
        return [Problem(pointer, "must provide an object")]
    kind = view.get("type")
    if kind not in _VIEWS:
        return [Problem(f"{pointer}/type", f"unsupported type: {kind}")]
    found = list(_VIEWS[kind](view, pointer))
    if "blocks" in view:
        found.extend(problems(kind, view["blocks"], f"{pointer}/blocks"))
    if not found and kind == Surface.MODAL and "submit" not in view and _has_input(view):
        found.append(Problem(pointer, "missing required field: submit (a modal with input blocks needs one)"))
    return found


def _has_input(view: dict[str, Any]) -> bool:
    return any(block["type"] == "input" for block in view["blocks"])


_EITHER_VIEW = {
    "private_metadata": string(3000, least=0),
    "callback_id": string(255),
    "external_id": string(255, least=0),
}
_BLOCKS = {"blocks": array(lambda *_: iter(()), 0, 100)}
_VIEWS = {
    Surface.HOME: shape(_BLOCKS, _EITHER_VIEW),
    Surface.MODAL: shape(
        {**_BLOCKS, "title": plain_text(24)},
        {
            **_EITHER_VIEW,
            "submit": plain_text(24),
            "close": plain_text(24),
            "clear_on_close": boolean,
            "notify_on_close": boolean,
            "submit_disabled": boolean,
        },
    ),
}


def _together(surface: Surface, blocks: list[dict[str, Any]], pointer: str) -> Iterator[Problem]:
    """Rules that no block breaks alone."""
    yield from _duplicate_ids(blocks, pointer)
    yield from _one_focus(blocks, pointer)
    if surface is not Surface.MODAL:
        yield from _modal_only(blocks, pointer)
    if surface is Surface.MESSAGE:
        yield from _message_totals(blocks, pointer)


def _duplicate_ids(blocks: list[dict[str, Any]], pointer: str) -> Iterator[Problem]:
    seen: set[str] = set()
    actions: set[tuple[int, str]] = set()
    for index, block in enumerate(blocks):
        if block.get("block_id") in seen:
            yield Problem(f"{pointer}/{index}/block_id", f"`block_id` already exists: {block['block_id']}")
        seen |= {block["block_id"]} if "block_id" in block else set()
        for element in elements_of(block):
            key = (index, element.get("action_id", ""))
            if key[1] and key in actions:
                yield Problem(f"{pointer}/{index}/elements", f"`action_id` already exists: {key[1]}")
            actions.add(key)


def _one_focus(blocks: list[dict[str, Any]], pointer: str) -> Iterator[Problem]:
    if sum(bool(element.get("focus_on_load")) for block in blocks for element in elements_of(block)) > 1:
        yield Problem(pointer, "only one element may have focus_on_load")


def _modal_only(blocks: list[dict[str, Any]], pointer: str) -> Iterator[Problem]:
    for index, block in enumerate(blocks):
        if block["type"] == "input" and block["element"]["type"] == "file_input":
            yield Problem(f"{pointer}/{index}/element/type", "unsupported type: file_input")


def _message_totals(blocks: list[dict[str, Any]], pointer: str) -> Iterator[Problem]:
    kinds = Counter(block["type"] for block in blocks)
    for kind, most in _ONCE_A_MESSAGE.items():
        if kinds[kind] > most:
            yield Problem(pointer, f"no more than {most} {kind} blocks allowed in a message")
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > 12_000:  # noqa: PLR2004
        yield Problem(pointer, "markdown blocks must be less than 12001 characters in total")
    if characters(blocks) > MOST_CHARACTERS:
        yield Problem(pointer, f"blocks must be less than {MOST_CHARACTERS + 1} characters in total")


def characters(blocks: list[dict[str, Any]]) -> int:
    """The length of the blocks as compact JSON, which is what the total of a message is measured by here."""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))
