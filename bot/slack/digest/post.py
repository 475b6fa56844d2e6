"""Posts digests and thanks for fixes, and answers the button under a digest. Each is posted once (`channel_posts`)."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.db.models.slack import DigestPost, PostKind, Subscription
from bot.db.session import transaction
from bot.digests import posts
from bot.digests.report import Digest, load_digest
from bot.filters.parse import parse_filter
from bot.slack.digest import card as digest_card
from bot.slack.digest import fix_thanks, subscribe
from bot.slack.digest.card import SHOW_MINE, SHOW_NO_ADULT
from bot.slack.kit import api_errors, outbox_worker, respond
from bot.slack.kit.api_errors import Outcome, Result
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.channel_posts import ChannelPosts
from bot.slack.kit.context import AppContext
from bot.slack.list import card as list_card

logger = logging.getLogger(__name__)

EVENT_TYPE = "contact_cleanup_digest"
_DIGESTS = ChannelPosts(
    name="digest post",
    failure="The digest of the last mass message for {channel} {problem} Type `/cleanup` to see the list.",
    subscriptions=Subscription,
    mark_posted=posts.mark_posted,
    mark_unclear=posts.mark_unclear,
)


def register(app: App, context: AppContext) -> None:
    @app.action(SHOW_MINE)
    @app.action(SHOW_NO_ADULT)
    def show_mine(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        card = list_card.show(context, client, body["user"]["id"], action["value"])
        respond.answer(client, body, card)


def post_due(context: AppContext, client: WebClient) -> int:
    """Look up ambiguous posts, send what is due, refresh outdated digests; return how many were posted, found, or refreshed."""
    return outbox_worker.send_each(
        context,
        (posts.claim_ambiguous, lambda post: _look_up(context, client, post)),
        (posts.claim_post, lambda post: _send(context, client, post)),
        (posts.claim_refresh, lambda post: _refresh(context, client, post)),
    )


def _send(context: AppContext, client: WebClient, post: DigestPost) -> Result[Any] | None:
    if post.kind == PostKind.FIXES:
        return _send_thanks(context, client, post)
    channel = api_errors.call(lambda: client.conversations_info(channel=post.channel_id)["channel"])
    if channel.may_succeed_later:
        return outbox_worker.wait(context, post, channel, error=channel.error)
    if channel.answer is None:
        return _DIGESTS.give_up(context, client, post, error=channel.error, problem=f"was not posted. {channel.advice}")
    if reason := _too_public(channel.answer, post):
        return _DIGESTS.give_up(
            context, client, post, error="too many people can read it", problem=f"was not posted: {reason}."
        )
    digest, card = _load_card(context, post)
    metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": post.key}}
    return _post(context, client, post, card, shown_at=digest.learned_at, metadata=metadata)


def _send_thanks(context: AppContext, client: WebClient, post: DigestPost) -> Result[Any] | None:
    thanks = api_errors.call(lambda: fix_thanks.load_card(context, client, post))
    if thanks.may_succeed_later:
        return outbox_worker.wait(context, post, thanks, error=thanks.error)
    if thanks.answer is None:
        outbox_worker.fail(context, post, error=thanks.error or "no access to the contacts")
        return None
    return _post(context, client, post, thanks.answer)


def _too_public(channel: dict[str, Any], post: DigestPost) -> str | None:
    if subscribe.is_from_outside(channel):
        return "people from outside the district are in the channel now"
    if subscribe.is_too_open(channel, parse_filter(post.filter_text).filter):
        return "it counts one teacher's students, and the channel is no longer private"
    return None


def _load_card(context: AppContext, post: DigestPost) -> tuple[Digest, Card]:
    list_filter = parse_filter(post.filter_text).filter
    with transaction(context.engine) as session:
        digest = load_digest(session, post.mass_message_id, list_filter=list_filter, today=context.today())
    return digest, digest_card.draw(digest, context.templates, zone=context.settings.zone)


def _post(
    context: AppContext,
    client: WebClient,
    post: DigestPost,
    card: Card,
    *,
    shown_at: datetime | None = None,
    **more: Any,
) -> Result[Any] | None:
    if not outbox_worker.holds_lease(context, post):
        return None
    result = _call_with(
        context,
        card,
        lambda blocks: client.chat_postMessage(channel=post.channel_id, text=card.text, blocks=blocks, **more)["ts"],
    )
    return _DIGESTS.store(context, client, post, result, text=card.text, shown_at=shown_at)


def _call_with(context: AppContext, card: Card, call: Callable[[list[Block]], Any]) -> Result[Any]:
    return api_errors.call(lambda: context.newer_blocks.send(card.blocks, call, now=context.now()))


def _look_up(context: AppContext, client: WebClient, post: DigestPost) -> Result[Any]:
    """Look up an ambiguous digest. What one that is found shows is unknown, so it is refreshed."""
    return _DIGESTS.look_up(context, client, post, text=None, shown_at=None)


def _refresh(context: AppContext, client: WebClient, post: DigestPost) -> Result[Any]:
    digest, card = _load_card(context, post)
    if card.text != post.posted_text:
        result = _call_with(
            context,
            card,
            lambda blocks: client.chat_update(channel=post.channel_id, ts=post.ts or "", text=card.text, blocks=blocks),
        )
        if result.error:
            logger.warning("digest post %s was not refreshed: %s", post.id, result.error)
        if result.may_succeed_later:
            return result
    outbox_worker.store(context, posts.mark_refreshed, post, text=card.text, shown_at=digest.learned_at)
    return Result(Outcome.DONE)
