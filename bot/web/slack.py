"""Slack's endpoint: commands, button clicks, dialogs, and events. Socket Mode shares what slow answers receive.

Bolt sees a request only after its signature is verified and the request is claimed in a table that all processes share: a
recorded request cannot be replayed while its timestamp is still accepted, not even to another process.
"""

import asyncio
import json
import logging
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from anyio import CapacityLimiter, to_thread
from prometheus_client import Histogram
from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from bot.app import slack_client, utc_now
from bot.db.seen_requests import claim_request
from bot.errors import describe_error
from bot.operations.refusals import SLACK
from bot.settings import Settings
from bot.slack.kit import respond
from bot.slack.kit.blocks import Card
from bot.web.refusals import RefusalCounter
from bot.web.responses import MEGABYTE, Endpoint, HttpError, read_body

logger = logging.getLogger(__name__)

RESPONSE_TIMEOUT = (
    2.5  # Seconds. Slack waits three; a call of ours to Slack has failed before that (`respond.SLACK_TIMEOUT`).
)
# Their answers reach people in another way: a dialog, a message that changes, the Home tab.
_ANSWERED_SEPARATELY = {"block_actions", "shortcut", "message_action", "event_callback", "view_closed"}
_MAX_SKEW_SECONDS = 300
LISTENER_SECONDS = Histogram(
    "contact_cleanup_listener_duration_seconds", "Time until an acknowledgement, by listener.", ["listener"]
)
_NUMBER = re.compile(r"\.\d+$")
_KINDS = ("command", "view_submission", *sorted(_ANSWERED_SEPARATELY))


def slack_endpoint(
    settings: Settings, engine: Engine, bolt: App, *, threads: CapacityLimiter, refusals: RefusalCounter
) -> Endpoint:
    """Build the endpoint. It has `threads` of its own, so that a flood of receipts delays no click."""

    def dispatch_once(bolt_request: BoltRequest, signature: str) -> BoltResponse:
        """Handle a request whose signature is new. It is recorded and committed first, so even a request that fails counts."""
        try:
            is_new = claim_request(engine, signature.encode(), now=utc_now())
        except OperationalError:
            # Without a database nothing can be done twice, and Bolt's error handler answers politely.
            is_new = True
        if not is_new:
            raise HttpError(401, "This request was received before.")
        with LISTENER_SECONDS.labels(listener(bolt_request.body)).time():
            return bolt.dispatch(bolt_request)

    secrets = settings.signing_secrets

    async def endpoint(request: Request) -> Response:
        if not secrets:
            refusals.add(SLACK, "SLACK_SIGNING_SECRET is not set")
            raise HttpError(503, "SLACK_SIGNING_SECRET is not set, so Slack's requests cannot be verified.")
        body = await read_body(request, max_bytes=MEGABYTE)
        if reason := _signature_problem(request, body, secrets):
            refusals.add(SLACK, reason)
            raise HttpError(401, "This request is not signed by Slack, or one of our clocks is wrong.")
        try:
            bolt_request = BoltRequest(
                body=body.decode(), query=str(request.query_params), headers=dict(request.headers)
            )
        except (ValueError, AttributeError, RecursionError) as problem:
            # Bolt parses the body at once, and fails on one that is neither a form nor an object.
            raise HttpError(400, "Slack does not send such a body.") from problem
        signature = request.headers["x-slack-signature"]
        work = asyncio.ensure_future(to_thread.run_sync(dispatch_once, bolt_request, signature, limiter=threads))
        await asyncio.wait({work}, timeout=RESPONSE_TIMEOUT)
        if not work.done() and (interim := interim_response(bolt_request.body)):
            return _to_starlette(interim, BackgroundTask(_send_late, settings, bolt_request, work))
        return _to_starlette(await work)

    return endpoint


def _signature_problem(request: Request, body: bytes, secrets: Sequence[str]) -> str | None:
    """Check Slack's signature, and return why it is refused. Slack's own verifier raises for headers that it cannot read."""
    stamp = request.headers.get("x-slack-request-timestamp", "")
    signature = request.headers.get("x-slack-signature", "")
    if not (re.fullmatch("[0-9]{1,12}", stamp) and signature.isascii() and signature):
        return "no signature"
    if abs(time.time() - int(stamp)) > _MAX_SKEW_SECONDS:
        return "signed too long ago, or a clock is wrong"
    with suppress(UnicodeDecodeError):  # Of a body that is not text.
        if any(SignatureVerifier(secret).is_valid(body, stamp, signature) for secret in secrets):
            return None
    return "the signature does not match"


def listener(body: dict[str, Any]) -> str:
    """Return what names the listener in metrics: the kind of request, and the id of a button or dialog without its number.

    What is typed, and ids of people, are not part of it.
    """
    kind = body.get("type") or ("command" if "command" in body else "other")
    if kind not in _KINDS:
        return "other"
    ids = [action["action_id"] for action in body.get("actions", ())] or [
        body.get("callback_id") or body.get("view", {}).get("callback_id") or body.get("event", {}).get("type") or ""
    ]
    return f"{kind} {_NUMBER.sub('', ids[0])}".strip()


def _to_starlette(response: BoltResponse, background: BackgroundTask | None = None) -> Response:
    headers = response.first_headers_without_set_cookie()
    return Response(response.body, response.status, headers, background=background)


async def _send_late(settings: Settings, bolt_request: BoltRequest, work: "asyncio.Future[BoltResponse]") -> None:
    """Wait for Bolt's response and send it after the interim one."""
    try:
        response = await work
    except Exception as error:  # noqa: BLE001 - no caller is left to raise it to, and asyncio would log its text.
        logger.error("a late response failed: %s", describe_error(error))  # noqa: TRY400 - as above.
        return
    await to_thread.run_sync(send_late_response, slack_client(settings), bolt_request.body, response)


def interim_response(body: dict[str, Any]) -> BoltResponse | None:
    """Return what is true until the answer comes; None where Slack has to wait.

    It waits for a submitted dialog: whether it was saved is not known yet, and submitting it again changes nothing twice.
    """
    if "command" in body and "response_url" in body:
        text = "One moment: this takes longer than usual. The answer follows below."
        content = json.dumps({"response_type": "ephemeral", "text": text})
        return BoltResponse(status=200, body=content, headers={"Content-Type": ["application/json"]})
    return BoltResponse(status=200) if body.get("type") in _ANSWERED_SEPARATELY else None


def send_late_response(client: WebClient, body: dict[str, Any], response: BoltResponse) -> None:
    """Send the answer to a command after its interim response."""
    if "command" not in body or response.status != 200 or not response.body:  # noqa: PLR2004
        return
    content = json.loads(response.body)
    card = Card(content.get("blocks", []), content["text"])
    respond.answer_command(client, body, card)
