"""Shared by all endpoints: a limit on bodies, readable errors, and a request to try again when the problem is ours."""

import functools
import logging
from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from bot.db import failures
from bot.errors import UserError, describe_error

logger = logging.getLogger(__name__)

MEGABYTE = 1_000_000

Endpoint = Callable[[Request], Awaitable[Response]]


class HttpError(Exception):
    """An error answer: its status, one readable line, and optionally the wrong field and the `WWW-Authenticate` header (`challenge`)."""

    def __init__(self, status: int, sentence: str, *, field: str | None = None, challenge: str | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.field = field
        self.challenge = challenge


def handle_errors(endpoint: Endpoint) -> Endpoint:
    """Answer errors as JSON. Unexpected ones are a 503, so that the caller tries again."""

    @functools.wraps(endpoint)
    async def endpoint_with_errors(request: Request) -> Response:
        try:
            return await endpoint(request)
        except HttpError as error:
            headers = {"WWW-Authenticate": error.challenge} if error.challenge else None
            field = {"field": error.field} if error.field else {}
            return JSONResponse({"error": error.sentence, **field}, error.status, headers)
        except UserError as error:
            return JSONResponse({"error": error.sentence, "field": error.field}, 422)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:  # noqa: BLE001 - raised further, uvicorn would log it with its values.
            known = failures.explain(error)
            reason = f"{describe_error(error)}. {known.sentence}" if known else describe_error(error)
            logger.error("%s: %s", request.url.path, reason)  # noqa: TRY400 - as above.
            return JSONResponse({"error": "Internal error. Please send it again."}, 503)

    return endpoint_with_errors


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
