"""Answers that go where somebody pressed a button, through the response_url that came with the press.

Each is sent once: the SDK's default would send it a second time after a dropped connection, and somebody would read it twice.
"""

import logging
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient, WebhookResponse

from bot.errors import describe_error
from bot.slack.kit import api_errors
from bot.slack.kit.blocks import Block
from bot.slack.kit.card import Card

logger = logging.getLogger(__name__)

SLACK_TIMEOUT = 2
"""Seconds to wait for Slack while somebody waits for us; after three, Slack tells them that we are broken."""


def send_response(response_url: str, *, timeout: int = SLACK_TIMEOUT, **content: Any) -> WebhookResponse:
    """Send `text`, `blocks`, … for one person's eyes; `replace_original` says whether over what is there or below it.

    Raises:
        OSError: the connection broke or Slack took too long; it may have taken the answer all the same.
    """
    client = WebhookClient(response_url, timeout=timeout, retry_handlers=[])
    return client.send(**content, response_type="ephemeral")


def open_dialog(client: WebClient, body: dict[str, Any], view: Block) -> None:
    """Show a dialog to whoever pressed a button: on top of the one that the button stands in, if it does."""
    is_in_dialog = body.get("view", {}).get("type") == "modal"
    show = client.views_push if is_in_dialog else client.views_open
    show(trigger_id=body["trigger_id"], view=view)


def update_message(client: WebClient, channel_id: str, ts: str, card: Card) -> None:
    """Bring a message of ours up to date after something was committed. Where that fails nothing is lost: pressing again says so."""
    try:
        client.chat_update(channel=channel_id, ts=ts, text=card.text, blocks=card.blocks)
    except SlackApiError as problem:
        logger.warning("a message stays as it was: %s", api_errors.error_code(problem))
    except (OSError, HTTPException) as problem:
        logger.warning("a message stays as it was: %s", describe_error(problem))
