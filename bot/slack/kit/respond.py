"""Answers to a press of a button: through its response_url, as a dialog, or by redrawing what is on screen.

Each is sent once: the SDK's default would repeat it after a dropped connection, and people would read it twice.
"""

import logging
from collections.abc import Callable
from typing import Any

from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient, WebhookResponse

from bot.slack.kit import api_errors
from bot.slack.kit.api_errors import Outcome
from bot.slack.kit.blocks import Block, Card

logger = logging.getLogger(__name__)

SLACK_TIMEOUT = 2  # Seconds, while a person waits for us; after three, Slack shows them an error.


def send_response(response_url: str, *, timeout: int = SLACK_TIMEOUT, **content: Any) -> WebhookResponse:
    """Send `text` and `blocks` to one person; `replace_original` puts them over what is there, or below it.

    Raises:
        OSError: the connection broke or Slack took too long; Slack may have accepted the answer all the same.
    """
    client = WebhookClient(response_url, timeout=timeout, retry_handlers=[])
    return client.send(**content, response_type="ephemeral")


def open_dialog(client: WebClient, body: dict[str, Any], view: Block) -> None:
    """Show a dialog; on top of the one that the pressed button is in, if it is in one."""
    is_in_dialog = body.get("view", {}).get("type") == "modal"
    show = client.views_push if is_in_dialog else client.views_open
    show(trigger_id=body["trigger_id"], view=view)


def update_dialog(client: WebClient, view_id: str, view: Block) -> None:
    """Redraw a dialog after a change. If that fails nothing is lost: the change is committed."""
    _try_redraw("dialog", lambda: client.views_update(view_id=view_id, view=view))


def update_message(client: WebClient, channel_id: str, ts: str, card: Card) -> None:
    """Redraw a message of ours after a change. If that fails nothing is lost: its button still works, and says what changed."""
    _try_redraw("message", lambda: client.chat_update(channel=channel_id, ts=ts, text=card.text, blocks=card.blocks))


def _try_redraw(what: str, redraw: Callable[[], object]) -> None:
    result = api_errors.call(redraw)
    if result.outcome is not Outcome.DONE:
        logger.warning("%s could not be redrawn: %s", what, result.error)
