"""Posting digests: one for each (mass message, channel), whatever dies or hangs up in between; and the button under them.

A post is claimed and committed before Slack is called, and nothing is sent again unless Slack surely did not take it. When
that cannot be found out, whoever subscribed the channel is told.
"""

import logging
import urllib.error
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.db.models.slack import DigestPost, PostKind
from bot.db.session import transaction
from bot.digests.posts import (
    claim_ambiguous,
    claim_post,
    claim_refresh,
    mark_ambiguous,
    mark_failed,
    mark_posted,
    mark_refreshed,
    schedule_retry,
)
from bot.digests.report import Digest, load_digest
from bot.digests.subscriptions import load_subscription
from bot.errors import describe_error
from bot.filters.parse import parse_filter
from bot.slack.digest import card as digest_card
from bot.slack.digest import fix_thanks
from bot.slack.digest.card import SHOW_MINE
from bot.slack.kit import api_errors, channel_privacy, outbox_worker, respond
from bot.slack.kit.card import Card
from bot.slack.kit.context import AppContext
from bot.slack.list import card as list_card

logger = logging.getLogger(__name__)

EVENT_TYPE = "contact_cleanup_digest"
# A machine with the wrong time zone is up to 14 hours ahead of Slack, and is set right between a post and the search for it.
_BEFORE = timedelta(days=1)
_PAGES = 5
_PAGE = 200


class _LostInTheChannelError(Exception):
    """So much was posted since that the digest cannot be looked for."""


