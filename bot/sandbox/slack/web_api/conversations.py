"""conversations.* and users.*: channels and people, as far as the granted scopes allow."""

from bot.sandbox.slack import message_store, payloads
from bot.sandbox.slack.errors import SlackError, invalid_argument
from bot.sandbox.slack.models import Json
from bot.sandbox.slack.web_api.arguments import (
    Arguments,
    Method,
    conversation_scope,
    joined_channel,
    page,
    scope,
    visible_channel,
)
from bot.sandbox.slack.workspace import Workspace


def info(slack: Workspace, arguments: Arguments) -> Json:
    return {"channel": payloads.channel_json(slack, visible_channel(slack, arguments.required("channel")))}


def history(slack: Workspace, arguments: Arguments) -> Json:
    """Newest first, without ephemeral messages."""
    channel = joined_channel(slack, arguments.required("channel"))
    oldest, latest = arguments.text("oldest") or "0", arguments.text("latest") or "9999999999"
    inclusive = arguments.flag("inclusive")
    messages = [
        message
        for message in reversed(message_store.in_channel(slack, channel.id))
        if not message.ephemeral_for
        and (float(oldest) < float(message.ts) < float(latest) or (inclusive and message.ts in {oldest, latest}))
    ]
    shown, cursor = page(messages, arguments, 100)
    with_metadata = arguments.flag("include_all_metadata")
    return {
        "messages": [payloads.message_json(slack, message, with_metadata=with_metadata) for message in shown],
        "has_more": bool(cursor["response_metadata"]["next_cursor"]),
        **cursor,
    }


def open_dm(slack: Workspace, arguments: Arguments) -> Json:
    user_ids = [user_id for user_id in (arguments.text("users") or "").split(",") if user_id]
    if len(user_ids) != 1:
        raise invalid_argument("users", "only direct messages with one person are supported here")
    if slack.user(user_ids[0]).bot:
        raise SlackError("cannot_dm_bot")
    return {"channel": {"id": slack.app_dm(user_ids[0]).id}}


def user_info(slack: Workspace, arguments: Arguments) -> Json:
    user = slack.user(arguments.required("user"))
    return {"user": payloads.user_json(slack, user, with_email="users:read.email" in slack.scopes)}


def user_by_email(slack: Workspace, arguments: Arguments) -> Json:
    email = arguments.required("email").lower()
    for user in slack.users.values():
        if (user.email or "").lower() == email and not user.deleted:
            return {"user": payloads.user_json(slack, user, with_email=True)}
    raise SlackError("users_not_found")


METHODS = {
    "conversations.info": Method(info, conversation_scope("read")),
    "conversations.history": Method(history, conversation_scope("history")),
    "conversations.open": Method(open_dm, scope("im:write")),
    "users.info": Method(user_info, scope("users:read")),
    "users.lookupByEmail": Method(user_by_email, scope("users:read.email")),
}
