"""`/cleanup subscribe`, `unsubscribe` and `subscriptions`: which channels get a digest after each mass message, and of whom.

Counts only, ever. So no filter may mean one student, and one teacher's students are counted only where invited people read.
"""

import logging
from dataclasses import replace
from datetime import datetime
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy.orm import Session

from bot.access import Actor
from bot.cleanup_list.vocabulary import load_vocabulary
from bot.db.models.slack import Subscription
from bot.digests.subscriptions import list_subscriptions, load_subscription, subscribe_channel, unsubscribe_channel
from bot.domain.plural import plural
from bot.errors import UserError, describe_error
from bot.filters.filter import Filter, describe
from bot.filters.parse import Parsed, Unknown, parse_filter
from bot.filters.vocabulary import Vocabulary
from bot.slack.kit import api_errors, channel_privacy, mentions
from bot.slack.kit import blocks as b
from bot.slack.kit.card import Card
from bot.slack.kit.context import AppContext
from bot.wording import say

logger = logging.getLogger(__name__)

_NOT_THERE = {"channel_not_found", "not_in_channel", "is_archived"}
_MOST, _ROWS, _ROWS_IN_TEXT, _LONGEST = 40, 10, 15, 100


def start(desk: AppContext, client: WebClient, body: dict[str, Any], text: str) -> Card:
    """Subscribe this channel to what a filter's text means and say so in it, with who did it.

    Raises:
        UserError: the bot is not in the channel, people from outside the district are, or the filter is none for a channel.
    """
    channel, user = body["channel_id"], body["user_id"]
    mentioned = mentions.emails(desk, client, text)
    with desk.acting(client, user) as (session, actor):
        known = load_vocabulary(session, actor, mentioned)
        parsed = parse_filter(text, known)
    _refuse_no_school(parsed.filter, known)
    told = _channel(client, channel)
    _refuse_unless_ours(told)
    which = _for_a_channel(parsed, told)
    with desk.acting(client, user) as (session, actor):
        before = load_subscription(session, channel)
        became = subscribe_channel(session, channel, which=which, actor=actor.user_id, now=desk.now())
    if became is None:
        return _said(f"This channel already gets the digest after each mass message.{_only(which)}")
    whom, only = _whom(which), _only(which)
    refused = _tell(client, channel, say(f"subscribe.announced.{became}", who=f"<@{user}>", whom=whom, only=only))
    if refused:
        with desk.acting(client, user) as (session, actor):
            _put_back(session, channel, before, actor=actor, now=desk.now())
        raise UserError("digest.filter_refused", refused)
    return _said(say(f"subscribe.done.{became}", whom=whom, only=only))


def _put_back(session: Session, channel: str, before: Subscription | None, *, actor: Actor, now: datetime) -> None:
    if before is None:
        unsubscribe_channel(session, channel, actor=actor.user_id, now=now)
    else:
        which = parse_filter(before.filter_text).filter
        subscribe_channel(session, channel, which=which, actor=before.made_by, now=now)


def _for_a_channel(parsed: Parsed, channel: dict[str, Any]) -> Filter:
    if parsed.unknown:
        raise UserError("digest.not_understood", " ".join(_not_understood(one) for one in parsed.unknown))
    if parsed.filter.names:
        raise UserError(
            "digest.no_student",
            (
                f"A digest cannot be about students named “{b.escaped(' '.join(parsed.filter.names))}”: a "
                "count of one student tells the channel about that student. Narrow it by grade, SMS status or "
                f"school instead, or type `/cleanup {b.escaped(' '.join(parsed.filter.names))}` to see that "
                "list, only for yourself."
            ),
        )
    if parsed.filter.no_adult:
        raise UserError(
            "digest.always_told",
            (
                "Every digest counts the students who have no adult who can be texted, so leave that out "
                "here. Type `/cleanup no adult` to see them, only for yourself."
            ),
        )
    if channel_privacy.is_too_open(channel, parsed.filter):
        raise UserError(
            "digest.no_teacher",
            (
                "A digest for one teacher's students goes to private channels only. Type this in a private "
                "channel, or narrow it by grade, SMS status or school here."
            ),
        )
    return parsed.filter.with_page(1)


def _refuse_no_school(which: Filter, known: Vocabulary) -> None:
    """A list of a school that is none is empty, and seen to be; a digest of it would be good news for ever."""
    if which.school is None or known.has_school(which.school):
        return
    near = known.schools_like(which.school)
    hint = (
        f"Did you mean `/cleanup subscribe school {b.escaped(near[0])}`?"
        if near
        else "A digest can be narrowed by grade, SMS status and school: `/cleanup subscribe grade 5 blocked`."
    )
    raise UserError(
        "digest.no_school",
        (f"No school here is called “{b.escaped(b.cut(which.school, _LONGEST))}”, so nothing was changed. {hint}"),
    )


