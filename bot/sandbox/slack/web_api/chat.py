"""chat.* and files.*: the app's own messages, and the file upload in three steps (get a URL, send the bytes there, share
the file with a conversation).
"""

import json
from dataclasses import replace
from typing import Any

from bot.sandbox.slack import message_store, payloads
from bot.sandbox.slack.errors import SlackError, missing_argument
from bot.sandbox.slack.models import Channel, File, Json, Message
from bot.sandbox.slack.web_api.arguments import Arguments, Method, joined_channel, scope, visible_channel
from bot.sandbox.slack.workspace import Workspace

_MAX_METADATA = 8_000


def post_message(slack: Workspace, arguments: Arguments) -> Json:
    channel = _destination(slack, arguments.required("channel"))
    text, blocks = _content(slack, arguments)
    thread = arguments.text("thread_ts")
    if thread and (channel.id, thread) not in slack.messages:
        raise SlackError("thread_not_found")
    message = message_store.post(
        slack,
        channel.id,
        user=slack.bot_user_id,
        text=text,
        blocks=blocks,
        by_app=True,
        thread_ts=thread,
        metadata=_metadata(arguments),
    )
    payload = payloads.message_json(slack, message, with_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": payload}


def post_ephemeral(slack: Workspace, arguments: Arguments) -> Json:
    channel = _destination(slack, arguments.required("channel"))
    user = slack.user(arguments.required("user"))
    if user.id not in channel.members:
        raise SlackError("user_not_in_channel")
    text, blocks = _content(slack, arguments)
    message = message_store.post(
        slack, channel.id, user=slack.bot_user_id, text=text, blocks=blocks, by_app=True, ephemeral_for=user.id
    )
    return {"message_ts": message.ts}


def update(slack: Workspace, arguments: Arguments) -> Json:
    """Blocks that are not given stay; an empty list removes them."""
    message = _own_message(slack, arguments, refusal="cant_update_message")
    if slack.channels[message.channel].archived:
        raise SlackError("is_archived")
    text, blocks = _content(slack, arguments, max_text=message_store.MAX_UPDATED_TEXT)
    changed = message_store.edit(
        slack, message, text=text, blocks=message.blocks if blocks is None else blocks, edited=True
    )
    if metadata := _metadata(arguments):
        changed = replace(changed, metadata=metadata)
        slack.store(changed)
    payload = payloads.message_json(slack, changed)
    return {"channel": message.channel, "ts": message.ts, "text": changed.text, "message": payload}


def delete(slack: Workspace, arguments: Arguments) -> Json:
    message = _own_message(slack, arguments, refusal="cant_delete_message")
    message_store.delete(slack, message)
    return {"channel": message.channel, "ts": message.ts}


def _destination(slack: Workspace, channel_or_user: str) -> Channel:
    """The channel to post in: one of which the app is a member, or the DM with a user."""
    if channel_or_user in slack.users:
        user = slack.users[channel_or_user]
        if user.bot:
            raise SlackError("cannot_dm_bot")
        if user.deleted:
            raise SlackError("user_disabled")
        return slack.app_dm(user.id)
    channel = visible_channel(slack, channel_or_user)
    if channel.archived:
        raise SlackError("is_archived")
    open_to_all = not channel.private and "chat:write.public" in slack.scopes
    return channel if open_to_all else joined_channel(slack, channel_or_user)


def _content(
    slack: Workspace, arguments: Arguments, *, max_text: int = message_store.MAX_TEXT
) -> tuple[str | None, list[Json] | None]:
    text, blocks = arguments.text("text"), arguments.json("blocks")
    message_store.check_content(slack, text, blocks, text_required=True, max_text=max_text)
    return text, blocks


def _metadata(arguments: Arguments) -> Json | None:
    metadata: Any = arguments.json("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise SlackError("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload"), dict) or set(metadata) - {"event_type", "event_payload"}:
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(metadata)) > _MAX_METADATA:
        raise SlackError("metadata_too_large")
    return metadata


def _own_message(slack: Workspace, arguments: Arguments, *, refusal: str) -> Message:
    """The app's own message; an ephemeral one cannot be found."""
    channel = visible_channel(slack, arguments.required("channel"))
    message = slack.messages.get((channel.id, arguments.required("ts")))
    if message is None or message.deleted or message.ephemeral_for:
        raise SlackError("message_not_found")
    if message.user != slack.bot_user_id:
        raise SlackError(refusal)
    return message


def get_upload_url(slack: Workspace, arguments: Arguments) -> Json:
    name, length = arguments.required("filename"), arguments.integer("length", 0)
    if length <= 0:
        raise missing_argument("length")
    file = File(slack.new_id("F"), name, length)
    slack.files[file.id] = file
    return {"upload_url": f"{slack.base_url}/upload/{file.id}", "file_id": file.id}


def receive_upload(slack: Workspace, file_id: str, content: bytes) -> None:
    """Store the bytes of a file that was announced with this size.

    Raises:
        SlackError: `file_not_found`, or `length_mismatch`.
    """
    file = slack.files.get(file_id)
    if file is None:
        raise SlackError("file_not_found")
    if len(content) != file.size:
        raise SlackError("length_mismatch")
    slack.files[file_id] = replace(file, content=content)


def complete_upload(slack: Workspace, arguments: Arguments) -> Json:
    """Share uploaded files. Unlike chat.postMessage this takes no user id: the DM must have been opened."""
    listed: Any = arguments.json("files")
    if not isinstance(listed, list) or not listed:
        raise missing_argument("files")
    files = []
    for item in listed:
        file = slack.files.get(str(item.get("id")))
        if file is None or not file.content:
            raise SlackError("file_not_found")
        file = replace(file, title=item.get("title") or file.name)
        slack.files[file.id] = file
        files.append(file)
    if channel_id := arguments.text("channel_id") or arguments.text("channels"):
        channel = joined_channel(slack, channel_id)
        if channel.archived:
            raise SlackError("is_archived")
        comment = arguments.text("initial_comment")
        message_store.post(slack, channel.id, user=slack.bot_user_id, text=comment, by_app=True, files=tuple(files))
    return {"files": [payloads.file_json(slack, file) for file in files]}


def delete_file(slack: Workspace, arguments: Arguments) -> Json:
    """Delete a file of the app everywhere; a message that held nothing else goes with it. A person's file stays theirs."""
    file = slack.files.get(arguments.required("file"))
    if file is None:
        raise SlackError("file_not_found")
    if file.user is not None:
        raise SlackError("cant_delete_file")
    del slack.files[file.id]
    for message in list(slack.messages.values()):
        kept = tuple(file for file in message.files if file.id in slack.files)
        if kept != message.files:
            is_empty = not (kept or message.text or message.blocks)
            slack.store(replace(message, files=kept, deleted=message.deleted or is_empty))
    return {}


def file_info(slack: Workspace, arguments: Arguments) -> Json:
    file = slack.files.get(arguments.required("file"))
    if file is None:
        raise SlackError("file_not_found")
    return {"file": payloads.file_json(slack, file), "comments": [], "response_metadata": {"next_cursor": ""}}


METHODS = {
    "chat.postMessage": Method(post_message, scope("chat:write")),
    "chat.postEphemeral": Method(post_ephemeral, scope("chat:write")),
    "chat.update": Method(update, scope("chat:write")),
    "chat.delete": Method(delete, scope("chat:write")),
    "files.getUploadURLExternal": Method(get_upload_url, scope("files:write")),
    "files.completeUploadExternal": Method(complete_upload, scope("files:write")),
    "files.info": Method(file_info, scope("files:read")),
    "files.delete": Method(delete_file, scope("files:write")),
}