def register(app: App, desk: AppContext) -> None:
    @app.action(SHOW_MINE)
    def show_mine(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        card = list_card.show(desk, client, body["user"]["id"], action["value"])
        respond.send_response(body["response_url"], text=card.text, blocks=card.blocks, replace_original=False)


def post_due(desk: AppContext, client: WebClient) -> int:
    """Look for lost posts, send what is due, and bring posted digests up to date; gives how many were handled."""
    return (
        outbox_worker.send_each(desk, claim_ambiguous, lambda post: _look_for(desk, client, post))
        + outbox_worker.send_each(desk, claim_post, lambda post: _send(desk, client, post))
        + outbox_worker.send_each(desk, claim_refresh, lambda post: _refresh(desk, client, post))
    )


def _send(desk: AppContext, client: WebClient, post: DigestPost) -> None:
    if post.kind == PostKind.FIXES:
        _send_fixes(desk, client, post)
        return
    try:
        why = _closed(client, post)
    except (SlackApiError, OSError, HTTPException) as problem:
        logger.warning("digest %s: who reads its channel could not be asked: %s", post.id, describe_error(problem))
        outbox_worker.complete(
            desk,
            schedule_retry,
            post,
            desk.now() + outbox_worker.RETRY_DELAY,
            error="nobody said who reads the channel",
        )
        return
    if why is not None:
        _give_up(desk, client, post, "not everybody there may read it", why)
        return
    digest, card = _drawn(desk, post)
    metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": post.key}}
    _post(desk, client, post, card, shown_at=digest.shown_at, metadata=metadata)


def _closed(client: WebClient, post: DigestPost) -> str | None:
    """Why a digest may not be read by everybody in its channel any more. A channel that is gone says so when we post.

    Raises:
        SlackApiError: Slack cannot say now.
    """
    try:
        channel = client.conversations_info(channel=post.channel_id)["channel"]
    except SlackApiError as problem:
        if api_errors.is_retryable(problem):
            raise
        return None
    if channel_privacy.is_from_outside(channel):
        return "people from outside the district are there now"
    if channel_privacy.is_too_open(channel, parse_filter(post.filter_text).filter):
        return "it is about one teacher's students, and the channel is not private any more"
    return None


def _send_fixes(desk: AppContext, client: WebClient, post: DigestPost) -> None:
    """Tell a fixer, unless nobody is there to be told; while Slack does not say who it is, try again."""
    try:
        card = fix_thanks.drawn(desk, client, post)
    except (SlackApiError, OSError, HTTPException) as problem:
        logger.warning("fixes %s: whose they are could not be asked: %s", post.id, describe_error(problem))
        outbox_worker.complete(
            desk, schedule_retry, post, desk.now() + outbox_worker.RETRY_DELAY, error="nobody said who it is"
        )
        return
    if card is None:
        outbox_worker.complete(desk, mark_failed, post, error="they may see none of it")
    else:
        _post(desk, client, post, card, shown_at=None)


def _post(
    desk: AppContext, client: WebClient, post: DigestPost, card: Card, *, shown_at: datetime | None, **more: Any
) -> None:
    if not outbox_worker.holds_lease(desk, post):
        return
    try:
        answer = client.chat_postMessage(channel=post.channel_id, text=card.text, blocks=card.blocks, **more)
    except SlackApiError as problem:
        _refused(desk, client, post, problem)
    except urllib.error.URLError as problem:
        _cut_off(desk, post, surely_not_taken=isinstance(problem.reason, ConnectionRefusedError))
    except (OSError, HTTPException):
        _cut_off(desk, post, surely_not_taken=False)
    else:
        outbox_worker.complete(desk, mark_posted, post, ts=answer["ts"], text=card.text, shown_at=shown_at)


def _drawn(desk: AppContext, post: DigestPost) -> tuple[Digest, Card]:
    which, today = parse_filter(post.filter_text).filter, desk.now().astimezone(desk.settings.zone).date()
    with transaction(desk.engine) as session:
        digest = load_digest(session, post.mass_message_id, which=which, today=today)
    return digest, digest_card.draw(digest, desk.templates)


def _refused(desk: AppContext, client: WebClient, post: DigestPost, problem: SlackApiError) -> None:
    """Slack answered, but not with yes: it may have taken the post all the same, may take it later, or never will."""
    error = api_errors.error_code(problem)
    if api_errors.is_rate_limited(problem):
        outbox_worker.complete(
            desk, schedule_retry, post, desk.now() + api_errors.retry_after(problem), error="ratelimited"
        )
    elif api_errors.is_ambiguous(problem):
        outbox_worker.complete(desk, mark_ambiguous, post, error=error, now=desk.now())
    else:
        _give_up(desk, client, post, error, "Slack does not let me post there")


def _cut_off(desk: AppContext, post: DigestPost, *, surely_not_taken: bool) -> None:
    if surely_not_taken:
        outbox_worker.complete(
            desk, schedule_retry, post, desk.now() + outbox_worker.RETRY_DELAY, error="Slack was not reached"
        )
    else:
        outbox_worker.complete(
            desk, mark_ambiguous, post, error="the connection broke before Slack's answer", now=desk.now()
        )


def _look_for(desk: AppContext, client: WebClient, post: DigestPost) -> None:
    """Find a post whose answer was lost by its key in the channel's newest messages; send it again only if it is not there."""
    try:
        ts = _found(client, post)
    except _LostInTheChannelError:
        _give_up(
            desk,
            client,
            post,
            "too many messages to look through",
            "I cannot tell whether it arrived, so I did not post it twice",
        )
        return
    except SlackApiError as problem:
        if not api_errors.is_retryable(problem):
            _give_up(
                desk,
                client,
                post,
                f"looked for it: {api_errors.error_code(problem)}",
                "I cannot tell whether it arrived, so I did not post it twice",
            )
        return
    except (OSError, HTTPException) as problem:
        logger.warning("digest %s could not be looked for: %s", post.id, describe_error(problem))
        return
    if ts is not None:
        outbox_worker.complete(desk, mark_posted, post, ts=ts, text=None, shown_at=None)
    else:
        outbox_worker.complete(desk, schedule_retry, post, desk.now(), error="it had not arrived")


def _found(client: WebClient, post: DigestPost) -> str | None:
    since = (post.claimed_at - _BEFORE).timestamp() if post.claimed_at else 0
    cursor = None
    for _ in range(_PAGES):
        answer = client.conversations_history(
            channel=post.channel_id, oldest=f"{since:.6f}", limit=_PAGE, include_all_metadata=True, cursor=cursor
        )
        for message in answer["messages"]:
            payload = message.get("metadata", {}).get("event_payload", {})
            if payload.get("key") == post.key:
                return str(message["ts"])
        if not answer.get("has_more"):
            return None
        cursor = answer["response_metadata"]["next_cursor"]
    raise _LostInTheChannelError


def _refresh(desk: AppContext, client: WebClient, post: DigestPost) -> bool:
    """Bring a posted digest up to date; False when Slack wants us to ask less often, so that the others wait, too."""
    digest, card = _drawn(desk, post)
    if card.text != post.posted_text:
        try:
            client.chat_update(channel=post.channel_id, ts=post.ts or "", text=card.text, blocks=card.blocks)
        except SlackApiError as problem:
            logger.warning("digest %s stays as it was: %s", post.id, api_errors.error_code(problem))
            if api_errors.is_retryable(problem):
                return not api_errors.is_rate_limited(problem)
        except (OSError, HTTPException) as problem:
            logger.warning("digest %s stays as it was: %s", post.id, describe_error(problem))
            return True
    outbox_worker.complete(desk, mark_refreshed, post, text=card.text, shown_at=digest.shown_at)
    return True


def _give_up(desk: AppContext, client: WebClient, post: DigestPost, error: str, why: str) -> None:
    """Tell whoever subscribed the channel, privately; then nobody is left waiting for a digest that will not come.

    Told first and written down then: who dies in between tells twice, which is better than never. Who cannot be told now is
    told when the claim has run out.
    """
    logger.warning("digest %s was not posted: %s", post.id, error)
    with transaction(desk.engine) as session:
        subscription = load_subscription(session, post.channel_id)
    if subscription is None or _told(client, subscription.made_by, post, why):
        outbox_worker.complete(desk, mark_failed, post, error=error)


def _told(client: WebClient, user_id: str, post: DigestPost, why: str) -> bool:
    """Whether somebody knows, or never will."""
    text = (
        f"The digest of the last mass message did not get to <#{post.channel_id}>: {why}. Please look "
        "there, invite me if I am not in the channel, and type `/cleanup` to see the list."
    )
    try:
        client.chat_postMessage(channel=user_id, text=text)
    except SlackApiError as problem:
        logger.warning("nobody could be told about digest %s: %s", post.id, api_errors.error_code(problem))
        return not api_errors.is_retryable(problem)
    except (OSError, HTTPException) as problem:
        logger.warning("nobody could be told about digest %s: %s", post.id, describe_error(problem))
        return False
    return True
