"""What Slack hears when an answer takes longer than it waits, and how the answer follows: a large district asks much of a busy
database, and *operation_timeout* would tell nobody whether anything was done.
"""

import json
import logging
from http.client import HTTPException
from typing import Any

from slack_bolt import BoltResponse

from bot.errors import describe_error
from bot.slack.kit import respond

logger = logging.getLogger(__name__)

RESPONSE_TIMEOUT = 2.5
"""Seconds until Slack hears something else. After three it tells people that we are broken; what waits for Slack itself has said
so before (`reply.PATIENCE`).
"""
_ANSWERED_BY_ITSELF = {"block_actions", "shortcut", "message_action", "event_callback", "view_closed"}
"""What these are told comes to people on its own way: a dialog, a message that changes, the Home tab."""


def interim_response(body: dict[str, Any]) -> BoltResponse | None:
    """What is true until the answer comes; None where Slack has to wait for it, as with a dialog that was sent off: whether it
    was saved is not known yet, and sending it once more does nothing twice.
    """
    if "command" in body and "response_url" in body:
        said = json.dumps(
            {
                "response_type": "ephemeral",
                "text": "One moment: this takes longer than usual. The answer follows below.",
            }
        )
        return BoltResponse(status=200, body=said, headers={"Content-Type": ["application/json"]})
    return BoltResponse(status=200) if body.get("type") in _ANSWERED_BY_ITSELF else None


def send_late_response(body: dict[str, Any], said: BoltResponse) -> None:
    """Send after it what a command was answered; nothing else has an answer of its own."""
    if "command" not in body or said.status != 200 or not said.body:  # noqa: PLR2004
        return
    answer = json.loads(said.body)
    try:
        taken = respond.send_response(
            body["response_url"], text=answer["text"], blocks=answer.get("blocks"), replace_original=False
        )
    except (OSError, HTTPException) as problem:
        logger.warning("a late answer did not reach Slack: %s", describe_error(problem))
    else:
        if taken.status_code != 200:  # noqa: PLR2004
            logger.warning("a late answer was not taken: Slack answered %s", taken.status_code)
