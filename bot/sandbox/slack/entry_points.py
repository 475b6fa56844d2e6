"""How people reach the app without a message or dialog of it: slash commands, shortcuts, messages, the Home tab, and
invitations to channels. Only events to which the manifest subscribes are sent, once and without delay.
"""

import json
import re
from uuid import uuid4

from bot.sandbox.slack import delivery, message_store, payloads, view_store
from bot.sandbox.slack.delivery import Reply
from bot.sandbox.slack.errors import NotOnScreen, SlackError, error_sentence
from bot.sandbox.slack.forms import conversation
from bot.sandbox.slack.models import Channel, ChannelKind, Json, Message, Outcome, RequestKind
from bot.sandbox.slack.workspace import Workspace

# Slack delivers no event whose scope was not granted.
_SCOPES_OF_EVENTS = {"message.im": {"im:history"}, "app_mention": {"app_mentions:read"}}


def send_command(slack: Workspace, user: str, name: str, text: str, channel_id: str) -> Outcome:
    """Type a slash command in a conversation; the message in the app's acknowledgment is posted there."""
    channel = conversation(slack, user, channel_id)
    outcome = _dispatch_command(slack, user, name, text, channel)
    slack.show_toast(user, error_sentence(outcome.error, name) if outcome.error else None)
    return outcome


def _dispatch_command(slack: Workspace, user: str, name: str, text: str, channel: Channel) -> Outcome:
    command = next((command for command in slack.commands if command["command"] == name), None)
    if command is None:
        return Outcome(error="invalid_command", view=view_store.top_modal(slack, user))
    text = escape(text)
    if command.get("should_escape"):
        text = _with_mentions(slack, text)
    response_url = slack.new_response_url(user, channel.id)
    fields = payloads.command_json(slack, name, text, user_id=user, channel=channel, response_url=response_url)
    reply = delivery.send_form(slack, RequestKind.COMMAND, fields)
    message, error, problems = None, reply.error, []
    body = {} if error else _acknowledgment(reply)
    if body.get("text") or body.get("blocks"):
        try:
            message = _post_acknowledgment(slack, user, channel.id, body, command_line=f"{name} {text}".strip())
        except SlackError as refusal:
            error, problems = "invalid_command_response", refusal.problems
        else:
            hook = slack.response_url(response_url)
            hook.original = hook.original or message.key
    top = view_store.top_modal(slack, user)
    return Outcome(error, tuple(problems), message=message, view=top, seconds=reply.seconds)


def _acknowledgment(reply: Reply) -> Json:
    """A command's acknowledgment may be empty, plain text, or a message."""
    if reply.content_type.startswith("application/json"):
        parsed = json.loads(reply.body or b"{}")
        return parsed if isinstance(parsed, dict) else {"text": str(parsed)}
    return {"text": reply.body.decode(errors="replace").strip()}


def _post_acknowledgment(slack: Workspace, user: str, channel: str, body: Json, *, command_line: str) -> Message:
    """`in_channel` also shows the command to everyone."""
    if body.get("response_type") == "in_channel":
        message_store.check_content(slack, body.get("text"), body.get("blocks"), text_required=False)
        message_store.post(slack, channel, user=user, text=command_line)
    return message_store.post_response(slack, user, channel, body)


def escape(text: str) -> str:
    """Typed text as Slack passes it on."""
    return text.strip().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _with_mentions(slack: Workspace, text: str) -> str:
    """Replace `@Ana García` and `@ana.garcia` by `<@U0ANA|ana.garcia>`, longer names first."""
    for user in sorted(slack.users.values(), key=lambda user: len(user.name), reverse=True):
        for name in (user.name, user.handle):
            mention = f"<@{user.id}|{user.handle}>"
            text = re.sub(rf"(?<!\S)@{re.escape(name)}(?!\w)", mention, text, flags=re.IGNORECASE)
    return text


