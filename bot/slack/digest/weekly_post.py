"""Posts the weekly report, once in each channel and week (`channel_posts`)."""

from datetime import timedelta
from typing import Any

from slack_sdk import WebClient

from bot.db.models.slack import WeeklyPost, WeeklySubscription
from bot.db.session import transaction
from bot.digests import weekly
from bot.digests.small_groups import SMALLEST_GROUP
from bot.digests.weekly import WEEKS, WeeklyReport, load_weekly
from bot.slack.digest import subscribe
from bot.slack.kit import blocks as b
from bot.slack.kit import outbox_worker, score_text
from bot.slack.kit.api_errors import Result
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.channel_posts import ChannelPosts
from bot.slack.kit.context import AppContext

EVENT_TYPE = "contact_cleanup_weekly"
_NO_SCORES_YET = timedelta(minutes=15)
_REPORTS = ChannelPosts(
    name="weekly post",
    failure="The weekly report for {channel} {problem} Type `/cleanup report` to see the figures.",
    subscriptions=WeeklySubscription,
    mark_posted=weekly.mark_posted,
    mark_unclear=weekly.mark_ambiguous,
)


def post_due(ctx: AppContext, client: WebClient) -> int:
    """Enqueue what is due this Monday, look up ambiguous posts, and send; return how many were posted or found."""
    with transaction(ctx.engine) as session:
        weekly.enqueue_weekly(session, now=ctx.now(), zone=ctx.settings.zone)
    return outbox_worker.send_each(
        ctx,
        (weekly.claim_ambiguous, lambda post: _REPORTS.look_up(ctx, client, post)),
        (weekly.claim_post, lambda post: _send(ctx, client, post)),
    )


def _send(ctx: AppContext, client: WebClient, post: WeeklyPost) -> Result[Any] | None:
    if refused := _REPORTS.refuse(ctx, client, post, subscribe.too_public):
        return refused
    with transaction(ctx.engine) as session:
        report = load_weekly(session, post.school_id)
    if report is None and weekly.is_too_late(post, now=ctx.now(), zone=ctx.settings.zone):
        problem = "was not posted: there are no scores of these students. Is the school closed?"
        return _REPORTS.give_up(ctx, client, post, error="no scores", problem=problem)
    if report is None:
        outbox_worker.retry(ctx, post, _NO_SCORES_YET, error="no scores yet")
        return None
    card = draw(report, reachable_days=ctx.settings.reachable_days)
    metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": post.key}}
    return _REPORTS.send(ctx, client, post, card, metadata=metadata)


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
