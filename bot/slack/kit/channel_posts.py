"""Posts in channels, each posted once: what Slack's answer makes of one, and the look-up of one whose answer was lost.

Nothing is posted again unless Slack surely did nothing. If that cannot be found out, the person who subscribed the channel gets a
message.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from slack_sdk import WebClient
from sqlalchemy import select

from bot.db.models.slack import DigestPost, Subscription, WeeklyPost, WeeklySubscription
from bot.db.session import transaction
from bot.slack.kit import api_errors, look_up, outbox_worker
from bot.slack.kit.api_errors import Outcome, Result
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext

logger = logging.getLogger(__name__)

Post = DigestPost | WeeklyPost


@dataclass(frozen=True)
class ChannelPosts:
    """One kind of post. `name` is for the log; `failure` is the sentence to the subscriber, with `{channel}` and `{problem}`.

    `mark_posted` takes the `ts` of the message with the values that its caller gives, `mark_unclear` an `error` and the time.
    """

    name: str
    failure: str
    subscriptions: type[Subscription] | type[WeeklySubscription]
    mark_posted: Callable[..., bool]
    mark_unclear: Callable[..., bool]

    def refuse(
        self, ctx: AppContext, client: WebClient, post: Post, too_public: Callable[[dict[str, Any]], str | None]
    ) -> Result[Any] | None:
        """Return what became of a post that cannot be sent now; None where it can. `too_public` says who may read the channel."""
        channel = api_errors.call(lambda: client.conversations_info(channel=post.channel_id)["channel"])
        if channel.may_succeed_later:
            return outbox_worker.wait(ctx, post, channel, error=channel.error)
        if channel.answer is None:
            error, problem = channel.error, f"was not posted. {channel.advice}"
        elif reason := too_public(channel.answer):
            error, problem = "too many people can read it", f"was not posted: {reason}."
        else:
            return None
        return self.give_up(ctx, client, post, error=error, problem=problem)

    def send(
        self, ctx: AppContext, client: WebClient, post: Post, card: Card, *, metadata: Any = None, **posted: Any
    ) -> Result[Any] | None:
        """Post a card, and store what Slack answered."""
        if not outbox_worker.holds_lease(ctx, post):
            return None

        def call(blocks: list[Block]) -> str:
            more = {"metadata": metadata} if metadata else {}
            return str(client.chat_postMessage(channel=post.channel_id, text=card.text, blocks=blocks, **more)["ts"])

        result = api_errors.call(lambda: ctx.newer_blocks.send(card.blocks, call, now=ctx.now()))
        if result.outcome is Outcome.DONE:
            outbox_worker.store(ctx, self.mark_posted, post, ts=result.answer, **posted)
        # First, because Slack may have accepted it although it asks us to come back later.
        elif result.may_have_arrived:
            logger.warning("%s %s may have arrived: %s", self.name, post.id, result.error)
            outbox_worker.store(ctx, self.mark_unclear, post, error=result.error, now=ctx.now())
        elif result.may_succeed_later:
            return outbox_worker.wait(ctx, post, result, error=result.error)
        else:
            return self.give_up(ctx, client, post, error=result.error, problem=f"was not posted. {result.advice}")
        return result

    def look_up(self, ctx: AppContext, client: WebClient, post: Post, **posted: Any) -> Result[Any]:
        """Look up an ambiguous post in its channel; post it again only if it is not there."""
        result = api_errors.call(
            lambda: look_up.find_message(client, post.channel_id, post.key, claimed_at=post.claimed_at)
        )
        if result.may_succeed_later and result.error not in look_up.SCOPE_IS_OPTIONAL:
            logger.warning("%s %s could not be looked up yet: %s", self.name, post.id, result.error)
            return result
        ts, is_complete = result.answer or (None, False)
        if ts is not None:
            outbox_worker.store(ctx, self.mark_posted, post, ts=ts, **posted)
        elif is_complete:
            outbox_worker.retry(ctx, post, timedelta(), error="it had not arrived")
        else:
            error = f"look-up: {result.error or 'too many messages since'}"
            problem = "may not have arrived, and I did not post it again so that it does not appear twice."
            return self.give_up(ctx, client, post, error=error, problem=problem)
        return Result(Outcome.DONE)

    def give_up(self, ctx: AppContext, client: WebClient, post: Post, *, error: str, problem: str) -> Result[Any]:
        """Report a post that will not come to the person who subscribed the channel, then mark it as failed.

        A crash in between reports it twice, which is better than never. If Slack does not accept the report now, the post stays
        claimed or ambiguous, and all of this is done again when it is due.
        """
        logger.warning("%s %s failed: %s", self.name, post.id, error)
        with transaction(ctx.engine) as session:
            of_channel = self.subscriptions.channel_id == post.channel_id
            subscriber = session.scalar(select(self.subscriptions.made_by).where(of_channel))
        if subscriber is not None:
            text = self.failure.format(channel=f"<#{post.channel_id}>", problem=problem)
            report = api_errors.call(lambda: client.chat_postMessage(channel=subscriber, text=text))
            if report.error:
                logger.warning("the failure of %s %s was not reported: %s", self.name, post.id, report.error)
            if report.may_succeed_later:
                return report
        outbox_worker.fail(ctx, post, error=error)
        return Result(Outcome.REFUSED, error=error)
