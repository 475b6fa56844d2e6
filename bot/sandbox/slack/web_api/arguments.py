"""Arguments of a Web API call, scopes that methods need, and lookups shared by the methods."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.block_kit.schema import Problem
from bot.sandbox.slack.errors import SlackError, invalid_argument, missing_argument
from bot.sandbox.slack.models import Channel, ChannelKind, Json
from bot.sandbox.slack.workspace import Workspace


@dataclass(frozen=True)
class Arguments:
    """The arguments of one call. Form fields are strings, a JSON body keeps its types; both are read alike."""

    given: Json

    def text(self, name: str) -> str | None:
        value = self.given.get(name)
        return None if value is None or value == "" else str(value)

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise missing_argument(name)
        return value

    def json(self, name: str) -> Any:
        """A value that is a JSON string in forms; None when it was not given."""
        value = self.given.get(name)
        if not isinstance(value, str) or value == "":
            return None if value == "" else value
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            error = "invalid_blocks_format" if name == "blocks" else "invalid_arguments"
            raise SlackError(error, problems=[Problem(f"/{name}", "must be valid JSON")]) from None

    def flag(self, name: str) -> bool:
        return str(self.given.get(name, "")).lower() in {"1", "true"}

    def integer(self, name: str, default: int) -> int:
        value = self.text(name) or str(default)
        if not value.isdigit():
            raise invalid_argument(name, "must be an integer")
        return int(value)


RequiredScope = Callable[[Workspace, Arguments], str | None]


@dataclass(frozen=True)
class Method:
    """A Web API method and the scope that it needs for given arguments (None: any token)."""

    call: Callable[[Workspace, Arguments], Json]
    required_scope: RequiredScope = lambda slack, arguments: None  # noqa: ARG005


def scope(name: str) -> RequiredScope:
    return lambda slack, arguments: name  # noqa: ARG005


def conversation_scope(verb: str) -> RequiredScope:
    """`channels:<verb>` for a public channel, `groups:<verb>` for a private one, `im:<verb>` for direct messages."""

    def required_scope(slack: Workspace, arguments: Arguments) -> str:
        channel = slack.channels.get(arguments.text("channel") or "")
        if channel is None:
            scopes = {f"{family}:{verb}" for family in ("channels", "groups", "im")}
            return next((scope for scope in slack.scopes if scope in scopes), f"channels:{verb}")
        if channel.kind is not ChannelKind.CHANNEL:
            return f"im:{verb}"
        return f"{'groups' if channel.private else 'channels'}:{verb}"

    return required_scope


def visible_channel(slack: Workspace, channel_id: str) -> Channel:
    """A conversation by id or name; a private one without the app does not exist for it."""
    name = channel_id.removeprefix("#")
    by_name = (c for c in slack.channels.values() if c.kind is ChannelKind.CHANNEL and c.name == name)
    channel = slack.channels.get(name) or next(by_name, None)
    if channel is None or (channel.private and slack.bot_user_id not in channel.members):
        raise SlackError("channel_not_found")
    return channel


def joined_channel(slack: Workspace, channel_id: str) -> Channel:
    """A conversation of which the app is a member."""
    channel = visible_channel(slack, channel_id)
    if slack.bot_user_id not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def page(items: list[Any], arguments: Arguments, default_limit: int) -> tuple[list[Any], Json]:
    """One page of a list, and the `response_metadata` with the cursor of the next."""
    start = int(arguments.text("cursor") or 0)
    end = start + min(arguments.integer("limit", default_limit), 1000)
    return items[start:end], {"response_metadata": {"next_cursor": str(end) if end < len(items) else ""}}
