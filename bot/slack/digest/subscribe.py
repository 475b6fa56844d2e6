"""`/cleanup subscribe`, `unsubscribe` and `subscriptions`: the channels that get a digest after each mass message, and its filter.

Digests are counts only. So a filter cannot name one student, one teacher's students are counted only in private channels, and fewer
than ten students are not counted at all (`bot.digests.small_groups`).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from rapidfuzz.distance import OSA
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.cleanup_list.vocabulary import load_vocabulary
from bot.db.models.slack import Subscription, WeeklySubscription
from bot.digests.counts import count_scope
from bot.digests.small_groups import SMALLEST_GROUP, is_too_small
from bot.digests.subscriptions import (
    SubscribeResult,
    list_subscriptions,
    subscribe_channel,
    unsubscribe_channel,
)
from bot.digests.weekly import list_weekly
from bot.domain.display import plural
from bot.domain.names import fold
from bot.errors import UserError
from bot.filters.filter import Filter, describe
from bot.filters.parse import Parsed, Unknown, parse_filter
from bot.filters.vocabulary import Vocabulary
from bot.slack.kit import api_errors, users
from bot.slack.kit import blocks as b
from bot.slack.kit.api_errors import Outcome
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext

logger = logging.getLogger(__name__)

_BOT_IS_MISSING = {"channel_not_found", "not_in_channel"}
_CHANNELS_ONLY = "Digests go to channels. Type `/cleanup subscribe` in the channel that should get one."
_INVITE = "I am not in this channel. Invite me first: `/invite @contact-cleanup`, then try again."
_EXAMPLE = "A digest can be narrowed by grade, SMS status and school: `/cleanup subscribe grade 5 blocked`."
_WEEKLY_TYPOS = 2
_MAX_ROWS, _ROWS_PER_BLOCK, _ROWS_IN_TEXT, _MAX_CHARACTERS = 40, 10, 15, 100


def start(ctx: AppContext, client: WebClient, body: dict[str, Any], text: str) -> Card:
    """Subscribe this channel with the filter `text`, or change its filter, and announce it in the channel.

    Raises:
        UserError: the bot is not in the channel, people from outside can read it, or the filter does not suit a channel.
    """
    channel_id, user_id = body["channel_id"], body["user_id"]
    mentioned = users.mentioned_emails(ctx.engine, client, text, now=ctx.now())
    with ctx.acting(client, user_id) as (session, actor):
        vocabulary = load_vocabulary(session, actor, mentioned)
        parsed = parse_filter(text, vocabulary)
    check_school(parsed.filter, vocabulary)
    channel = fetch_channel(client, channel_id)
    list_filter = _filter_for_channel(parsed, channel)
    with ctx.acting(client, user_id) as (session, actor):
        _check_size(session, list_filter, today=ctx.today())
        previous = session.get(Subscription, channel_id)
        result = subscribe_channel(session, channel_id, list_filter=list_filter, actor=actor.user_id, now=ctx.now())
    if result is None:
        return _answer(f"This channel already gets a digest after each mass message.{_scope_sentence(list_filter)}")
    announcement, answer = _sentences(result, list_filter, user_id)
    if problem := announce(client, channel_id, announcement):
        with ctx.acting(client, user_id) as (session, actor):
            _restore(session, channel_id, previous, actor=actor, now=ctx.now())
        raise UserError("subscription.not_announced", problem)
    return _answer(answer)


def _sentences(result: SubscribeResult, list_filter: Filter, user_id: str) -> tuple[str, str]:
    """Return what the channel reads, and what the person who typed the command reads."""
    if result is SubscribeResult.CHANGED:
        change = f"From the next mass message on, it counts {_scope(list_filter)}."
        return (
            f"<@{user_id}> changed the digest of this channel. {change}",
            f"Done. You changed the digest of this channel. {change}",
        )
    scope = _scope_sentence(list_filter)
    announcement = (
        f"<@{user_id}> set up a digest in this channel: after each mass message, how many contacts it was not "
        f"delivered to.{scope} Counts only, no names."
    )
    return (
        announcement,
        f"Done. This channel gets a digest after the next mass message.{scope} `/cleanup unsubscribe` ends it.",
    )


def _restore(session: Session, channel_id: str, previous: Subscription | None, *, actor: Actor, now: datetime) -> None:
    if previous is None:
        unsubscribe_channel(session, channel_id, actor=actor.user_id, now=now)
    else:
        list_filter = parse_filter(previous.filter_text).filter
        subscribe_channel(session, channel_id, list_filter=list_filter, actor=previous.made_by, now=now)


def check_school(list_filter: Filter, vocabulary: Vocabulary, *, command: str = "subscribe") -> None:
    """Refuse an unknown school: its list is visibly empty, but its digest would be good news forever."""
    if list_filter.school is None or vocabulary.has_school(list_filter.school):
        return
    similar = vocabulary.school_index.similar(list_filter.school)
    hint = f"Did you mean `/cleanup {command} school {b.escaped(similar[0])}`?" if similar else _EXAMPLE
    school = b.escaped(list_filter.school, _MAX_CHARACTERS)
    raise UserError("subscription.unknown_school", f"No school here is called “{school}”. Nothing was changed. {hint}")


def _check_size(session: Session, list_filter: Filter, *, today: date) -> None:
    if is_too_small(count_scope(session, list_filter, today=today).count_students(session)):
        raise UserError(
            "subscription.too_few_students",
            f"{b.escaped(describe(list_filter), _MAX_CHARACTERS)}: these are fewer than {SMALLEST_GROUP} students, and a count of so few could point at a child. "
            "Nothing was changed. Choose more grades or a whole school, or type "
            f"`/cleanup {b.escaped(str(list_filter), _MAX_CHARACTERS)}` to see their list, only for yourself.",
        )


def _weekly_hint(which: Filter) -> str:
    is_near = any(OSA.distance(fold(name), "weekly") <= _WEEKLY_TYPOS for name in which.names)
    return " For the report on Mondays, type `/cleanup subscribe weekly`." if is_near else ""


def _filter_for_channel(parsed: Parsed, channel: dict[str, Any]) -> Filter:
    if parsed.unknown:
        raise UserError("subscription.not_understood", " ".join(map(_not_understood, parsed.unknown)))
    if parsed.filter.names:
        names = b.escaped(" ".join(parsed.filter.names))
        raise UserError(
            "subscription.single_student",
            f"A digest cannot be about students named “{names}”: a count of one student tells the channel about that "
            "student. Narrow it by grade, SMS status or school instead, or type "
            f"`/cleanup {names}` to see that list, only for yourself.{_weekly_hint(parsed.filter)}",
        )
    if parsed.filter.names_students:
        raise UserError(
            "subscription.single_number",
            "A digest cannot be about a phone or a student number: a count of one student tells the channel about that "
            "student. Type the number after `/cleanup` alone to see who has it, only for yourself.",
        )
    if parsed.filter.no_adult:
        raise UserError(
            "subscription.no_adult",
            "Every digest counts the students who have no adult who can be texted, so leave that out here. "
            "Type `/cleanup no adult` to see them, only for yourself.",
        )
    if parsed.filter.waiting or parsed.filter.mine:
        raise UserError(
            "subscription.of_reader",
            "A digest is about every contact on the list, fixed or claimed or not, so leave that out here. "
            "Type `/cleanup waiting` or `/cleanup mine` to see those, only for yourself.",
        )
    if is_too_open(channel, parsed.filter):
        raise UserError(
            "subscription.teacher_in_public",
            "A digest for one teacher's or one class's students goes to private channels only. Type this in a private channel, "
            "or narrow it by grade, SMS status or school here.",
        )
    return parsed.filter.with_page(1)


def _not_understood(unknown: Unknown) -> str:
    """Quote a word and suggest filters that a channel may have."""
    texts = [suggestion.text for suggestion in unknown.suggestions]
    commands = [
        f"`/cleanup subscribe {b.escaped(text)}`"
        for text in texts
        if text and not parse_filter(text).filter.names_students
    ]
    hint = f"Did you mean {' or '.join(commands)}?" if commands else _EXAMPLE
    return f"I don't understand “{b.escaped(unknown.word)}”. Nothing was changed. {hint}"


def _scope(list_filter: Filter) -> str:
    words = b.escaped(describe(list_filter), _MAX_CHARACTERS) if list_filter != Filter() else "everyone"
    return f"*{words}*"


def _scope_sentence(list_filter: Filter) -> str:
    return f" It counts {_scope(list_filter)}." if list_filter != Filter() else ""


def stop(ctx: AppContext, client: WebClient, body: dict[str, Any], text: str) -> Card:
    """End the digest of this channel and announce it in the channel.

    Raises:
        UserError: a filter follows, so only a part was meant.
    """
    channel_id, user_id = body["channel_id"], body["user_id"]
    part = replace(parse_filter(text).filter, names=(), number=None, student_ids=())
    with ctx.acting(client, user_id) as (session, actor):
        if part.criteria:
            raise UserError(
                "subscription.ends_whole",
                "Nothing was changed: `/cleanup unsubscribe` ends the whole digest of a channel. To change what it "
                f"counts, type `/cleanup subscribe {b.escaped(str(part), _MAX_CHARACTERS)}`.",
            )
        was_subscribed = unsubscribe_channel(session, channel_id, actor=actor.user_id, now=ctx.now())
    if not was_subscribed:
        return _answer("This channel gets no digest. `/cleanup subscribe` starts one.")
    announce(client, channel_id, f"<@{user_id}> ended the digest in this channel.")
    return _answer("Done. This channel gets no more digests.")


def show(ctx: AppContext, client: WebClient, body: dict[str, Any]) -> Card:
    """List every channel that gets digests, its filter, and who subscribed it; privately, to any staff."""
    with ctx.acting(client, body["user_id"]) as (session, _):
        subscriptions, weekly = list_subscriptions(session), list_weekly(session)
    if weekly and not subscriptions:
        return b.card(_weekly_rows(weekly))
    if not subscriptions:
        return _answer("No channel gets a digest yet. Type `/cleanup subscribe` in the channel that should get one.")
    rows = [_row(subscription) for subscription in subscriptions[:_MAX_ROWS]]
    heading = f"{plural(len(subscriptions), 'channel gets', 'channels get')} a digest after each mass message"
    blocks = [b.header(heading)]
    blocks += [b.section("\n".join(rows[at : at + _ROWS_PER_BLOCK])) for at in range(0, len(rows), _ROWS_PER_BLOCK)]
    if len(subscriptions) > _MAX_ROWS:
        blocks.append(b.context(f"… and {len(subscriptions) - _MAX_ROWS:,} more, set up before these."))
    hint = "`/cleanup subscribe` or `/cleanup unsubscribe` in a channel changes or ends its digest."
    return Card([*blocks, b.context(hint), *_weekly_rows(weekly)], "\n".join([heading, *rows[:_ROWS_IN_TEXT]]))


def _weekly_rows(weekly: Sequence[tuple[WeeklySubscription, str | None]]) -> list[Block]:
    if not weekly:
        return []
    rows = [
        f"• <#{row.channel_id}>: *{b.escaped(school or 'the whole district', _MAX_CHARACTERS)}*, set up by <@{row.made_by}> "
        f"on {b.date(row.made_at)}"
        for row, school in weekly[:_ROWS_PER_BLOCK]
    ]
    if len(weekly) > _ROWS_PER_BLOCK:
        rows.append(f"… and {len(weekly) - _ROWS_PER_BLOCK:,} more, set up before these.")
    heading = f"*{plural(len(weekly), 'channel gets', 'channels get')} the weekly report*"
    return [b.section("\n".join([heading, *rows]))]


def _row(subscription: Subscription) -> str:
    scope = _scope(parse_filter(subscription.filter_text).filter)
    editor, day = f"<@{subscription.made_by}>", b.date(subscription.made_at)
    return f"• <#{subscription.channel_id}>: {scope}, set up by {editor} on {day}"


def announce(client: WebClient, channel_id: str, text: str) -> str | None:
    """Post in the channel; return a sentence if Slack does not let us write there.

    Another failure only loses the announcement: the change is committed.
    """
    result = api_errors.call(lambda: client.chat_postMessage(channel=channel_id, text=text))
    if result.error in _BOT_IS_MISSING:
        return _INVITE
    if result.outcome in {Outcome.REFUSED, Outcome.OURS}:
        return f"Slack does not let me write in this channel (`{result.error}`). {result.advice}"
    if result.error:
        logger.warning("a change of a digest was not announced: %s", result.error)
    return None


def fetch_channel(client: WebClient, channel_id: str) -> dict[str, Any]:
    """Return the channel if it may get a digest.

    Raises:
        UserError: it is a direct message, the bot is not in it, or people from outside can read it.
    """
    try:
        channel = dict(client.conversations_info(channel=channel_id)["channel"])
    except SlackApiError as error:
        code = api_errors.error_code(error)
        # The app does not ask for the scopes that read direct messages.
        if code == "missing_scope":
            raise UserError("subscription.direct_message", _CHANNELS_ONLY) from error
        if code in _BOT_IS_MISSING:
            raise UserError("subscription.not_invited", _INVITE) from error
        raise
    if channel.get("is_im") or channel.get("is_mpim"):
        raise UserError("subscription.direct_message", _CHANNELS_ONLY)
    if is_from_outside(channel):
        sentence = "This channel is shared with people outside the district, so it cannot get a digest."
        raise UserError("subscription.shared_channel", sentence)
    if channel.get("is_member") is False:
        raise UserError("subscription.not_invited", _INVITE)
    return channel


def is_from_outside(channel: Mapping[str, Any]) -> bool:
    """Check whether people of another organization can read a channel, as `conversations.info` returns it, or are invited to.

    Asked again before each post, as `is_too_open` is: a channel can be shared or made public at any time.
    """
    return bool(channel.get("is_ext_shared") or channel.get("is_pending_ext_shared"))


def is_too_open(channel: Mapping[str, Any], list_filter: Filter) -> bool:
    """Check whether a digest of one teacher's or one class's students would go to a channel that anyone may join."""
    is_small = list_filter.teacher is not None or list_filter.class_title is not None
    return is_small and channel.get("is_private") is not True


def too_public(channel: Mapping[str, Any], list_filter: Filter | None = None) -> str | None:
    """Return why nothing may be posted in a channel anymore, None where it may."""
    if is_from_outside(channel):
        return "people from outside the district are in the channel now"
    if list_filter and is_too_open(channel, list_filter):
        return "it counts one teacher's students, and the channel is no longer private"
    return None


def _answer(text: str) -> Card:
    return Card([b.section(text)], text)
