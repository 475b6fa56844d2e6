"""files.*: the upload in three steps. Ask for a URL, send the bytes there, say which conversation may see the file."""

from dataclasses import replace
from typing import Any

from bot.sandbox.slack import payloads, posting
from bot.sandbox.slack.errors import SlackError, missing
from bot.sandbox.slack.methods.arguments import Arguments, Method, joined_channel, scope
from bot.sandbox.slack.things import File, Json
from bot.sandbox.slack.workspace import Workspace


def get_upload_url(slack: Workspace, arguments: Arguments) -> Json:
    name, length = arguments.needed("filename"), arguments.number("length", 0)
    if length <= 0:
        raise missing("length")
    file = File(slack.new_id("F"), name, length)
    slack.files[file.id] = file
    return {"upload_url": f"{slack.base_url}/upload/{file.id}", "file_id": file.id}


def receive(slack: Workspace, file_id: str, content: bytes) -> None:
    """Take the bytes of a file that was announced with this size.

    Raises:
        SlackError: `file_not_found`, or `length_mismatch` when the size is another.
    """
    file = slack.files.get(file_id)
    if file is None:
        raise SlackError("file_not_found")
    if len(content) != file.size:
        raise SlackError("length_mismatch")
    slack.files[file_id] = replace(file, content=content)


def complete_upload(slack: Workspace, arguments: Arguments) -> Json:
    listed: Any = arguments.json("files")
    if not isinstance(listed, list) or not listed:
        raise missing("files")
    shared = []
    for entry in listed:
        file = slack.files.get(str(entry.get("id")))
        if file is None or not file.content:
            raise SlackError("file_not_found")
        shared.append(replace(file, title=entry.get("title") or file.name))
        slack.files[file.id] = shared[-1]
    if channel_id := arguments.text("channel_id") or arguments.text("channels"):
        _share(slack, channel_id, arguments.text("initial_comment"), shared)
    return {"files": [payloads.file(slack, file) for file in shared]}


def _share(slack: Workspace, channel_id: str, comment: str | None, files: list[File]) -> None:
    """Unlike chat.postMessage this takes no user id: the DM must have been opened."""
    channel = joined_channel(slack, channel_id)
    if channel.archived:
        raise SlackError("is_archived")
    posting.post(slack, channel.id, user=slack.bot_user_id, text=comment, by_app=True, files=tuple(files))


METHODS = {
    "files.getUploadURLExternal": Method(get_upload_url, scope("files:write")),
    "files.completeUploadExternal": Method(complete_upload, scope("files:write")),
}
