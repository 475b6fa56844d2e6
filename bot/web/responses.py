"""Shared by all endpoints: an id in each line of the log (LOG_FORMAT=json), measured time, readable errors, and a limit on bodies."""

import hmac
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

from prometheus_client import Histogram
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from bot.db import failures
from bot.errors import UserError, describe_error

logger = logging.getLogger(__name__)

MEGABYTE = 1_000_000
REQUEST_SECONDS = Histogram(
    "contact_cleanup_http_request_duration_seconds",
    "Time until an answer, by address and status.",
    ["endpoint", "status"],
)
_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

Endpoint = Callable[[Request], Awaitable[Response]]


class HttpError(Exception):
    """An error answer: its status, one readable line, and optionally the wrong field and the `WWW-Authenticate` header (`challenge`)."""

    def __init__(self, status: int, sentence: str, *, field: str | None = None, challenge: str | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.field = field
        self.challenge = challenge


def measured(path: str, endpoint: Endpoint) -> Endpoint:
    """Serve an endpoint with its errors answered, and measured under the address as the route has it: `/receipts/{provider}`."""

    async def serve(request: Request) -> Response:
        start, request_id = time.perf_counter(), secrets.token_hex(8)
        _request_id.set(request_id)
        try:
            response = await endpoint(request)
        except Exception as error:  # noqa: BLE001 - raised further, uvicorn would log it with its values.
            response = _error_response(request, error)
        response.headers["X-Request-Id"] = request_id
        REQUEST_SECONDS.labels(path, response.status_code).observe(time.perf_counter() - start)
        return response

    return serve


def current_request_id() -> str | None:
    """Return the id of the request that this thread works for."""
    return _request_id.get()


def _error_response(request: Request, error: Exception) -> Response:
    """Answer an error as JSON. An unexpected one is a 503, so that the caller tries again."""
    if isinstance(error, HttpError):
        headers = {"WWW-Authenticate": error.challenge} if error.challenge else None
        field = {"field": error.field} if error.field else {}
        return JSONResponse({"error": error.sentence, **field}, error.status, headers)
    if isinstance(error, UserError):
        return JSONResponse({"error": error.sentence, "field": error.field}, 422)
    if isinstance(error, ClientDisconnect):
        return Response(status_code=400)
    known = failures.explain(error)
    reason = f"{describe_error(error)}. {known.sentence}" if known else describe_error(error)
    logger.error("%s: %s", request.url.path, reason)
    return JSONResponse({"error": "Internal error. Please send it again."}, 503)


def has_bearer(request: Request, secret: str) -> bool:
    """Return whether the caller sent this secret: `Authorization: Bearer ...`."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return kind.lower() == "bearer" and hmac.compare_digest(token.encode(), secret.encode())


async def read_body(request: Request, *, max_bytes: int) -> bytes:
    """Return the whole body; reading stops after `max_bytes`.

    Raises:
        HttpError: it is longer.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise HttpError(413, f"The body is longer than {max_bytes:,} bytes. Send less at once.")
    return bytes(body)
