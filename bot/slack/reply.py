"""Answers that go where somebody pressed a button, through the response_url that came with the press.

Each is sent once: the SDK's default would send it a second time after a dropped connection, and somebody would read it twice.
"""

from typing import Any

from slack_sdk.webhook import WebhookClient, WebhookResponse

PATIENCE = 2
"""Seconds to wait for Slack while somebody waits for us; after three, Slack tells them that we are broken."""


def send(response_url: str, *, timeout: int = PATIENCE, **content: Any) -> WebhookResponse:
    """Send `text`, `blocks`, … for one person's eyes; `replace_original` says whether over what is there or below it.

    Raises:
        OSError: the connection broke or Slack took too long; it may have taken the answer all the same.
    """
    client = WebhookClient(response_url, timeout=timeout, retry_handlers=[])
    return client.send(**content, response_type="ephemeral")
