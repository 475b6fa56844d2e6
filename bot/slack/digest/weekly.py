"""`/cleanup subscribe weekly` and `unsubscribe weekly`: the channels that get the reachability scores every Monday."""

from typing import Any

from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.cleanup_list.vocabulary import load_vocabulary
from bot.db.models.roster import School
from bot.db.models.slack import WeeklySubscription
from bot.digests.small_groups import SMALLEST_GROUP
from bot.digests.weekly import load_weekly, subscribe_weekly, unsubscribe_weekly
from bot.errors import UserError
from bot.filters.filter import Filter
from bot.filters.parse import parse_filter
from bot.reachability.history import find_schools
from bot.slack.digest import subscribe
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Card
from bot.slack.kit.context import AppContext

WORD = "weekly"
_MAX_CHARACTERS = 100


def start(ctx: AppContext, client: WebClient, body: dict[str, Any], text: str) -> Card:
    """Subscribe this channel for the district, or for the school that `text` names, and announce it in the channel.

    Raises:
        UserError: the bot is not in the channel, people from outside can read it, or this is not a school.
    """
    channel_id, user_id = body["channel_id"], body["user_id"]
    with ctx.acting(client, user_id) as (session, actor):
        school = _find_school(session, actor, text)
    subscribe.fetch_channel(client, channel_id)
    with ctx.acting(client, user_id) as (session, actor):
        report = load_weekly(session, school.id if school else None)
        if report and report.is_hidden:
            raise UserError(
                "subscription.too_few_students",
                f"These are fewer than {SMALLEST_GROUP} students, and a count of so few could point at a child. Nothing was changed. "
                "Type `/cleanup report` to see the figures, only for yourself.",
            )
        previous = session.get(WeeklySubscription, channel_id)
        is_changed = subscribe_weekly(
            session, channel_id, school_id=school.id if school else None, actor=actor.user_id, now=ctx.now()
        )
    about = f"*{b.escaped(school.name, _MAX_CHARACTERS)}*" if school else "the whole district"
    if not is_changed:
        return b.card([b.section(f"This channel already gets the weekly report about {about}.")])
    announcement = (
        f"<@{user_id}> set up a weekly report in this channel: every Monday at 8:00, how many students of {about} have "
        "an adult we can text. Counts only, no names."
    )
    if problem := subscribe.announce(client, channel_id, announcement):
        with ctx.acting(client, user_id) as (session, actor):
            _restore(session, channel_id, previous, actor=actor, ctx=ctx)
        raise UserError("subscription.not_announced", problem)
    done = (
        f"Done. This channel gets a report about {about} every Monday at 8:00. `/cleanup unsubscribe {WORD}` ends it."
    )
    return b.card([b.section(done)])


def _restore(
    session: Session, channel_id: str, previous: WeeklySubscription | None, *, actor: Actor, ctx: AppContext
) -> None:
    if previous is None:
        unsubscribe_weekly(session, channel_id, actor=actor.user_id, now=ctx.now())
    else:
        school_id, made_by = previous.school_id, previous.made_by
        subscribe_weekly(session, channel_id, school_id=school_id, actor=made_by, now=ctx.now())


def _find_school(session: Session, actor: Actor, text: str) -> School | None:
    """Return the school that was typed after the command, None if nothing was.

    Raises:
        UserError: it is no school of this person's students, or several.
    """
    vocabulary = load_vocabulary(session, actor)
    parsed = parse_filter(text, vocabulary)
    which = parsed.filter.with_page(1)
    if parsed.unknown or which != Filter(school=which.school):
        sentence = (
            "The weekly report is about the whole district, `/cleanup subscribe weekly`, or one school, "
            "`/cleanup subscribe weekly school Lincoln`. Nothing was changed."
        )
        raise UserError("weekly.school_only", sentence)
    if which.school is None:
        return None
    subscribe.check_school(which, vocabulary, command=f"subscribe {WORD}")
    schools = find_schools(session, which.school)
    if len(schools) != 1:
        typed = b.escaped(which.school, _MAX_CHARACTERS)
        sentence = f"Several schools are called “{typed}”. Nothing was changed. Type more of the name of one."
        raise UserError("weekly.several_schools", sentence)
    return schools[0]


def stop(ctx: AppContext, client: WebClient, body: dict[str, Any]) -> Card:
    """End the weekly report of this channel and announce it in the channel."""
    channel_id, user_id = body["channel_id"], body["user_id"]
    with ctx.acting(client, user_id) as (session, actor):
        was_subscribed = unsubscribe_weekly(session, channel_id, actor=actor.user_id, now=ctx.now())
    if not was_subscribed:
        return b.card([b.section(f"This channel gets no weekly report. `/cleanup subscribe {WORD}` starts one.")])
    subscribe.announce(client, channel_id, f"<@{user_id}> ended the weekly report in this channel.")
    return b.card([b.section("Done. This channel gets no more weekly reports.")])
