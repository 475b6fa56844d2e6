"""Typing: a slash command, or a message."""

import json
import re
from dataclasses import dataclass

from bot.sandbox.slack import events, payloads, posting, screens
from bot.sandbox.slack.deliver import PathKind, Reply, send_form
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.finding import conversation
from bot.sandbox.slack.outcome import NotOnScreen, Outcome, sentence
from bot.sandbox.slack.things import Channel, ChannelKind, Json, Message
from bot.sandbox.slack.workspace import Workspace


@dataclass(frozen=True)
class Typed:
    """A slash command on its way, with the response URL that goes along."""

    user: str
    name: str
    text: str
    channel: Channel
    hook: str


def commands(slack: Workspace) -> list[Json]:
    """The slash commands of the manifest; none without the scope for them."""
    if "commands" not in slack.scopes:
        return []
    return list(slack.manifest.get("features", {}).get("slash_commands", []))


def command(slack: Workspace, user: str, name: str, text: str, channel_id: str) -> Outcome:
    """Type a slash command in a conversation; the answer in the acknowledgement appears there."""
    channel = conversation(slack, user, channel_id)
    if name not in {known["command"] for known in commands(slack)}:
        return _shown(slack, user, name, Outcome(error="invalid_command"))
    passed_on = _mentioning(slack, escaped(text)) if _escapes(slack, name) else escaped(text)
    typed = Typed(user, name, passed_on, channel, slack.keys.issue_hook(user, channel_id, slack.clock()))
    reply = send_form(slack, PathKind.COMMAND, _fields(slack, typed))
    if reply.error:
        return _shown(slack, user, name, Outcome(error=reply.error, seconds=reply.seconds))
    return _shown(slack, user, name, _acknowledged(slack, typed, reply))


def _fields(slack: Workspace, typed: Typed) -> dict[str, str]:
    team, person = payloads.team(slack), slack.user(typed.user)
    installed_by = {"enterprise_id": slack.organisation} if slack.organisation else {"team_id": team["id"]}
    return {
        "token": payloads.VERIFICATION_TOKEN,
        **installed_by,
        "team_domain": team["domain"],
        "channel_id": typed.channel.id,
        "channel_name": payloads.channel_ref(typed.channel)["name"],
        "user_id": person.id,
        "user_name": person.handle,
        "command": typed.name,
        "text": typed.text,
        "api_app_id": slack.app_id,
        "is_enterprise_install": "true" if slack.organisation else "false",
        "response_url": f"{slack.base_url}/hooks/{typed.hook}",
        "trigger_id": slack.keys.issue_trigger(typed.user, slack.clock()),
    }


def escaped(text: str) -> str:
    """What people type, as Slack passes it on."""
    return text.strip().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _escapes(slack: Workspace, name: str) -> bool:
    """`should_escape`: whether a colleague who is mentioned in this command arrives as an id."""
    return any(known["command"] == name and known.get("should_escape") for known in commands(slack))


def _mentioning(slack: Workspace, text: str) -> str:
    """`@Ana García` and `@ana.garcia` as `<@U0ANA|ana.garcia>`; the longest name wins."""
    for one in sorted(slack.users.values(), key=lambda user: len(user.name), reverse=True):
        for said in (one.name, one.handle):
            text = re.sub(rf"(?<!\S)@{re.escape(said)}(?!\w)", f"<@{one.id}|{one.handle}>", text, flags=re.IGNORECASE)
    return text


def _acknowledged(slack: Workspace, typed: Typed, reply: Reply) -> Outcome:
    """A command's acknowledgement may be empty, plain text, or a message; `in_channel` shows the typed line to all."""
    body = _body(reply)
    if not body.get("text") and not body.get("blocks"):
        return Outcome(seconds=reply.seconds)
    try:
        if body.get("response_type") == "in_channel":
            posting.check_content(body.get("text"), body.get("blocks"), text_needed=False)
            posting.post(slack, typed.channel.id, user=typed.user, text=f"{typed.name} {typed.text}".strip())
        message = posting.say(slack, typed.user, typed.channel.id, body)
    except SlackError as refusal:
        return Outcome(error="invalid_command_response", problems=tuple(refusal.problems), seconds=reply.seconds)
    hook = slack.keys.hooks[typed.hook]
    hook.original = hook.original or message.key
    return Outcome(message=message, seconds=reply.seconds)


def _body(reply: Reply) -> Json:
    if reply.content_type.startswith("application/json"):
        parsed = json.loads(reply.body or b"{}")
        return parsed if isinstance(parsed, dict) else {"text": str(parsed)}
    return {"text": reply.body.decode(errors="replace").strip()}


def _shown(slack: Workspace, user: str, name: str, outcome: Outcome) -> Outcome:
    slack.toast(user, sentence(outcome.error, name) if outcome.error else None)
    view = screens.top(slack, user)
    return Outcome(outcome.error, outcome.problems, message=outcome.message, view=view, seconds=outcome.seconds)


def write(slack: Workspace, user: str, channel_id: str, text: str) -> Message:
    """Send a plain message. The app hears of it in its own DM, or when it is mentioned, if it subscribed to that."""
    channel = conversation(slack, user, channel_id)
    if channel.kind is ChannelKind.APP and _read_only(slack):
        raise NotOnScreen("sending messages to this app has been turned off")
    message = posting.post(slack, channel_id, user=user, text=text)
    said = {"user": user, "text": text, "ts": message.ts, "channel": channel_id, "event_ts": message.ts}
    if channel.kind is ChannelKind.APP:
        events.emit(slack, {"type": "message", **said, "channel_type": "im"}, subscription="message.im")
    elif f"<@{slack.bot_user_id}>" in text and slack.bot_user_id in channel.members:
        events.emit(slack, {"type": "app_mention", **said})
    return message


def _read_only(slack: Workspace) -> bool:
    home = slack.manifest.get("features", {}).get("app_home", {})
    return not home.get("messages_tab_enabled") or bool(home.get("messages_tab_read_only_enabled"))