def _not_understood(one: Unknown) -> str:
    """What was not understood, and what it may have meant as far as a channel may ask for it."""
    meant = [each.text for each in one.suggestions if each.text and not parse_filter(each.text).filter.names]
    commands = " or ".join(f"`/cleanup subscribe {b.escaped(words)}`" for words in meant)
    hint = (
        f"Did you mean {commands}?"
        if commands
        else "A digest can be narrowed by grade, SMS status and school: `/cleanup subscribe grade 5 blocked`."
    )
    return f"I don't understand “{b.escaped(one.word)}”, so nothing was changed. {hint}"


def _only(which: Filter) -> str:
    return "" if which == Filter() else f" It counts {_whom(which)}."


def _whom(which: Filter) -> str:
    if which == Filter():
        return "*everybody*"
    return f"*{b.escaped(b.cut(describe(which), _LONGEST))}*"


def stop(desk: AppContext, client: WebClient, body: dict[str, Any], text: str) -> Card:
    """End the digests of this channel and say so in it.

    Raises:
        UserError: a filter follows, so a part of them was meant.
    """
    channel, user = body["channel_id"], body["user_id"]
    part = replace(parse_filter(text).filter, names=())
    with desk.acting(client, user) as (session, actor):
        if part.criteria:
            raise UserError(
                "digest.ends_all",
                (
                    "Nothing was ended: `/cleanup unsubscribe` ends the whole digest of a channel. To change whom "
                    f"it counts, type `/cleanup subscribe {b.escaped(b.cut(str(part), _LONGEST))}`."
                ),
            )
        was_there = unsubscribe_channel(session, channel, actor=actor.user_id, now=desk.now())
    if not was_there:
        return _said("This channel gets no digest. `/cleanup subscribe` starts one.")
    _tell(client, channel, f"<@{user}> ended the digest in this channel.")
    return _said("Done. No more digests here.")


def show(desk: AppContext, client: WebClient, body: dict[str, Any]) -> Card:
    """Every channel that gets digests, of whom, and who asked for it, for one person's eyes."""
    with desk.acting(client, body["user_id"]) as (session, _):
        found = list_subscriptions(session)
    if not found:
        return _said("No channel gets a digest yet. Type `/cleanup subscribe` in the channel that should get one.")
    rows = [_row(one) for one in found[:_MOST]]
    more = [f"… and {len(found) - _MOST:,} more, set up before these."] if len(found) > _MOST else []
    head = f"{plural(len(found), 'channel gets', 'channels get')} a digest after each mass message"
    shown = [b.section("\n".join(rows[at : at + _ROWS])) for at in range(0, len(rows), _ROWS)]
    below = map(
        b.context, [*more, "`/cleanup subscribe` or `/cleanup unsubscribe` in a channel changes or ends its digest."]
    )
    return Card([b.header(head), *shown, *below], "\n".join([head, *rows[:_ROWS_IN_TEXT]]))


def _row(one: Subscription) -> str:
    whom = _whom(parse_filter(one.filter_text).filter)
    channel, who, day = f"<#{one.channel_id}>", f"<@{one.made_by}>", b.date(one.made_at)
    return f"• {channel}: {whom}, set up by {who} on {day}"


def _tell(client: WebClient, channel: str, text: str) -> str | None:
    """Say something in a channel; gives a sentence when Slack will not have us write there.

    A channel that did not hear it because Slack had a bad moment is told nothing more: what was done is done.
    """
    try:
        client.chat_postMessage(channel=channel, text=text)
    except SlackApiError as problem:
        if not api_errors.is_retryable(problem):
            error = api_errors.error_code(problem)
            return (
                "I am not in this channel. Invite me first: `/invite @contact-cleanup`, then try again."
                if error in _NOT_THERE
                else f"Slack does not let me write in this channel: `{error}`."
            )
        logger.warning("a channel was not told of its digest: %s", api_errors.error_code(problem))
    except (OSError, HTTPException) as problem:
        logger.warning("a channel was not told of its digest: %s", describe_error(problem))
    return None


def _channel(client: WebClient, channel: str) -> dict[str, Any]:
    try:
        return dict(client.conversations_info(channel=channel)["channel"])
    except SlackApiError as problem:
        # The app asks for no rights to look into direct messages.
        if api_errors.error_code(problem) == "missing_scope":
            raise UserError(
                "digest.in_channels",
                "Digests go to channels. Type `/cleanup subscribe` in the channel that should get them.",
            ) from problem
        if api_errors.error_code(problem) in _NOT_THERE:
            raise UserError(
                "digest.invite",
                "I am not in this channel. Invite me first: `/invite @contact-cleanup`, then try again.",
            ) from problem
        raise


def _refuse_unless_ours(channel: dict[str, Any]) -> None:
    if channel.get("is_im") or channel.get("is_mpim"):
        raise UserError(
            "digest.in_channels",
            "Digests go to channels. Type `/cleanup subscribe` in the channel that should get them.",
        )
    if channel_privacy.is_from_outside(channel):
        raise UserError(
            "digest.shared", "This channel is shared with people outside the district, so no digest goes here."
        )
    if channel.get("is_member") is False:
        raise UserError(
            "digest.invite", "I am not in this channel. Invite me first: `/invite @contact-cleanup`, then try again."
        )


def _said(text: str) -> Card:
    return Card([b.section(text)], text)
