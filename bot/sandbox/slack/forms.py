"""Elements on the screen: finding one, filling it in, and what Slack's client refuses before it asks the app."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bot.sandbox.slack import message_store, payloads
from bot.sandbox.slack.block_kit.elements import options_of
from bot.sandbox.slack.block_kit.state import VALUE_FIELDS, Values, elements_of, state_entry, state_values
from bot.sandbox.slack.errors import NotOnScreen
from bot.sandbox.slack.models import Channel, Json, Message, Surface, View
from bot.sandbox.slack.workspace import Workspace

MAX_FILES, MAX_FILE_BYTES = 10, 10_000_000
# A block, and an element in it.
Control = tuple[Json, Json]


def conversation(slack: Workspace, user: str, channel_id: str) -> Channel:
    """A conversation of which the user is a member.

    Raises:
        NotOnScreen: there is none.
    """
    channel = slack.channels.get(channel_id)
    if channel is None or user not in channel.members:
        raise NotOnScreen(f"{user} is not in {channel_id}")
    return channel


def current_message(slack: Workspace, user: str, channel: str, ts: str) -> Message:
    """A message as it is now on the user's screen.

    Raises:
        NotOnScreen: it no longer exists, or the user never saw it.
    """
    for message in message_store.visible_to(slack, user, channel):
        if message.ts == ts:
            return message
    raise NotOnScreen(f"message {ts} is not on the screen of {user}")


def current_view(slack: Workspace, user: str, view_id: str) -> View:
    """A view as it is now on the user's screen, or NotOnScreen, as for messages."""
    view = slack.views.get(view_id)
    if view is None or view.user != user:
        raise NotOnScreen(f"view {view_id} is not on the screen of {user}")
    return view


def current(slack: Workspace, user: str, surface: Surface) -> Surface:
    if isinstance(surface, Message):
        return current_message(slack, user, surface.channel, surface.ts)
    return current_view(slack, user, surface.id)


def controls(surface: Surface) -> Iterator[Control]:
    for block in surface.blocks:
        for element in elements_of(block):
            if "action_id" in element:
                yield block, element


def find(
    surface: Surface,
    *,
    action_id: str | None = None,
    block_id: str | None = None,
    value: str | None = None,
    text: str | None = None,
) -> Control:
    """The only control that matches all of the given ids, the value and the label of a button.

    Raises:
        NotOnScreen: none matches, or more than one; the message lists the controls of the surface.
    """
    matches = [
        (block, element)
        for block, element in controls(surface)
        if action_id in {None, element["action_id"]}
        and block_id in {None, block["block_id"]}
        and value in {None, element.get("value")}
        and (text is None or text == element.get("text", {}).get("text"))
    ]
    criteria = {"action_id": action_id, "block_id": block_id, "value": value, "text": text}
    return _only(surface, matches, {name: given for name, given in criteria.items() if given is not None})


def find_field(surface: Surface, name: str) -> Control:
    """The field named `block_id/action_id`, or only one of the two where that is unambiguous."""
    matches = [
        (block, element)
        for block, element in controls(surface)
        if element["type"] in VALUE_FIELDS
        and name in {f"{block['block_id']}/{element['action_id']}", block["block_id"], element["action_id"]}
    ]
    return _only(surface, matches, name)


def _only(surface: Surface, matches: list[Control], criteria: object) -> Control:
    if len(matches) != 1:
        present = ", ".join(f"{block['block_id']}/{element['action_id']}" for block, element in controls(surface))
        raise NotOnScreen(f"{len(matches)} elements match {criteria!r}; on the screen: {present or 'nothing'}")
    return matches[0]


def current_values(slack: Workspace, user: str, surface: Surface) -> Values:
    """The values of the menus and fields of a surface for this user."""
    if isinstance(surface, View):
        return surface.state
    return state_values(surface.blocks, slack.chosen.get((user, *surface.key), {}))


