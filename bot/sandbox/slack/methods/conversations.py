"""conversations.* and users.*: who and what is there, as far as the granted scopes let the app look."""

from bot.sandbox.slack import payloads, posting
from bot.sandbox.slack.block_kit.schema import Problem
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.methods.arguments import (
    Arguments,
    Method,
    conversation_scope,
    joined_channel,
    known_channel,
    page,
    scope,
)
from bot.sandbox.slack.things import ChannelKind, Json
from bot.sandbox.slack.workspace import Workspace

_KINDS = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}


def info(slack: Workspace, arguments: Arguments) -> Json:
    return {"channel": payloads.channel(slack, known_channel(slack, arguments.needed("channel")))}


def history(slack: Workspace, arguments: Arguments) -> Json:
    """Newest first; ephemeral messages are not part of any history."""
    channel = joined_channel(slack, arguments.needed("channel"))
    after, before = arguments.text("oldest") or "0", arguments.text("latest") or "9999999999"
    edge = arguments.flag("inclusive")
    found = [
        message
        for message in posting.in_channel(slack, channel.id)
        if not message.ephemeral_for
        and (float(after) < float(message.ts) < float(before) or (edge and message.ts in {after, before}))
    ]
    shown, more = page(list(reversed(found)), arguments, 100)
    with_metadata = arguments.flag("include_all_metadata")
    messages = [payloads.message(slack, message, with_metadata=with_metadata) for message in shown]
    return {"messages": messages, "has_more": bool(more["response_metadata"]["next_cursor"]), **more}


def open_dm(slack: Workspace, arguments: Arguments) -> Json:
    users = [user for user in (arguments.text("users") or "").split(",") if user]
    if len(users) != 1:
        problem = Problem("/users", "direct messages with one person only, here")
        raise SlackError("invalid_arguments", problems=[problem])
    if slack.user(users[0]).bot:
        raise SlackError("cannot_dm_bot")
    return {"channel": {"id": slack.app_dm(users[0]).id}}


def members(slack: Workspace, arguments: Arguments) -> Json:
    found, more = page(sorted(known_channel(slack, arguments.needed("channel")).members), arguments, 100)
    return {"members": found, **more}


def list_all(slack: Workspace, arguments: Arguments) -> Json:
    kinds = (arguments.text("types") or "public_channel").split(",")
    for kind in kinds:
        if kind not in _KINDS:
            raise SlackError("invalid_types")
        if f"{_KINDS[kind]}:read" not in slack.scopes:
            raise SlackError("missing_scope", needed=f"{_KINDS[kind]}:read", provided=",".join(slack.scopes))
    found = []
    for channel in slack.channels.values():
        kind = (
            "im"
            if channel.kind is not ChannelKind.CHANNEL
            else "private_channel"
            if channel.private
            else "public_channel"
        )
        visible = not channel.private or slack.bot_user_id in channel.members
        if kind in kinds and visible and not (channel.archived and arguments.flag("exclude_archived")):
            found.append(payloads.channel(slack, channel))
    shown, more = page(found, arguments, 100)
    return {"channels": shown, **more}


def _may_see_email(slack: Workspace) -> bool:
    return "users:read.email" in slack.scopes


def user_info(slack: Workspace, arguments: Arguments) -> Json:
    user = slack.user(arguments.needed("user"))
    return {"user": payloads.user(slack, user, with_email=_may_see_email(slack))}


def user_by_email(slack: Workspace, arguments: Arguments) -> Json:
    wanted = arguments.needed("email").lower()
    for user in slack.users.values():
        if (user.email or "").lower() == wanted and not user.deleted:
            return {"user": payloads.user(slack, user, with_email=True)}
    raise SlackError("users_not_found")


def list_users(slack: Workspace, arguments: Arguments) -> Json:
    found = [payloads.user(slack, user, with_email=_may_see_email(slack)) for user in slack.users.values()]
    shown, more = page(found, arguments, 1000)
    return {"members": shown, **more}


METHODS = {
    "conversations.info": Method(info, conversation_scope("read")),
    "conversations.history": Method(history, conversation_scope("history")),
    "conversations.members": Method(members, conversation_scope("read")),
    "conversations.list": Method(list_all),
    "conversations.open": Method(open_dm, scope("im:write")),
    "users.info": Method(user_info, scope("users:read")),
    "users.lookupByEmail": Method(user_by_email, scope("users:read.email")),
    "users.list": Method(list_users, scope("users:read")),
}
