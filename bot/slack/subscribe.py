"""`/cleanup subscribe` and `unsubscribe`: which channels get a digest after each mass message. Counts only, ever."""

from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot import digests
from bot.errors import UserError
from bot.slack import blocks as b
from bot.slack.desk import Desk
from bot.slack.list_card import Card

_NOT_THERE = {"channel_not_found", "not_in_channel", "missing_scope"}


def start(desk: Desk, client: WebClient, body: dict[str, Any]) -> Card:
    """Subscribe this channel and say so in it, with who did it.

    Raises:
        UserError: the bot is not in the channel, or people from outside the district are.
    """
    channel, user = body["channel_id"], body["user_id"]
    with desk.acting(client, user):
        pass
    _refuse_unless_ours(_channel(client, channel))
    with desk.acting(client, user) as (session, actor):
        is_new = digests.subscribe(session, channel, actor=actor.user_id, now=desk.now())
    if not is_new:
        return _said("This channel already gets the digest after each mass message.")
    text = (
        f"<@{user}> set up the digest here: after each mass message, how many families it did not reach. Counts only."
    )
    client.chat_postMessage(channel=channel, text=text)
    return _said("Done. The digest of the next mass message comes to this channel. `/cleanup unsubscribe` ends it.")


def stop(desk: Desk, client: WebClient, body: dict[str, Any]) -> Card:
    """End the digests of this channel and say so in it."""
    channel, user = body["channel_id"], body["user_id"]
    with desk.acting(client, user) as (session, actor):
        was_there = digests.unsubscribe(session, channel, actor=actor.user_id, now=desk.now())
    if not was_there:
        return _said("This channel gets no digest. `/cleanup subscribe` starts one.")
    client.chat_postMessage(channel=channel, text=f"<@{user}> ended the digest in this channel.")
    return _said("Done. No more digests here.")


def _channel(client: WebClient, channel: str) -> dict[str, Any]:
    try:
        return dict(client.conversations_info(channel=channel)["channel"])
    except SlackApiError as problem:
        if problem.response["error"] not in _NOT_THERE:
            raise
        raise UserError(
            "I am not in this channel. Invite me first: `/invite @contact-cleanup`, then try again."
        ) from problem


def _refuse_unless_ours(channel: dict[str, Any]) -> None:
    if channel.get("is_im") or channel.get("is_mpim"):
        raise UserError("Digests go to channels. Type `/cleanup subscribe` in the channel that should get them.")
    if channel.get("is_ext_shared") or channel.get("is_pending_ext_shared"):
        raise UserError("This channel is shared with people outside the district, so no digest goes here.")
    if not channel.get("is_member"):
        raise UserError("I am not in this channel. Invite me first: `/invite @contact-cleanup`, then try again.")


def _said(text: str) -> Card:
    return Card([b.section(text)], text)
