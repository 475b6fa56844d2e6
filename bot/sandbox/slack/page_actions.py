"""The actions of a user on the page. Each action takes the workspace, the user, and the JSON of the page's request (see
`page_api`), and returns the JSON of the response.
"""

from collections.abc import Callable, Mapping
from typing import Any

from bot.sandbox.slack import entry_points, forms, interactions, message_store, view_store
from bot.sandbox.slack.block_kit.elements import options_of
from bot.sandbox.slack.block_kit.state import VALUE_FIELDS
from bot.sandbox.slack.errors import NotOnScreen, error_sentence
from bot.sandbox.slack.forms import Control
from bot.sandbox.slack.models import Json, Outcome, Surface, View
from bot.sandbox.slack.workspace import Workspace


def type_text(slack: Workspace, user: str, asked: Json) -> Json:
    """Send the text of the composer: a slash command if it starts with a slash, otherwise a message."""
    text, channel = str(asked["text"]).strip(), asked["channel"]
    name, _, rest = text.partition(" ")
    if name.startswith("/"):
        return _result(entry_points.send_command(slack, user, name, rest, channel), name)
    return {"ok": True, "ts": entry_points.write_message(slack, user, channel, entry_points.escape(text)).ts}


def press(slack: Workspace, user: str, asked: Json) -> Json:
    """Use a button or menu; `value` is the menu's value as in Slack's state, `values` are the values of all fields."""
    surface, control = _target(slack, user, asked)
    surface = _enter_all(slack, user, surface, asked.get("values") or {})
    chosen = _chosen(control[1], asked.get("value") or {})
    return _result(interactions.use(slack, user, surface, control, chosen))


def enter(slack: Workspace, user: str, asked: Json) -> Json:
    """Store what is typed in a field without telling the app, so that it survives an update of the view."""
    surface, control = _target(slack, user, asked)
    _enter(slack, user, surface, control, asked.get("value"))
    return {"ok": True}


def suggest(slack: Workspace, user: str, asked: Json) -> Json:
    surface, control = _target(slack, user, asked)
    outcome = interactions.suggest(slack, user, surface, control, asked.get("query", ""))
    return _result(outcome) if outcome.error else {"options": list(outcome.options)}


def submit(slack: Workspace, user: str, asked: Json) -> Json:
    """Submit the top dialog with all values typed in it, `{block_id: {action_id: value}}`."""
    view = forms.current_view(slack, user, asked["view"])
    if view_store.top_modal(slack, user) != view:
        raise NotOnScreen("another dialog is on top")
    filled = _enter_all(slack, user, view, asked.get("values") or {})
    return _result(interactions.submit(slack, filled if isinstance(filled, View) else view))


def close(slack: Workspace, user: str, asked: Json) -> Json:
    return _result(interactions.close(slack, user, everything=bool(asked.get("all"))))


def open_place(slack: Workspace, user: str, asked: Json) -> Json:
    """Open a conversation, which marks it as read, or a tab of the app, of which the app receives an event."""
    if asked.get("home"):
        return _result(entry_points.open_home(slack, user))
    channel = asked["channel"]
    messages = message_store.visible_to(slack, user, channel)
    slack.mark_read(channel, user, messages[-1].ts if messages else "")
    if channel == slack.app_dm(user).id:
        return _result(entry_points.open_home(slack, user, tab="messages"))
    return {"ok": True}


def dismiss(slack: Workspace, user: str, asked: Json) -> Json:
    """Remove an ephemeral message from the screen, or without `ts` the toast."""
    if not asked.get("ts"):
        slack.show_toast(user, None)
        return {"ok": True}
    for message in list(slack.messages.values()):
        if message.ts == asked["ts"] and message.ephemeral_for == user:
            message_store.delete(slack, message)
            return {"ok": True}
    raise NotOnScreen("only your own ephemeral messages can be dismissed")


def use_shortcut(slack: Workspace, user: str, asked: Json) -> Json:
    message, place = None, asked.get("message")
    if place:
        message = forms.current_message(slack, user, place["channel"], place["ts"])
    return _result(entry_points.use_shortcut(slack, user, asked["callback_id"], message))


def invite(slack: Workspace, user: str, asked: Json) -> Json:
    return _result(entry_points.invite_bot(slack, user, asked["channel"]))


ACTIONS: Mapping[str, Callable[[Workspace, str, Json], Json]] = {
    "type": type_text,
    "press": press,
    "enter": enter,
    "suggest": suggest,
    "submit": submit,
    "close": close,
    "open": open_place,
    "dismiss": dismiss,
    "shortcut": use_shortcut,
    "invite": invite,
}


def _result(outcome: Outcome, action: str = "That") -> Json:
    if outcome.error:
        return {"error": outcome.error, "text": error_sentence(outcome.error, action)}
    return {"errors": dict(outcome.errors)} if outcome.errors else {"ok": True}


def _target(slack: Workspace, user: str, asked: Json) -> tuple[Surface, Control]:
    """The message or view that the page names, if it is on the user's screen, and the control in it."""
    where = asked["where"]
    surface: Surface
    if "message" in where:
        surface = forms.current_message(slack, user, where["message"]["channel"], where["message"]["ts"])
    else:
        surface = forms.current_view(slack, user, where["view"])
    return surface, forms.find(surface, block_id=asked["block_id"], action_id=asked["action_id"])


def _chosen(element: Json, value: Any) -> Json:
    """The value from the page, checked against the options: a browser may send anything."""
    if element["type"] == "overflow":
        return {"selected_option": forms.find_option(element["options"], value["selected_option"]["value"])}
    if element["type"] not in VALUE_FIELDS:
        return {}
    field = VALUE_FIELDS[element["type"]]
    chosen = value.get(field.key) if isinstance(value, dict) else value
    if chosen in ("", None):
        chosen = [] if field.is_list else None
    elif field.is_option and "external" not in element["type"]:
        options = options_of(element)
        chosen = (
            [forms.find_option(options, option["value"]) for option in chosen]
            if field.is_list
            else forms.find_option(options, chosen["value"])
        )
    return {field.key: chosen}


def _enter(slack: Workspace, user: str, surface: Surface, control: Control, value: Any) -> Surface:
    element = control[1]
    if element["type"] == "file_input":
        chosen = (value or {}).get("files") or []
        file_ids = [str(file["id"]) for file in chosen]
        return forms.enter(slack, user, surface, control, forms.file_entry(slack, user, element, file_ids))
    entry = {"type": element["type"], **_chosen(element, {} if value is None else value)}
    return forms.enter(slack, user, surface, control, entry)


def _enter_all(slack: Workspace, user: str, surface: Surface, values: dict[str, dict[str, Any]]) -> Surface:
    """Store all values; fields that are no longer on the surface are skipped."""
    for block, element in list(forms.controls(surface)):
        block_values = values.get(block["block_id"], {})
        if element["type"] in VALUE_FIELDS and element["action_id"] in block_values:
            surface = _enter(slack, user, surface, (block, element), block_values[element["action_id"]])
    return surface
