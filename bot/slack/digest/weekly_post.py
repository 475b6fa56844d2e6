"""Posts the weekly report, once in each channel and week, through crashes and lost connections, as `post` does with digests."""

import logging
from datetime import timedelta
from typing import Any

from slack_sdk import WebClient

from bot.db.models.slack import WeeklyPost, WeeklySubscription
from bot.db.session import transaction
from bot.digests import weekly
from bot.digests.small_groups import SMALLEST_GROUP
from bot.digests.weekly import WEEKS, WeeklyReport, load_weekly
from bot.slack.digest import subscribe
from bot.slack.kit import api_errors, look_up, outbox_worker, score_text
from bot.slack.kit import blocks as b
from bot.slack.kit.api_errors import Outcome, Result
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext

logger = logging.getLogger(__name__)

EVENT_TYPE = "contact_cleanup_weekly"
_NO_SCORES_YET = timedelta(minutes=15)


def post_due(context: AppContext, client: WebClient) -> int:
    """Enqueue what is due this Monday, look up ambiguous posts, and send; return how many were posted or found."""
    with transaction(context.engine) as session:
        weekly.enqueue_weekly(session, now=context.now(), zone=context.settings.zone)
    return outbox_worker.send_each(
        context,
        (weekly.claim_ambiguous, lambda post: _look_up(context, client, post)),
        (weekly.claim_post, lambda post: _send(context, client, post)),
    )


def _send(context: AppContext, client: WebClient, post: WeeklyPost) -> Result[Any] | None:
    channel = api_errors.call(lambda: client.conversations_info(channel=post.channel_id)["channel"])
    if channel.may_succeed_later:
        return outbox_worker.wait(context, post, channel, error=channel.error)
    if channel.answer is None:
        return _give_up(context, client, post, error=channel.error, problem=f"was not posted. {channel.advice}")
    if subscribe.is_from_outside(channel.answer):
        problem = "was not posted: people from outside the district are in the channel now."
        return _give_up(context, client, post, error="too many people can read it", problem=problem)
    with transaction(context.engine) as session:
        report = load_weekly(session, post.school_id)
    if report is None and weekly.is_too_late(post, now=context.now(), zone=context.settings.zone):
        problem = "was not posted: there are no scores of these students. Is the school closed?"
        return _give_up(context, client, post, error="no scores", problem=problem)
    if report is None:
        outbox_worker.retry(context, post, _NO_SCORES_YET, error="no scores yet")
        return None
    return _post(context, client, post, draw(report, reachable_days=context.settings.reachable_days))


def draw(report: WeeklyReport, *, reachable_days: int) -> Card:
    heading = b.header(f"Who we can text · {report.group.name}")
    if report.is_hidden:
        hidden = f"No counts are shown here: a count of fewer than {SMALLEST_GROUP} students could point at a child."
        return b.card([heading, b.section(hidden)])
    facts = [
        score_text.headline(report.group, weeks=WEEKS),
        *score_text.facts(report.group.score, reachable_days=reachable_days),
    ]
    hint = "Type `/cleanup report` for your own students, only for yourself."
    figures = [b.section("\n".join(facts)), *score_text.chart(report.history), *_parts(report)]
    return b.card([heading, *figures, b.context(hint)])


def _parts(report: WeeklyReport) -> list[Block]:
    parts = report.parts
    if not parts or parts[0].score.students == report.group.score.students:
        return []
    lines = [
        f"{score_text.bar(part.score)} {score_text.share(part.score)} of {part.score.students:,} · {b.escaped(part.name)}"
        for part in parts
    ]
    return [b.section("\n".join(["*Where most is left to do:*", *lines]))]


def _post(context: AppContext, client: WebClient, post: WeeklyPost, card: Card) -> Result[Any] | None:
    if not outbox_worker.holds_lease(context, post):
        return None
    metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": post.key}}

    def call(blocks: list[Block]) -> str:
        answer = client.chat_postMessage(channel=post.channel_id, text=card.text, blocks=blocks, metadata=metadata)
        return str(answer["ts"])

    result = api_errors.call(lambda: context.newer_blocks.send(card.blocks, call, now=context.now()))
    if result.outcome is Outcome.DONE:
        outbox_worker.store(context, weekly.mark_posted, post, ts=result.answer)
    elif result.may_have_arrived:
        logger.warning("weekly post %s may have arrived: %s", post.id, result.error)
        outbox_worker.store(context, weekly.mark_ambiguous, post, error=result.error, now=context.now())
    elif result.may_succeed_later:
        return outbox_worker.wait(context, post, result, error=result.error)
    else:
        return _give_up(context, client, post, error=result.error, problem=f"was not posted. {result.advice}")
    return result


def _look_up(context: AppContext, client: WebClient, post: WeeklyPost) -> Result[Any]:
    """Look up an ambiguous post in its channel; post it again only if it is not there."""
    result = api_errors.call(
        lambda: look_up.find_message(client, post.channel_id, post.key, claimed_at=post.claimed_at)
    )
    if result.may_succeed_later and result.error not in look_up.SCOPE_IS_OPTIONAL:
        logger.warning("weekly post %s could not be looked up yet: %s", post.id, result.error)
        return result
    ts, is_complete = result.answer or (None, False)
    if ts is not None:
        outbox_worker.store(context, weekly.mark_posted, post, ts=ts)
    elif is_complete:
        outbox_worker.retry(context, post, timedelta(), error="it had not arrived")
    else:
        error = f"look-up: {result.error or 'too many messages since'}"
        problem = "may not have arrived, and I did not post it again so that it does not appear twice."
        return _give_up(context, client, post, error=error, problem=problem)
    return Result(Outcome.DONE)


def _give_up(context: AppContext, client: WebClient, post: WeeklyPost, *, error: str, problem: str) -> Result[Any]:
    """Report a post that will not come to the person who subscribed the channel, then mark it as failed."""
    logger.warning("weekly post %s failed: %s", post.id, error)
    with transaction(context.engine) as session:
        subscription = session.get(WeeklySubscription, post.channel_id)
    if subscription is not None:
        text = f"The weekly report for <#{post.channel_id}> {problem} Type `/cleanup report` to see the figures."
        report = api_errors.call(lambda: client.chat_postMessage(channel=subscription.made_by, text=text))
        if report.error:
            logger.warning("the failure of weekly post %s was not reported: %s", post.id, report.error)
        if report.may_succeed_later:
            return report
    outbox_worker.fail(context, post, error=error)
    return Result(Outcome.REFUSED, error=error)