def use_shortcut(slack: Workspace, user: str, callback_id: str, message: Message | None = None) -> Outcome:
    """Use a global shortcut, which has no channel, or a shortcut from a message's menu.

    Raises:
        NotOnScreen: the manifest has no such shortcut of this type.
    """
    kind = "message" if message else "global"
    if not any(shortcut["callback_id"] == callback_id and shortcut["type"] == kind for shortcut in slack.shortcuts):
        raise NotOnScreen(f"the manifest has no {kind} shortcut {callback_id!r}")
    fields: Json = {"callback_id": callback_id, "action_ts": slack.new_ts(), "trigger_id": slack.new_trigger(user)}
    if message:
        fields |= {
            "response_url": slack.new_response_url(user, message.channel),
            "channel": payloads.channel_ref_json(slack.channels[message.channel]),
            "message_ts": message.ts,
            "message": payloads.message_json(slack, message),
        }
    payload = payloads.interaction_json(slack, "message_action" if message else "shortcut", user, **fields)
    return acknowledged(slack, user, delivery.send_payload(slack, RequestKind.INTERACTIVITY, payload))


def acknowledged(slack: Workspace, user: str, reply: Reply) -> Outcome:
    """The outcome of a request whose acknowledgment has no content; an error is shown as a toast."""
    slack.show_toast(user, error_sentence(reply.error) if reply.error else None)
    return Outcome(error=reply.error, seconds=reply.seconds, view=view_store.top_modal(slack, user))


def write_message(slack: Workspace, user: str, channel_id: str, text: str) -> Message:
    """Send a plain message. The app receives an event in its own DM, or when it is mentioned.

    Raises:
        NotOnScreen: the user is not in the conversation, or the app's DM is read-only.
    """
    channel = conversation(slack, user, channel_id)
    app_home = slack.manifest.get("features", {}).get("app_home", {})
    writable = app_home.get("messages_tab_enabled") and not app_home.get("messages_tab_read_only_enabled")
    if channel.kind is ChannelKind.APP and not writable:
        raise NotOnScreen("sending messages to this app has been turned off")
    message = message_store.post(slack, channel_id, user=user, text=text)
    event = {
        "user": user,
        "text": text,
        "ts": message.ts,
        "channel": channel_id,
        "event_ts": message.ts,
        "team": slack.users[user].team_id or slack.team_id,
        "client_msg_id": str(uuid4()),
    }
    if channel.kind is ChannelKind.APP:
        _send_event(slack, {"type": "message", **event, "channel_type": "im"}, subscription="message.im")
    elif f"<@{slack.bot_user_id}>" in text and slack.bot_user_id in channel.members:
        _send_event(slack, {"type": "app_mention", **event})
    return message


def open_home(slack: Workspace, user: str, *, tab: str = "home") -> Outcome:
    """Open the app's Home tab (or its Messages tab)."""
    event: Json = {"type": "app_home_opened", "user": user, "channel": slack.app_dm(user).id, "tab": tab}
    if tab == "home" and user in slack.homes:
        event["view"] = payloads.view_json(slack, slack.views[slack.homes[user]])
    reply = _send_event(slack, event)
    view = slack.views[slack.homes[user]] if user in slack.homes else None
    return Outcome(error=reply.error, view=view, seconds=reply.seconds)


def invite_bot(slack: Workspace, user: str, channel_id: str) -> Outcome:
    """`/invite` the app into a channel of which the user is a member."""
    channel = conversation(slack, user, channel_id)
    bot = slack.bot_user_id
    slack.update_channel(channel_id, members=channel.members | {bot})
    message_store.post(slack, channel_id, user=bot, text=f"<@{bot}> was added by <@{user}>.")
    event = {
        "type": "member_joined_channel",
        "user": bot,
        "channel": channel_id,
        "channel_type": "G" if channel.private else "C",
        "inviter": user,
        "team": slack.team_id,
    }
    return Outcome(error=_send_event(slack, event).error)


def verify_url(slack: Workspace) -> bool:
    """Perform the handshake of a new request URL: whether the app answers with the challenge."""
    challenge = slack.new_id("CHALLENGE")
    body = {"token": payloads.VERIFICATION_TOKEN, "challenge": challenge, "type": "url_verification"}
    reply = delivery.send_event(slack, body)
    return reply.error is None and challenge in reply.body.decode(errors="replace")


def _send_event(slack: Workspace, body: Json, *, subscription: str | None = None) -> Reply:
    """Send an event to which the manifest subscribes, and for which it has the scope; otherwise do nothing."""
    name = subscription or body["type"]
    if name not in slack.bot_events or not _SCOPES_OF_EVENTS.get(name, set()) <= set(slack.scopes):
        return Reply()
    return delivery.send_event(slack, payloads.event_json(slack, body))
