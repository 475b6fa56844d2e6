"""The two shortcuts: the list from anywhere in Slack, and from a digest who it is about."""

from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.db.models.slack import DigestPost, PostKind
from bot.errors import UserError
from bot.slack.kit import respond
from bot.slack.kit.context import AppContext
from bot.slack.list import card as list_card
from bot.slack.list import links as list_links

OPEN_LIST, WHO_IS_AFFECTED = "list.open", "digest.who_is_affected"
"""Named in the manifest, too."""


def register(app: App, desk: AppContext) -> None:
    @app.shortcut(OPEN_LIST)
    def open_list(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        card = list_card.show(desk, client, body["user"]["id"], list_links.EVERYBODY)
        client.views_open(trigger_id=body["trigger_id"], view=list_card.dialog(card))

    @app.shortcut(WHO_IS_AFFECTED)
    def who_is_affected(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        user_id = body["user"]["id"]
        with desk.acting(client, user_id) as (session, _):
            text = _filter_of(session, body["channel"]["id"], body["message_ts"])
        card = list_card.show(desk, client, user_id, text)
        respond.send_response(body["response_url"], text=card.text, blocks=card.blocks, replace_original=False)


def _filter_of(session: Session, channel_id: str, ts: str) -> str:
    posted = select(DigestPost.filter_text).where(DigestPost.channel_id == channel_id, DigestPost.ts == ts)
    text = session.scalar(posted.where(DigestPost.kind == PostKind.DIGEST))
    if text is None:
        raise UserError(
            "digest.no_digest",
            "That is no digest of mine. Use the shortcut from the menu of a digest, or type /cleanup.",
        )
    return text or list_links.EVERYBODY
