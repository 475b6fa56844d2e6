"""What an app sends along with a call, as text or JSON, and who may call what."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.block_kit.schema import Problem
from bot.sandbox.slack.errors import SlackError, missing
from bot.sandbox.slack.things import Channel, ChannelKind, Json
from bot.sandbox.slack.workspace import Workspace


@dataclass(frozen=True)
class Arguments:
    """Arguments of one call. Form fields are strings; a JSON body keeps its types; both are read alike."""

    given: Json

    def text(self, name: str) -> str | None:
        value = self.given.get(name)
        return None if value is None or value == "" else str(value)

    def needed(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise missing(name)
        return value

    def json(self, name: str) -> Any:
        """A value that travels as a JSON string in forms; None when it was not given."""
        value = self.given.get(name)
        if not isinstance(value, str) or value == "":
            return None if value == "" else value
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            raise SlackError(
                "invalid_blocks_format" if name == "blocks" else "invalid_arguments",
                problems=[Problem(f"/{name}", "must be valid JSON")],
            ) from None

    def flag(self, name: str) -> bool:
        return str(self.given.get(name, "")).lower() in {"1", "true"}

    def number(self, name: str, default: int) -> int:
        value = self.text(name) or str(default)
        if not value.isdigit():
            raise SlackError("invalid_arguments", problems=[Problem(f"/{name}", "must be an integer")])
        return int(value)


Needs = Callable[[Workspace, Arguments], str | None]


@dataclass(frozen=True)
class Method:
    """A Web API method: what it does, and which scope it needs for these arguments (None: any token will do)."""

    do: Callable[[Workspace, Arguments], Json]
    needs: Needs = lambda slack, arguments: None  # noqa: ARG005


def scope(name: str) -> Needs:
    return lambda slack, arguments: name  # noqa: ARG005


def conversation_scope(verb: str) -> Needs:
    """`channels:read` for a public channel, `groups:read` for a private one, `im:read` for direct messages."""

    def needs(slack: Workspace, arguments: Arguments) -> str:
        channel = slack.channels.get(arguments.text("channel") or "")
        if channel is None:
            granted = [s for s in slack.scopes if s in {f"{kind}:{verb}" for kind in ("channels", "groups", "im")}]
            return granted[0] if granted else f"channels:{verb}"
        if channel.kind is not ChannelKind.CHANNEL:
            return f"im:{verb}"
        return f"{'groups' if channel.private else 'channels'}:{verb}"

    return needs


def known_channel(slack: Workspace, channel_id: str) -> Channel:
    """A conversation the app can know of: a private one that it is not in does not exist for it."""
    channel = slack.channels.get(channel_id.removeprefix("#")) or _by_name(slack, channel_id.removeprefix("#"))
    if channel is None or (channel.private and slack.bot_user_id not in channel.members):
        raise SlackError("channel_not_found")
    return channel


def _by_name(slack: Workspace, name: str) -> Channel | None:
    return next((c for c in slack.channels.values() if c.kind is ChannelKind.CHANNEL and c.name == name), None)


def joined_channel(slack: Workspace, channel_id: str) -> Channel:
    """A conversation that the app is in."""
    channel = known_channel(slack, channel_id)
    if slack.bot_user_id not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def page(found: list[Any], arguments: Arguments, default: int) -> tuple[list[Any], Json]:
    """A page of a list and the `response_metadata` that leads to the next."""
    start = int(arguments.text("cursor") or 0)
    end = start + min(arguments.number("limit", default), 1000)
    return found[start:end], {"response_metadata": {"next_cursor": str(end) if end < len(found) else ""}}
