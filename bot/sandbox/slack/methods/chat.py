"""chat.*: posting, changing and deleting the app's own messages."""

import json
from typing import Any

from bot.sandbox.slack import payloads, posting
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.methods.arguments import Arguments, Method, joined_channel, known_channel, scope
from bot.sandbox.slack.things import Channel, Json, Message
from bot.sandbox.slack.workspace import Workspace

_MOST_METADATA = 8_000


def _destination(slack: Workspace, given: str) -> Channel:
    """Where `chat.postMessage` posts: a channel the app is in, or a person, whose DM it opens."""
    if given in slack.users:
        user = slack.users[given]
        if user.bot:
            raise SlackError("cannot_dm_bot")
        if user.deleted:
            raise SlackError("user_disabled")
        return slack.app_dm(given)
    channel = known_channel(slack, given)
    if channel.archived:
        raise SlackError("is_archived")
    open_to_all = not channel.private and "chat:write.public" in slack.scopes
    return channel if open_to_all else joined_channel(slack, given)


def _metadata(arguments: Arguments) -> Json | None:
    metadata: Any = arguments.json("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise SlackError("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload"), dict) or set(metadata) - {"event_type", "event_payload"}:
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(metadata)) > _MOST_METADATA:
        raise SlackError("metadata_too_large")
    return metadata


def _content(arguments: Arguments, *, most_text: int = posting.MOST_TEXT) -> tuple[str | None, list[Json] | None]:
    text, blocks = arguments.text("text"), arguments.json("blocks")
    posting.check_content(text, blocks, text_needed=True, most_text=most_text)
    return text, blocks


def post_message(slack: Workspace, arguments: Arguments) -> Json:
    channel = _destination(slack, arguments.needed("channel"))
    text, blocks = _content(arguments)
    thread = arguments.text("thread_ts")
    if thread and (channel.id, thread) not in slack.messages:
        raise SlackError("thread_not_found")
    message = posting.post(
        slack,
        channel.id,
        user=slack.bot_user_id,
        text=text,
        blocks=blocks,
        by_app=True,
        thread_ts=thread,
        metadata=_metadata(arguments),
    )
    said = payloads.message(slack, message, with_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": said}


def post_ephemeral(slack: Workspace, arguments: Arguments) -> Json:
    channel = _destination(slack, arguments.needed("channel"))
    user = slack.user(arguments.needed("user"))
    if user.id not in channel.members:
        raise SlackError("user_not_in_channel")
    text, blocks = _content(arguments)
    message = posting.post(
        slack, channel.id, user=slack.bot_user_id, text=text, blocks=blocks, by_app=True, ephemeral_for=user.id
    )
    return {"message_ts": message.ts}


def _own(slack: Workspace, arguments: Arguments, refusal: str) -> Message:
    """The app's own message that the arguments name. An ephemeral one cannot be found."""
    channel = known_channel(slack, arguments.needed("channel"))
    message = slack.messages.get((channel.id, arguments.needed("ts")))
    if message is None or message.deleted or message.ephemeral_for:
        raise SlackError("message_not_found")
    if message.user != slack.bot_user_id:
        raise SlackError(refusal)
    return message


def update(slack: Workspace, arguments: Arguments) -> Json:
    """Blocks that are not given stay as they are; an empty list takes them away."""
    message = _own(slack, arguments, "cant_update_message")
    if slack.channels[message.channel].archived:
        raise SlackError("is_archived")
    text, blocks = _content(arguments, most_text=posting.MOST_UPDATED_TEXT)
    kept = message.blocks if blocks is None else blocks
    changed = posting.edit(slack, message, text=text, blocks=kept, edited=True)
    if metadata := _metadata(arguments):
        changed = posting.with_metadata(slack, changed, metadata)
    said = payloads.message(slack, changed)
    return {"channel": message.channel, "ts": message.ts, "text": changed.text, "message": said}


def delete(slack: Workspace, arguments: Arguments) -> Json:
    message = _own(slack, arguments, "cant_delete_message")
    posting.delete(slack, message)
    return {"channel": message.channel, "ts": message.ts}


def get_permalink(slack: Workspace, arguments: Arguments) -> Json:
    channel = known_channel(slack, arguments.needed("channel"))
    message = slack.messages.get((channel.id, arguments.needed("message_ts")))
    if message is None or message.deleted or message.ephemeral_for:
        raise SlackError("message_not_found")
    link = f"{slack.base_url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": link}


METHODS = {
    "chat.postMessage": Method(post_message, scope("chat:write")),
    "chat.postEphemeral": Method(post_ephemeral, scope("chat:write")),
    "chat.update": Method(update, scope("chat:write")),
    "chat.delete": Method(delete, scope("chat:write")),
    "chat.getPermalink": Method(get_permalink),
}
