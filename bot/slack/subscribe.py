"""`/cleanup subscribe`, `unsubscribe` and `subscriptions`: which channels get a digest after each mass message, and of whom.

Counts only, ever. So no filter may mean one student, and one teacher's students are counted only where invited people read.
"""

import logging
from datetime import datetime
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy.orm import Session

from bot import cleanup_list, digests, filters
from bot.access import Actor
from bot.digests import Subscribed
from bot.errors import UserError, traced
from bot.filters import Filter, Parsed, Unknown, Vocabulary
from bot.models import Subscription
from bot.slack import audience, mentions, refusals
from bot.slack import blocks as b
from bot.slack.card import Card
from bot.slack.desk import Desk
from bot.wording import count

logger = logging.getLogger(__name__)

_NOT_THERE = {"channel_not_found", "not_in_channel", "is_archived"}
_INVITE = "I am not in this channel. Invite me first: `/invite @contact-cleanup`, then try again."
_ALLOWED = "A digest can be narrowed by grade, SMS status and school: `/cleanup subscribe grade 5 blocked`."
_NO_STUDENT = (
    "A digest cannot be about students named “{words}”: a count of one student tells the channel about that student. Narrow it by grade, SMS status or school "
    "instead, or type `/cleanup {words}` to see that list, only for yourself."
)
_ALWAYS_TOLD = (
    "Every digest counts the students who have no adult who can be texted, so leave that out here. Type `/cleanup no adult` to see "
    "them, only for yourself."
)
_NO_TEACHER = (
    "A digest for one teacher's students goes to private channels only. Type this in a private channel, or narrow it by "
    "grade, SMS status or school here."
)
_ANNOUNCED = {
    Subscribed.NEW: "<@{user}> set up the digest here: after each mass message, how many families it did not reach.{only} Counts only.",
    Subscribed.CHANGED: "<@{user}> changed the digest here: from the next mass message on it counts {whom}.",
}
_DONE = {
    Subscribed.NEW: "Done. The digest of the next mass message comes to this channel.{only} `/cleanup unsubscribe` ends it.",
    Subscribed.CHANGED: "Done. From the next mass message on, the digest of this channel counts {whom}.",
}
_HOW_TO_END = "`/cleanup subscribe` or `/cleanup unsubscribe` in a channel changes or ends its digest."
_MOST, _ROWS, _ROWS_IN_TEXT, _LONGEST = 40, 10, 15, 100
_IN_CHANNELS = "Digests go to channels. Type `/cleanup subscribe` in the channel that should get them."


def start(desk: Desk, client: WebClient, body: dict[str, Any], text: str) -> Card:
    """Subscribe this channel to what a filter's text means and say so in it, with who did it.

    Raises:
        UserError: the bot is not in the channel, people from outside the district are, or the filter is none for a channel.
    """
    channel, user = body["channel_id"], body["user_id"]
    mentioned = mentions.emails(desk, client, text)
    with desk.acting(client, user) as (session, actor):
        known = cleanup_list.vocabulary(session, actor, mentioned)
        parsed = filters.parse(text, known)
    _refuse_no_school(parsed.filter, known)
    told = _channel(client, channel)
    _refuse_unless_ours(told)
    which = _for_a_channel(parsed, told)
    with desk.acting(client, user) as (session, actor):
        before = digests.subscription(session, channel)
        became = digests.subscribe(session, channel, which=which, actor=actor.user_id, now=desk.now())
    if became is None:
        return _said(f"This channel already gets the digest after each mass message.{_only(which)}")
    refused = _tell(client, channel, _ANNOUNCED[became].format(user=user, whom=_whom(which), only=_only(which)))
    if refused:
        with desk.acting(client, user) as (session, actor):
            _put_back(session, channel, before, actor=actor, now=desk.now())
        raise UserError(refused)
    return _said(_DONE[became].format(whom=_whom(which), only=_only(which)))