def file_entry(slack: Workspace, user: str, element: Json, file_ids: list[str]) -> Json:
    """The state entry for files that the user has chosen, each with all that Slack tells the app about it.

    Raises:
        NotOnScreen: the dialog takes no such file, or fewer.
    """
    files = [file for file_id in file_ids if (file := slack.files.get(file_id)) and file.user == user]
    types = [kind.lower() for kind in element.get("filetypes", [])]
    if len(files) != len(file_ids) or len(files) > element.get("max_files", MAX_FILES):
        raise NotOnScreen("the dialog takes fewer files, and only the person's own")
    if types and any(file.name.rpartition(".")[2].lower() not in types for file in files):
        raise NotOnScreen(f"the dialog takes only {', '.join(types)}")
    if any(file.size > MAX_FILE_BYTES for file in files):
        raise NotOnScreen("the dialog takes files of up to 10 MB")
    return state_entry(element, [payloads.file_json(slack, file) for file in files])


def entry_for(element: Json, value: Any, *, choices: list[Json] | None = None) -> Json:
    """The state entry for a plain value: text, an option's value or label, an id, or a list of those; None is empty.

    `choices` are the options that an external menu offered.

    Raises:
        NotOnScreen: the option is not offered.
    """
    field = VALUE_FIELDS[element["type"]]
    if value is None or value == "":
        return state_entry(element, [] if field.is_list else None)
    if not field.is_option:
        return state_entry(element, list(value) if field.is_list else value)
    options = options_of(element) if choices is None else choices
    if field.is_list:
        return state_entry(element, [find_option(options, item) for item in value])
    return state_entry(element, find_option(options, value))


def find_option(options: list[Json], name: str) -> Json:
    """The option with this value or, failing that, this label."""
    for option in options:
        if option.get("value") == name:
            return option
    for option in options:
        if option["text"]["text"] == name:
            return option
    raise NotOnScreen(f"no option {name!r}; offered: {[option.get('value') for option in options]}")


def initial_options(element: Json) -> list[Json]:
    """The options of an external menu before it has asked the app."""
    return [*([element["initial_option"]] if "initial_option" in element else []), *element.get("initial_options", [])]


def enter(slack: Workspace, user: str, surface: Surface, control: Control, entry: Json) -> Surface:
    """Store what the user entered, without telling the app, and return the surface with it."""
    block_id, action_id = control[0]["block_id"], control[1]["action_id"]
    if isinstance(surface, View):
        entered = {**surface.entered, block_id: {**surface.entered.get(block_id, {}), action_id: entry}}
        surface = replace(surface, entered=entered)
        slack.store(surface)
        return surface
    with slack.changing():
        chosen = slack.chosen.setdefault((user, *surface.key), {})
        chosen[block_id] = {**chosen.get(block_id, {}), action_id: entry}
    return surface


def client_errors(view: View) -> dict[str, str]:
    """Sentences under fields, by block_id, that Slack's client shows without asking the app."""
    errors, state = {}, view.state
    for block in view.blocks:
        if block["type"] == "input":
            element = block["element"]
            entry = state[block["block_id"]][element["action_id"]]
            if error := _client_error(block, element, entry[VALUE_FIELDS[element["type"]].key]):
                errors[block["block_id"]] = error
    return errors


def _client_error(block: Json, element: Json, value: Any) -> str | None:
    if value in (None, "", []):
        return None if block.get("optional") else "Please complete this required field."
    match element["type"]:
        case "plain_text_input":
            return _length_error(element, value)
        case "email_text_input" if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
            return "Enter a valid email address."
        case "url_text_input" if not re.match(r"https?://\S+", value):
            return "Enter a valid URL."
        case "number_input":
            return _number_error(element, value)
    return None


def _length_error(element: Json, text: str) -> str | None:
    if len(text) < element.get("min_length", 0):
        return f"Must be at least {element['min_length']} characters."
    if len(text) > element.get("max_length", 3000):
        return f"Must be at most {element.get('max_length', 3000)} characters."
    return None


def _number_error(element: Json, text: str) -> str | None:
    if not re.fullmatch(r"-?\d+(\.\d+)?" if element["is_decimal_allowed"] else r"-?\d+", text):
        return "Enter a number."
    if "min_value" in element and float(text) < float(element["min_value"]):
        return f"Must be at least {element['min_value']}."
    if "max_value" in element and float(text) > float(element["max_value"]):
        return f"Must be at most {element['max_value']}."
    return None
