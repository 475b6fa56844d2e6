"""`/cleanup subscribe` and `unsubscribe`: which channels get a digest after each mass message. Counts only, ever."""

import logging
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot import digests
from bot.errors import UserError, traced
from bot.slack import blocks as b
from bot.slack import refusals
from bot.slack.card import Card
from bot.slack.desk import Desk

logger = logging.getLogger(__name__)

_NOT_THERE = {"channel_not_found", "not_in_channel", "is_archived"}
_INVITE = "I am not in this channel. Invite me first: `/invite @contact-cleanup`, then try again."
_IN_CHANNELS = "Digests go to channels. Type `/cleanup subscribe` in the channel that should get them."


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
    refused = _tell(client, channel, text)
    if refused:
        with desk.acting(client, user) as (session, actor):
            digests.unsubscribe(session, channel, actor=actor.user_id, now=desk.now())
        raise UserError(refused)
    return _said("Done. The digest of the next mass message comes to this channel. `/cleanup unsubscribe` ends it.")


def stop(desk: Desk, client: WebClient, body: dict[str, Any]) -> Card:
    """End the digests of this channel and say so in it."""
    channel, user = body["channel_id"], body["user_id"]
    with desk.acting(client, user) as (session, actor):
        was_there = digests.unsubscribe(session, channel, actor=actor.user_id, now=desk.now())
    if not was_there:
        return _said("This channel gets no digest. `/cleanup subscribe` starts one.")
    _tell(client, channel, f"<@{user}> ended the digest in this channel.")
    return _said("Done. No more digests here.")


def _tell(client: WebClient, channel: str, text: str) -> str | None:
    """Say something in a channel; gives a sentence when Slack will not have us write there.

    A channel that did not hear it because Slack had a bad moment is told nothing more: what was done is done.
    """
    try:
        client.chat_postMessage(channel=channel, text=text)
    except SlackApiError as problem:
        if not refusals.may_pass(problem):
            error = refusals.word(problem)
            return _INVITE if error in _NOT_THERE else f"Slack does not let me write in this channel: `{error}`."
        logger.warning("a channel was not told of its digest: %s", refusals.word(problem))
    except (OSError, HTTPException) as problem:
        logger.warning("a channel was not told of its digest: %s", traced(problem))
    return None


def _channel(client: WebClient, channel: str) -> dict[str, Any]:
    try:
        return dict(client.conversations_info(channel=channel)["channel"])
    except SlackApiError as problem:
        # The app asks for no rights to look into direct messages.
        told = {"missing_scope": _IN_CHANNELS, **dict.fromkeys(_NOT_THERE, _INVITE)}
        if problem.response["error"] not in told:
            raise
        raise UserError(told[problem.response["error"]]) from problem


def _refuse_unless_ours(channel: dict[str, Any]) -> None:
    if channel.get("is_im") or channel.get("is_mpim"):
        raise UserError(_IN_CHANNELS)
    if channel.get("is_ext_shared") or channel.get("is_pending_ext_shared"):
        raise UserError("This channel is shared with people outside the district, so no digest goes here.")
    if channel.get("is_member") is False:
        raise UserError(_INVITE)


def _said(text: str) -> Card:
    return Card([b.section(text)], text)
