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
from bot.errors import UserError, describe_error
from bot.filters.filter import Filter, describe
from bot.filters.parsing import Parsed, Unknown, parse_filter
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
        return _said(say("subscribe.already", only=_only(which)))
    whom, only = _whom(which), _only(which)
    refused = _tell(client, channel, say(f"subscribe.announced.{became}", who=f"<@{user}>", whom=whom, only=only))
    if refused:
        with desk.acting(client, user) as (session, actor):
            _put_back(session, channel, before, actor=actor, now=desk.now())
        raise UserError(refused)
    return _said(say(f"subscribe.done.{became}", whom=whom, only=only))


def _put_back(session: Session, channel: str, before: Subscription | None, *, actor: Actor, now: datetime) -> None:
    if before is None:
        unsubscribe_channel(session, channel, actor=actor.user_id, now=now)
    else:
        which = parse_filter(before.filter_text).filter
        subscribe_channel(session, channel, which=which, actor=before.made_by, now=now)


def _for_a_channel(parsed: Parsed, channel: dict[str, Any]) -> Filter:
    if parsed.unknown:
        raise UserError(" ".join(_not_understood(one) for one in parsed.unknown))
    if parsed.filter.names:
        raise UserError(say("subscribe.no_student", words=b.escaped(" ".join(parsed.filter.names))))
    if parsed.filter.alone:
        raise UserError(say("subscribe.always_told"))
    if channel_privacy.is_too_open(channel, parsed.filter):
        raise UserError(say("subscribe.no_teacher"))
    return parsed.filter.with_page(1)


def _refuse_no_school(which: Filter, known: Vocabulary) -> None:
    """A list of a school that is none is empty, and seen to be; a digest of it would be good news for ever."""
    if which.school is None or known.has_school(which.school):
        return
    near = known.schools_like(which.school)
    hint = say("subscribe.school_meant", school=b.escaped(near[0])) if near else say("subscribe.allowed")
    raise UserError(say("subscribe.no_school", school=b.escaped(b.cut(which.school, _LONGEST)), hint=hint))


def _not_understood(one: Unknown) -> str:
    """What was not understood, and what it may have meant as far as a channel may ask for it."""
    meant = [each.text for each in one.suggestions if each.text and not parse_filter(each.text).filter.names]
    commands = say("everywhere.or").join(say("subscribe.command", words=b.escaped(words)) for words in meant)
    hint = say("subscribe.meant", commands=commands) if commands else say("subscribe.allowed")
    return say("subscribe.not_understood", word=b.escaped(one.word), hint=hint)


def _only(which: Filter) -> str:
    return "" if which == Filter() else say("subscribe.only", whom=_whom(which))


def _whom(which: Filter) -> str:
    if which == Filter():
        return say("subscribe.everybody")
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
            raise UserError(say("subscribe.ends_all", words=b.escaped(b.cut(str(part), _LONGEST))))
        was_there = unsubscribe_channel(session, channel, actor=actor.user_id, now=desk.now())
    if not was_there:
        return _said(say("subscribe.no_digest"))
    _tell(client, channel, say("subscribe.ended_here", who=f"<@{user}>"))
    return _said(say("subscribe.ended"))


def show(desk: AppContext, client: WebClient, body: dict[str, Any]) -> Card:
    """Every channel that gets digests, of whom, and who asked for it, for one person's eyes."""
    with desk.acting(client, body["user_id"]) as (session, _):
        found = list_subscriptions(session)
    if not found:
        return _said(say("subscribe.none_yet"))
    rows = [_row(one) for one in found[:_MOST]]
    more = [say("subscribe.more", count=len(found) - _MOST)] if len(found) > _MOST else []
    head = say("subscribe.channels", len(found))
    shown = [b.section("\n".join(rows[at : at + _ROWS])) for at in range(0, len(rows), _ROWS)]
    below = map(b.context, [*more, say("subscribe.how_to_end")])
    return Card([b.header(head), *shown, *below], "\n".join([head, *rows[:_ROWS_IN_TEXT]]))


def _row(one: Subscription) -> str:
    whom = _whom(parse_filter(one.filter_text).filter)
    channel, who, day = f"<#{one.channel_id}>", f"<@{one.made_by}>", b.date(one.made_at)
    return say("subscribe.channel", channel=channel, whom=whom, who=who, day=day)


def _tell(client: WebClient, channel: str, text: str) -> str | None:
    """Say something in a channel; gives a sentence when Slack will not have us write there.

    A channel that did not hear it because Slack had a bad moment is told nothing more: what was done is done.
    """
    try:
        client.chat_postMessage(channel=channel, text=text)
    except SlackApiError as problem:
        if not api_errors.is_retryable(problem):
            error = api_errors.error_code(problem)
            return say("subscribe.invite") if error in _NOT_THERE else say("subscribe.not_allowed", error=error)
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
            raise UserError(say("subscribe.in_channels")) from problem
        if api_errors.error_code(problem) in _NOT_THERE:
            raise UserError(say("subscribe.invite")) from problem
        raise


def _refuse_unless_ours(channel: dict[str, Any]) -> None:
    if channel.get("is_im") or channel.get("is_mpim"):
        raise UserError(say("subscribe.in_channels"))
    if channel_privacy.is_from_outside(channel):
        raise UserError(say("subscribe.shared"))
    if channel.get("is_member") is False:
        raise UserError(say("subscribe.invite"))


def _said(text: str) -> Card:
    return Card([b.section(text)], text)
