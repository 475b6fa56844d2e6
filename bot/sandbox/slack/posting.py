"""Messages come, change and go. A message that nobody but one person sees cannot be fetched or edited by the app; only
the response URL of its own chain replaces it.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bot.sandbox.slack import block_kit
from bot.sandbox.slack.block_kit import MOST_CHARACTERS, composition, state
from bot.sandbox.slack.block_kit.blocks import Surface
from bot.sandbox.slack.block_kit.schema import Problem
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.things import Channel, ChannelKind, Json, Message
from bot.sandbox.slack.workspace import Workspace

MOST_TEXT = 40_000
MOST_UPDATED_TEXT = 4_000


def check_content(text: Any, blocks: Any, *, text_needed: bool, most_text: int = MOST_TEXT) -> None:
    """Refuse what Slack would refuse as the content of a message.

    Slack itself takes blocks without `text`, to the loss of screen readers and notifications; here the Web API asks for
    it (`text_needed`), while acknowledgements and response URLs do not.
    """
    if text is not None and not isinstance(text, str):
        raise SlackError("invalid_arguments", problems=[Problem("/text", "must be a string")])
    if not text and (text_needed or not blocks):
        raise SlackError("no_text")
    if len(text or "") > most_text:
        raise SlackError("msg_too_long")
    if found := composition.unescaped(text or ""):
        problem = Problem("/text", f"must escape &, < and > as entities: {found!r}")
        raise SlackError("invalid_arguments", problems=[problem])
    if blocks is not None:
        _check_blocks(blocks)


def _check_blocks(blocks: Any) -> None:
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    if problems := block_kit.problems(Surface.MESSAGE, blocks):
        too_long = all(f"less than {MOST_CHARACTERS + 1}" in problem.message for problem in problems)
        raise SlackError("msg_blocks_too_long" if too_long else "invalid_blocks", problems=problems)


def post(
    slack: Workspace,
    channel: str,
    *,
    user: str,
    text: str | None,
    blocks: list[Json] | None = None,
    by_app: bool = False,
    **traits: Any,
) -> Message:
    """Put a message that was checked into a conversation; `traits` are fields of `Message`."""
    with slack.changing():
        content = state.normalised(blocks or [])
        message = Message(channel, slack.new_ts(), user, text or "", content, by_app=by_app, **traits)
        slack.put(message)
        slack.read_up_to[channel, user] = message.ts
    return message


def edit(slack: Workspace, message: Message, *, text: str | None, blocks: list[Json] | None, edited: bool) -> Message:
    """Replace what a message says."""
    changed = replace(message, text=text or "", blocks=state.normalised(blocks or []), edited=edited or message.edited)
    slack.put(changed)
    return changed


def delete(slack: Workspace, message: Message) -> None:
    slack.put(replace(message, deleted=True))


def in_channel(slack: Workspace, channel: str) -> Iterable[Message]:
    """The messages of a conversation that still stand, oldest first, ephemeral ones among them."""
    with slack.lock:
        found = [m for m in slack.messages.values() if m.channel == channel and not m.deleted]
    return sorted(found, key=lambda message: message.ts)


def seen_by(slack: Workspace, user: str, channel: str) -> list[Message]:
    """What somebody has on the screen of a conversation, oldest first: nothing unless they are in it."""
    if channel not in slack.channels or user not in slack.channels[channel].members:
        return []
    return [m for m in in_channel(slack, channel) if m.ephemeral_for in {None, user}]


def name_of(slack: Workspace, channel: Channel, *, seen_by: str) -> str:
    """How a conversation is called on somebody's screen: a DM bears the other person's name."""
    if channel.kind is ChannelKind.CHANNEL:
        return channel.name
    others = sorted(channel.members - {seen_by})
    return slack.users[others[0]].name if others else slack.users[seen_by].name


def response(slack: Workspace, hook_id: str, body: Json) -> Message | None:
    """An app's answer through a response URL, or in the acknowledgement of a command: the message that now stands.

    Raises:
        SlackError: `used_url`, `expired_url`, or what is wrong with the content.
    """
    with slack.changing():
        hook = slack.keys.use_hook(hook_id, slack.clock())
        original = slack.messages.get(hook.original) if hook.original else None
        if original and original.deleted:
            original = None
        if body.get("delete_original"):
            if original:
                delete(slack, original)
            return None
        message = say(
            slack, hook.user, hook.channel, body, replacing=original if body.get("replace_original") else None
        )
        hook.original = hook.original or message.key
    return message


def say(slack: Workspace, user: str, channel: str, body: Json, *, replacing: Message | None = None) -> Message:
    """Post or replace by a response body (`text`, `blocks`, `response_type`); ephemeral unless it says `in_channel`."""
    text, blocks = body.get("text"), body.get("blocks")
    check_content(text, blocks, text_needed=False)
    if body.get("response_type", "ephemeral") not in {"ephemeral", "in_channel"}:
        problem = Problem("/response_type", "value must be one of: ephemeral, in_channel")
        raise SlackError("invalid_arguments", problems=[problem])
    if replacing:
        return edit(slack, replacing, text=text, blocks=blocks, edited=not replacing.ephemeral_for)
    whose = None if body.get("response_type") == "in_channel" else user
    return post(slack, channel, user=slack.bot_user_id, text=text, blocks=blocks, by_app=True, ephemeral_for=whose)


def with_metadata(slack: Workspace, message: Message, metadata: Json) -> Message:
    changed = replace(message, metadata=metadata)
    slack.put(changed)
    return changed
