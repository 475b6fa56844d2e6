"""Answers to a person: through the response_url of what they pressed, as a dialog, or by redrawing what is on screen.

Nothing is silent: what Slack does not accept is logged, and the person reads in a direct message what to do.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

from bot.slack.kit import api_errors
from bot.slack.kit import blocks as b
from bot.slack.kit.api_errors import Outcome, Result
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.newer_blocks import REFUSALS

logger = logging.getLogger(__name__)

SLACK_TIMEOUT = 2  # Seconds, while a person waits for us; after three, Slack shows them an error.
_PAUSE_SECONDS = 0.5  # Before the second try.
_LONGEST_PAUSE_SECONDS = 2
_OK = 200
_NOT_SHOWN = "⚠️ Slack did not show you my last answer. Please press the button again, or type `/cleanup`."
_PUSH_TEXT = "Contact Cleanup has an answer for you."  # On a locked phone, so it names no one.


def answer(client: WebClient, body: dict[str, Any], card: Card, *, replace_original: bool = False) -> None:
    """Answer a press of a button or a shortcut privately: over its message, or below it."""
    result = send_response(body["response_url"], card, replace_original=replace_original)
    if result.outcome is not Outcome.DONE:
        send_direct_message(client, body["user"]["id"], _NOT_SHOWN)


def answer_command(client: WebClient, body: dict[str, Any], card: Card) -> None:
    """Answer a command privately, below it, after it was acknowledged."""
    answer(client, {"response_url": body["response_url"], "user": {"id": body["user_id"]}}, card)


def send_response(
    response_url: str, card: Card, *, replace_original: bool, timeout: int = SLACK_TIMEOUT
) -> Result[None]:
    """Send a private answer to a response_url, and once more where that helps. A failure is logged.

    Slack accepts a response_url five times within 30 minutes. After a lost connection only an answer that replaces is sent again:
    people would read another one twice. Blocks that the workspace refuses are sent in words.
    """
    content = {"text": card.text, "blocks": card.blocks, "replace_original": replace_original}
    result = _use_response_url(response_url, timeout, content)
    if result.error in REFUSALS and b.has_newer(card.blocks):
        content["blocks"] = b.plainer(card.blocks)
        result = _use_response_url(response_url, timeout, content)
    may_repeat = result.outcome is Outcome.LATER or (result.outcome is Outcome.UNCLEAR and replace_original)
    is_told_how_long = result.retry_after != api_errors.RETRY_DELAY
    pause = result.retry_after.total_seconds() if is_told_how_long else _PAUSE_SECONDS
    if may_repeat and pause <= _LONGEST_PAUSE_SECONDS:
        time.sleep(pause)
        result = _use_response_url(response_url, timeout, content)
    if result.outcome is not Outcome.DONE:
        logger.warning("an answer by response_url was not accepted: %s", result.error)
    return result


def _use_response_url(url: str, timeout: int, content: dict[str, Any]) -> Result[None]:
    client = WebhookClient(url, timeout=timeout, retry_handlers=[])
    result = api_errors.call(lambda: client.send(**content, response_type="ephemeral"))
    if result.answer is None:
        return Result(result.outcome, None, result.error, result.retry_after, result.may_have_arrived)
    status = result.answer.status_code
    # Unlike a method of the Web API, a response_url refuses with a status: 400 for the content, 404 when it has ended.
    word = {"error": f"http_{status}"}
    return Result(Outcome.DONE) if status == _OK else api_errors.from_answer(status, result.answer.headers, word)


def open_dialog(client: WebClient, body: dict[str, Any], view: Block) -> None:
    """Show a dialog; on top of the one that the pressed button is in, if it is in one."""
    is_in_dialog = body.get("view", {}).get("type") == "modal"
    show = client.views_push if is_in_dialog else client.views_open
    show(trigger_id=body["trigger_id"], view=view)


def send_direct_message(client: WebClient, user_id: str, sentence: str) -> None:
    """Tell a person something that could not be shown where they are. A failure is logged: no other way to them is left."""
    blocks = [b.section(sentence)]
    result = api_errors.call(lambda: client.chat_postMessage(channel=user_id, text=_PUSH_TEXT, blocks=blocks))
    if result.outcome is not Outcome.DONE:
        logger.warning("a person could not be told that an answer was not shown: %s", result.error)


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
