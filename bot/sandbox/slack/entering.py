"""Typing and choosing: from what a person puts in a field to what Slack would submit, and what the client itself
refuses before the app is asked at all.
"""

import re
from typing import Any

from bot.sandbox.slack import screens
from bot.sandbox.slack.block_kit.composition import offered
from bot.sandbox.slack.block_kit.state import SLOTS, entry
from bot.sandbox.slack.finding import Place, state
from bot.sandbox.slack.outcome import NotOnScreen
from bot.sandbox.slack.things import Json, View
from bot.sandbox.slack.workspace import Workspace

REQUIRED = "Please complete this required field."


def made(element: Json, value: Any, *, choices: list[Json] | None = None) -> Json:
    """The state entry of an element for a plain value: text, an option's value or label, an id, or a list of those.

    `choices` are the options an external menu offered. None empties the field.

    Raises:
        NotOnScreen: for an option that is not offered.
    """
    slot = SLOTS[element["type"]]
    if value is None or value == "":
        return entry(element, [] if slot.many else None)
    if not slot.is_option:
        return entry(element, list(value) if slot.many else value)
    options = offered(element) if choices is None else choices
    if slot.many:
        return entry(element, [option(options, one) for one in value])
    return entry(element, option(options, value))


def option(options: list[Json], wanted: str) -> Json:
    """The offered option with this value or, failing that, this label."""
    for one in options:
        if one.get("value") == wanted:
            return one
    for one in options:
        if one["text"]["text"] == wanted:
            return one
    raise NotOnScreen(f"no option {wanted!r}; offered: {[one.get('value') for one in options]}")


def enter(slack: Workspace, user: str, place: Place, *, block_id: str, action_id: str, held: Json) -> Place:
    """Let a field hold something; the place as it stands then."""
    if isinstance(place, View):
        return screens.enter(slack, place, block_id, action_id, held)
    with slack.changing():
        kept = slack.chosen.setdefault((user, *place.key), {})
        kept[block_id] = {**kept.get(block_id, {}), action_id: held}
    return place


def default_choices(element: Json) -> list[Json]:
    """What an external menu can be chosen from before it was asked anything: its initial options."""
    return [*([element["initial_option"]] if "initial_option" in element else []), *element.get("initial_options", [])]


def refused_by_client(slack: Workspace, view: View) -> dict[str, str]:
    """Sentences under fields that Slack's client shows without asking the app, by block_id."""
    held = state(slack, view.user, view)
    found = {}
    for block in view.blocks:
        if block["type"] == "input":
            element = block["element"]
            value = held[block["block_id"]][element["action_id"]][SLOTS[element["type"]].key]
            if said := _said_of(block, element, value):
                found[block["block_id"]] = said
    return found


def _said_of(block: Json, element: Json, value: Any) -> str | None:
    if value in (None, "", []):
        return None if block.get("optional") else REQUIRED
    kind = element["type"]
    if kind == "plain_text_input":
        return _length(element, value)
    if kind == "email_text_input" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        return "Enter a valid email address."
    if kind == "url_text_input" and not re.match(r"https?://\S+", value):
        return "Enter a valid URL."
    return _number(element, value) if kind == "number_input" else None


def _length(element: Json, text: str) -> str | None:
    if len(text) < element.get("min_length", 0):
        return f"Must be at least {element['min_length']} characters."
    if len(text) > element.get("max_length", 3000):
        return f"Must be at most {element.get('max_length', 3000)} characters."
    return None


def _number(element: Json, text: str) -> str | None:
    if not re.fullmatch(r"-?\d+(\.\d+)?" if element["is_decimal_allowed"] else r"-?\d+", text):
        return "Enter a number."
    if "min_value" in element and float(text) < float(element["min_value"]):
        return f"Must be at least {element['min_value']}."
    if "max_value" in element and float(text) > float(element["max_value"]):
        return f"Must be at most {element['max_value']}."
    return None
