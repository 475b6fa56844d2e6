"""Pressing, choosing, and the shortcuts: what Slack sends when somebody uses a button or a menu."""

from typing import Any

from bot.sandbox.slack import entering, payloads, screens
from bot.sandbox.slack.block_kit.composition import options_answer_problems
from bot.sandbox.slack.block_kit.state import SLOTS
from bot.sandbox.slack.deliver import PathKind, Reply, send_payload
from bot.sandbox.slack.finding import Place, Spot, state
from bot.sandbox.slack.outcome import Outcome, sentence
from bot.sandbox.slack.things import Json, Message
from bot.sandbox.slack.workspace import Workspace


def act(slack: Workspace, user: str, place: Place, spot: Spot, chosen: Json) -> Outcome:
    """Use an element; `chosen` is what the action carries beside the element's own fields, like `selected_option`.

    `place` is sent as given: an older one replays what was on the screen then.
    """
    block, element = spot
    if element["type"] in SLOTS:
        held = {"type": element["type"], **chosen}
        ids = {"block_id": block["block_id"], "action_id": element["action_id"]}
        place = entering.enter(slack, user, place, **ids, held=held)
    action = {**_carried(element), **chosen, "block_id": block["block_id"], "action_ts": slack.new_ts()}
    payload = _block_actions(slack, user, place, action)
    return told(slack, user, send_payload(slack, PathKind.INTERACTIVITY, payload), "That")


def _carried(element: Json) -> Json:
    """What an action repeats of its element; options are left at home."""
    kept = ("type", "action_id", "value", "text", "style", "placeholder", "initial_option", "initial_options")
    return {name: element[name] for name in kept if name in element}


def _block_actions(slack: Workspace, user: str, place: Place, action: Json) -> Json:
    now = slack.clock()
    common: Json = {"trigger_id": slack.keys.issue_trigger(user, now), "actions": [action]}
    if isinstance(place, Message):
        common |= _in_message(slack, user, place, now)
    else:
        common |= {"container": {"type": "view", "view_id": place.id}, "view": payloads.view(slack, place)}
    return payloads.interaction(slack, "block_actions", slack.user(user), **common)


def _in_message(slack: Workspace, user: str, message: Message, now: float) -> Json:
    """An ephemeral message is not repeated in the payload; nobody but its reader has it."""
    hidden = message.ephemeral_for is not None
    hook = slack.keys.issue_hook(user, message.channel, now, original=message.key)
    container = {"type": "message", "message_ts": message.ts, "channel_id": message.channel, "is_ephemeral": hidden}
    return {
        "container": container,
        "channel": payloads.channel_ref(slack.channels[message.channel]),
        "state": {"values": state(slack, user, message)},
        "response_url": f"{slack.base_url}/hooks/{hook}",
        **({} if hidden else {"message": payloads.message(slack, message)}),
    }


def suggest(slack: Workspace, user: str, place: Place, spot: Spot, query: str) -> Outcome:
    """Type into an external menu; the options the app offers."""
    block, element = spot
    if len(query) < element.get("min_query_length", 3):
        return Outcome()
    where = {"block_id": block["block_id"], "action_id": element["action_id"], "value": query}
    if isinstance(place, Message):
        container = {"type": "message", "message_ts": place.ts, "channel_id": place.channel}
        where |= {"container": container, "channel": payloads.channel_ref(slack.channels[place.channel])}
    else:
        where |= {"container": {"type": "view", "view_id": place.id}, "view": payloads.view(slack, place)}
    payload = payloads.interaction(slack, "block_suggestion", slack.user(user), **where)
    return _offered(send_payload(slack, PathKind.OPTIONS, payload))


def _offered(reply: Reply) -> Outcome:
    answer = reply.json()
    if reply.error or answer is None:
        return Outcome(error=reply.error or "invalid_options", seconds=reply.seconds)
    if problems := options_answer_problems(answer):
        return Outcome(error="invalid_options", problems=tuple(problems), seconds=reply.seconds)
    grouped = [one for group in answer.get("option_groups", []) for one in group["options"]]
    return Outcome(options=(*answer.get("options", []), *grouped), seconds=reply.seconds)


def shortcut(slack: Workspace, user: str, callback_id: str, message: Message | None = None) -> Outcome:
    """Use a shortcut of the manifest: a global one, or one of a message's menu. A global one has no channel."""
    fields: Json = {"callback_id": callback_id, "action_ts": slack.new_ts()}
    fields["trigger_id"] = slack.keys.issue_trigger(user, slack.clock())
    if message:
        hook = slack.keys.issue_hook(user, message.channel, slack.clock())
        fields |= {
            "response_url": f"{slack.base_url}/hooks/{hook}",
            "channel": payloads.channel_ref(slack.channels[message.channel]),
            "message_ts": message.ts,
            "message": payloads.message(slack, message),
        }
    kind = "message_action" if message else "shortcut"
    payload = payloads.interaction(slack, kind, slack.user(user), **fields)
    return told(slack, user, send_payload(slack, PathKind.INTERACTIVITY, payload), "That")


def told(slack: Workspace, user: str, reply: Reply, what: str, **rest: Any) -> Outcome:
    """The outcome of a delivery whose answer says nothing but yes; an error shows as a passing notice."""
    slack.toast(user, sentence(reply.error, what) if reply.error else None)
    return Outcome(error=reply.error, seconds=reply.seconds, view=screens.top(slack, user), **rest)
