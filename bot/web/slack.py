"""Slack's door: commands, clicks, dialogs and events, once their signature is checked."""

import asyncio
import logging
import re
from datetime import UTC, datetime

from anyio import CapacityLimiter, to_thread
from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk.signature import SignatureVerifier
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from bot.errors import describe_error
from bot.settings import Settings
from bot.slack.kit import slow_responses
from bot.web.replay_guard import is_first_delivery
from bot.web.responses import MEGABYTE, Endpoint, HttpError, read_body

logger = logging.getLogger(__name__)


def slack_endpoint(settings: Settings, engine: Engine, bolt: App, threads: CapacityLimiter) -> Endpoint:
    """It has `threads` of its own, so that a flood of receipts delays no click."""

    def dispatched(signature: str, asked: BoltRequest) -> BoltResponse:
        if not _is_first(engine, signature):
            raise HttpError(401, "This request came before.")
        return bolt.dispatch(asked)

    async def slack(request: Request) -> Response:
        secrets = settings.signing_secrets
        if not secrets:
            raise HttpError(503, "SLACK_SIGNING_SECRET is not set, so no request can be told to be Slack's.")
        body = await read_body(request, cap=MEGABYTE)
        if not any(_is_from_slack(secret, request, body) for secret in secrets):
            raise HttpError(401, "This request is not signed by Slack, or the clock of one of us is wrong.")
        asked = _asked(request, body)
        signature = request.headers["x-slack-signature"]
        work = asyncio.ensure_future(to_thread.run_sync(dispatched, signature, asked, limiter=threads))
        meanwhile = slow_responses.interim_response(asked.body)
        await asyncio.wait({work}, timeout=slow_responses.RESPONSE_TIMEOUT if meanwhile else None)
        if meanwhile and not work.done():
            return _response(meanwhile, background=BackgroundTask(_follow, asked, work))
        return _response(await work)

    return slack


def _response(said: BoltResponse, *, background: BackgroundTask | None = None) -> Response:
    return Response(said.body, said.status, said.first_headers_without_set_cookie(), background=background)


async def _follow(asked: BoltRequest, work: "asyncio.Future[BoltResponse]") -> None:
    """Once the answer is there, send it after what was said in its place."""
    try:
        said = await work
    except Exception as fault:  # noqa: BLE001 - nobody is left to hear of it, and asyncio would log its words.
        logger.error("a late answer never came: %s", describe_error(fault))  # noqa: TRY400 - as above.
        return
    await to_thread.run_sync(slow_responses.send_late_response, asked.body, said)


def _is_from_slack(secret: str, request: Request, body: bytes) -> bool:
    """Slack's own verifier, kept from what it raises on: stamps that are no number, characters that are not ASCII."""
    stamp = request.headers.get("x-slack-request-timestamp", "")
    signature = request.headers.get("x-slack-signature", "")
    if not (re.fullmatch("[0-9]{1,12}", stamp) and signature.isascii()):
        return False
    try:
        return SignatureVerifier(secret).is_valid(body, stamp, signature)
    except UnicodeDecodeError:
        return False


def _is_first(engine: Engine, signature: str) -> bool:
    """Without a database nothing can be done twice, and Bolt says politely that nothing can be done."""
    try:
        return is_first_delivery(engine, signature, now=datetime.now(UTC))
    except OperationalError:
        return True


def _asked(request: Request, body: bytes) -> BoltRequest:
    """The request as Bolt takes it, which reads the body at once and stumbles over what is no form and no object."""
    try:
        return BoltRequest(body=body.decode(), query=str(request.query_params), headers=dict(request.headers))
    except (ValueError, AttributeError, RecursionError) as problem:
        raise HttpError(400, "The body is none that Slack sends.") from problem
