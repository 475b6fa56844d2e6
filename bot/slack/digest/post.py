"""Posts digests and thanks for fixes, and answers the button under a digest. Each is posted once (`channel_posts`)."""

import logging
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


def register(app: App, ctx: AppContext) -> None:
    @app.action(SHOW_MINE)
    @app.action(SHOW_NO_ADULT)
    def show_mine(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        card = list_card.show(ctx, client, body["user"]["id"], action["value"])
        respond.answer(client, body, card)


def post_due(ctx: AppContext, client: WebClient) -> int:
    """Look up ambiguous posts, send what is due, refresh outdated digests; return how many were posted, found, or refreshed."""
    return outbox_worker.send_each(
        ctx,
        # What a digest that is found shows is unknown, so it is refreshed.
        (posts.claim_ambiguous, lambda post: _DIGESTS.look_up(ctx, client, post, text=None, shown_at=None)),
        (posts.claim_post, lambda post: _send(ctx, client, post)),
        (posts.claim_refresh, lambda post: _refresh(ctx, client, post)),
    )


def _send(ctx: AppContext, client: WebClient, post: DigestPost) -> Result[Any] | None:
    if post.kind == PostKind.FIXES:
        return _send_thanks(ctx, client, post)
    which = parse_filter(post.filter_text).filter
    if refused := _DIGESTS.refuse(ctx, client, post, lambda channel: subscribe.too_public(channel, which)):
        return refused
    digest, card = _load_card(ctx, post)
    metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": post.key}}
    return _DIGESTS.send(ctx, client, post, card, metadata=metadata, text=card.text, shown_at=digest.learned_at)


def _send_thanks(ctx: AppContext, client: WebClient, post: DigestPost) -> Result[Any] | None:
    thanks = api_errors.call(lambda: fix_thanks.load_card(ctx, client, post))
    if thanks.may_succeed_later:
        return outbox_worker.wait(ctx, post, thanks, error=thanks.error)
    if thanks.answer is None:
        outbox_worker.fail(ctx, post, error=thanks.error or "no access to the contacts")
        return None
    return _DIGESTS.send(ctx, client, post, thanks.answer, text=thanks.answer.text, shown_at=None)


def _load_card(ctx: AppContext, post: DigestPost) -> tuple[Digest, Card]:
    list_filter = parse_filter(post.filter_text).filter
    with transaction(ctx.engine) as session:
        digest = load_digest(session, post.mass_message_id, list_filter=list_filter, today=ctx.today())
    return digest, digest_card.draw(digest, ctx.templates, zone=ctx.settings.zone)


def _refresh(ctx: AppContext, client: WebClient, post: DigestPost) -> Result[Any]:
    digest, card = _load_card(ctx, post)
    if card.text != post.posted_text:

        def update(blocks: list[Block]) -> object:
            return client.chat_update(channel=post.channel_id, ts=post.ts or "", text=card.text, blocks=blocks)

        result = api_errors.call(lambda: ctx.newer_blocks.send(card.blocks, update, now=ctx.now()))
        if result.error:
            logger.warning("digest post %s was not refreshed: %s", post.id, result.error)
        if result.may_succeed_later:
            return result
    outbox_worker.store(ctx, posts.mark_refreshed, post, text=card.text, shown_at=digest.learned_at)
    return Result(Outcome.DONE)
