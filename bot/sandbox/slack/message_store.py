"""Messages: posted, edited, deleted, and checked as Slack checks them. The app can neither fetch nor edit an ephemeral
message; only the response URL that belongs to it replaces it.
"""

from dataclasses import replace
from typing import Any

from bot.sandbox.slack.block_kit.blocks import Surface
from bot.sandbox.slack.block_kit.elements import find_unescaped
from bot.sandbox.slack.block_kit.state import normalize
from bot.sandbox.slack.block_kit.validation import MAX_MESSAGE_CHARACTERS, block_problems
from bot.sandbox.slack.errors import SlackError, invalid_argument
from bot.sandbox.slack.models import Channel, ChannelKind, Json, Message
from bot.sandbox.slack.workspace import Workspace

MAX_TEXT = 40_000
MAX_UPDATED_TEXT = 4_000


def check_content(slack: Workspace, text: Any, blocks: Any, *, text_required: bool, max_text: int = MAX_TEXT) -> None:
    """Refuse text and blocks that Slack would refuse.

    Slack accepts blocks without `text`, at the expense of screen readers and notifications; `text_required` (the Web API)
    refuses that. Acknowledgments and response URLs do not require it.
    """
    if text is not None and not isinstance(text, str):
        raise invalid_argument("text", "must be a string")
    if not text and (text_required or not blocks):
        raise SlackError("no_text")
    if len(text or "") > max_text:
        raise SlackError("msg_too_long")
    if unescaped := find_unescaped(text or ""):
        raise invalid_argument("text", f"must escape &, < and > as entities: {unescaped!r}")
    if blocks is None:
        return
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    if problems := block_problems(Surface.MESSAGE, blocks, refused=slack.refused_blocks):
        too_long = all(f"less than {MAX_MESSAGE_CHARACTERS + 1}" in problem.message for problem in problems)
        raise SlackError("msg_blocks_too_long" if too_long else "invalid_blocks", problems=problems)


def post(
    slack: Workspace,
    channel: str,
    *,
    user: str,
    text: str | None,
    blocks: list[Json] | None = None,
    by_app: bool = False,
    **fields: Any,
) -> Message:
    """Add a checked message to a conversation; `fields` are further fields of `Message`."""
    with slack.changing():
        message = Message(channel, slack.new_ts(), user, text or "", normalize(blocks or []), by_app=by_app, **fields)
        slack.store(message)
        slack.mark_read(channel, user, message.ts)
    return message


def edit(slack: Workspace, message: Message, *, text: str | None, blocks: list[Json] | None, edited: bool) -> Message:
    """Replace the text and blocks of a message; `edited` marks it as edited."""
    changed = replace(message, text=text or "", blocks=normalize(blocks or []), edited=edited or message.edited)
    slack.store(changed)
    return changed


def delete(slack: Workspace, message: Message) -> None:
    slack.store(replace(message, deleted=True))


def in_channel(slack: Workspace, channel: str) -> list[Message]:
    """The messages of a conversation that are not deleted, oldest first, ephemeral ones included."""
    with slack.lock:
        messages = [m for m in slack.messages.values() if m.channel == channel and not m.deleted]
    return sorted(messages, key=lambda message: message.ts)


def visible_to(slack: Workspace, user: str, channel: str) -> list[Message]:
    """The messages of a conversation that a user sees, oldest first; none for a user who is not a member."""
    if channel not in slack.channels or user not in slack.channels[channel].members:
        return []
    return [message for message in in_channel(slack, channel) if message.ephemeral_for in {None, user}]


def channel_title(slack: Workspace, channel: Channel, *, viewer: str) -> str:
    """The title of a conversation on the viewer's screen: a DM has the name of the other person."""
    if channel.kind is ChannelKind.CHANNEL:
        return channel.name
    others = sorted(channel.members - {viewer})
    return slack.users[others[0]].name if others else slack.users[viewer].name


def respond(slack: Workspace, response_url: str, body: Json) -> Message | None:
    """Apply what the app sent to a response URL and return the message that it posted or replaced.

    Raises:
        SlackError: `invalid_url`, `used_url`, `expired_url`, or the problem of the content.
    """
    with slack.changing():
        hook = slack.use_response_url(response_url)
        original = slack.messages.get(hook.original) if hook.original else None
        if original and original.deleted:
            original = None
        if body.get("delete_original"):
            if original:
                delete(slack, original)
            return None
        replaced = original if body.get("replace_original") else None
        message = post_response(slack, hook.user, hook.channel, body, replaced=replaced)
        hook.original = hook.original or message.key
    return message


def post_response(slack: Workspace, user: str, channel: str, body: Json, *, replaced: Message | None = None) -> Message:
    """Post or replace by a response body (`text`, `blocks`, `response_type`); ephemeral unless it says `in_channel`."""
    text, blocks = body.get("text"), body.get("blocks")
    check_content(slack, text, blocks, text_required=False)
    response_type = body.get("response_type", "ephemeral")
    if response_type not in {"ephemeral", "in_channel"}:
        raise invalid_argument("response_type", "value must be one of: ephemeral, in_channel")
    if replaced:
        return edit(slack, replaced, text=text, blocks=blocks, edited=not replaced.ephemeral_for)
    audience = None if response_type == "in_channel" else user
    return post(slack, channel, user=slack.bot_user_id, text=text, blocks=blocks, by_app=True, ephemeral_for=audience)
