"""The two shortcuts: the list from anywhere in Slack, and from a digest the contacts it counts."""

from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.db.models.slack import DigestPost, PostKind
from bot.errors import UserError
from bot.filters.filter import EVERYONE
from bot.slack.kit import respond
from bot.slack.kit.context import AppContext
from bot.slack.list import card as list_card

# The manifest names them, too.
OPEN_LIST, WHO_IS_AFFECTED = "list.open", "digest.who_is_affected"


def register(app: App, ctx: AppContext) -> None:
    @app.shortcut(OPEN_LIST)
    def open_list(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        card = list_card.show(ctx, client, body["user"]["id"], EVERYONE)
        client.views_open(trigger_id=body["trigger_id"], view=list_card.dialog(card))

    @app.shortcut(WHO_IS_AFFECTED)
    def show_affected(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        user_id = body["user"]["id"]
        with ctx.acting(client, user_id) as (session, _):
            text = _digest_filter(session, body["channel"]["id"], body["message_ts"])
        card = list_card.show(ctx, client, user_id, text)
        respond.answer(client, body, card)


def _digest_filter(session: Session, channel_id: str, ts: str) -> str:
    text = session.scalar(
        select(DigestPost.filter_text).where(
            DigestPost.channel_id == channel_id, DigestPost.ts == ts, DigestPost.kind == PostKind.DIGEST
        )
    )
    if text is None:
        sentence = "That isn't a digest. Use this shortcut on a Contact Cleanup digest, or type /cleanup."
        raise UserError("digest.not_a_digest", sentence)
    return text or EVERYONE