def _put_back(session: Session, channel: str, before: Subscription | None, *, actor: Actor, now: datetime) -> None:
    if before is None:
        digests.unsubscribe(session, channel, actor=actor.user_id, now=now)
    else:
        which = filters.parse(before.filter_text).filter
        digests.subscribe(session, channel, which=which, actor=before.made_by, now=now)


def _for_a_channel(parsed: Parsed, channel: dict[str, Any]) -> Filter:
    if parsed.unknown:
        raise UserError(" ".join(_not_understood(one) for one in parsed.unknown))
    if parsed.filter.names:
        raise UserError(_NO_STUDENT.format(words=b.escaped(" ".join(parsed.filter.names))))
    if parsed.filter.alone:
        raise UserError(_ALWAYS_TOLD)
    if audience.is_too_open(channel, parsed.filter):
        raise UserError(_NO_TEACHER)
    return parsed.filter.with_page(1)


def _refuse_no_school(which: Filter, known: Vocabulary) -> None:
    """A list of a school that is none is empty, and seen to be; a digest of it would be good news for ever."""
    if which.school is None or known.has_school(which.school):
        return
    near = known.schools_like(which.school)
    hint = f"Did you mean `/cleanup subscribe school {b.escaped(near[0])}`?" if near else _ALLOWED
    raise UserError(
        f"No school here is called “{b.escaped(b.cut(which.school, _LONGEST))}”, so nothing was changed. {hint}"
    )


def _not_understood(one: Unknown) -> str:
    """What was not understood, and what it may have meant as far as a channel may ask for it."""
    meant = [each.text for each in one.suggestions if each.text and not filters.parse(each.text).filter.names]
    instead = " or ".join(f"`/cleanup subscribe {b.escaped(words)}`" for words in meant)
    hint = f"Did you mean {instead}?" if instead else _ALLOWED
    return f"I don't understand “{b.escaped(one.word)}”, so nothing was changed. {hint}"


def _only(which: Filter) -> str:
    return "" if which == Filter() else f" It counts {_whom(which)}."


def _whom(which: Filter) -> str:
    return "*everybody*" if which == Filter() else f"*{b.escaped(b.cut(filters.describe(which), _LONGEST))}*"


def stop(desk: Desk, client: WebClient, body: dict[str, Any]) -> Card:
    """End the digests of this channel and say so in it."""
    channel, user = body["channel_id"], body["user_id"]
    with desk.acting(client, user) as (session, actor):
        was_there = digests.unsubscribe(session, channel, actor=actor.user_id, now=desk.now())
    if not was_there:
        return _said("This channel gets no digest. `/cleanup subscribe` starts one.")
    _tell(client, channel, f"<@{user}> ended the digest in this channel.")
    return _said("Done. No more digests here.")


def show(desk: Desk, client: WebClient, body: dict[str, Any]) -> Card:
    """Every channel that gets digests, of whom, and who asked for it, for one person's eyes."""
    with desk.acting(client, body["user_id"]) as (session, _):
        found = digests.subscriptions(session)
    if not found:
        return _said("No channel gets a digest yet. Type `/cleanup subscribe` in the channel that should get one.")
    rows = [_row(one) for one in found[:_MOST]]
    more = [f"… and {len(found) - _MOST:,} more, set up before these."] if len(found) > _MOST else []
    head = f"{count(len(found), 'channel gets', 'channels get')} a digest after each mass message"
    shown = [b.section("\n".join(rows[at : at + _ROWS])) for at in range(0, len(rows), _ROWS)]
    return Card(
        [b.header(head), *shown, *map(b.context, [*more, _HOW_TO_END])], "\n".join([head, *rows[:_ROWS_IN_TEXT]])
    )


def _row(one: Subscription) -> str:
    whom = _whom(filters.parse(one.filter_text).filter)
    return f"• <#{one.channel_id}>: {whom}, set up by <@{one.made_by}> on {b.date(one.made_at)}"


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
    if audience.is_from_outside(channel):
        raise UserError("This channel is shared with people outside the district, so no digest goes here.")
    if channel.get("is_member") is False:
        raise UserError(_INVITE)


def _said(text: str) -> Card:
    return Card([b.section(text)], text)
