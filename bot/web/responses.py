"""What every door does: read no more than it should, say readably why not, and ask to try again where the fault is ours."""

import functools
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from bot.errors import UserError, describe_error

logger = logging.getLogger(__name__)

MEGABYTE = 1_000_000

Endpoint = Callable[[Request], Awaitable[Response]]


class HttpError(Exception):
    """An answer that is not 200: its status and one readable line; `challenge` says how whoever calls may show who they are."""

    def __init__(self, status: int, sentence: str, *, challenge: str | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.challenge = challenge


def handle_errors(door: Endpoint) -> Endpoint:
    """A refusal says why. A fault of ours is 503, so that whoever called tries again."""

    @functools.wraps(door)
    async def answer(request: Request) -> Response:
        try:
            return await door(request)
        except HttpError as no:
            asked = {"WWW-Authenticate": no.challenge} if no.challenge else None
            return JSONResponse({"error": no.sentence}, no.status, asked)
        except UserError as no:
            return JSONResponse({"error": no.sentence, "field": no.field}, 422)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as fault:  # noqa: BLE001 - the last door before uvicorn, which would log the values of the error.
            logger.error("%s: %s", request.url.path, describe_error(fault))  # noqa: TRY400 - as above.
            return JSONResponse({"error": "This is our fault. Please send it again."}, 503)

    return answer


async def read_body(request: Request, *, cap: int) -> bytes:
    """The whole body, of which no more than `cap` bytes are ever held."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > cap:
            raise HttpError(413, f"More than {cap:,} bytes at once are too many.")
    return bytes(body)


def parse_json(body: bytes) -> Any:
    """What a body holds.

    Raises:
        UserError: it is not JSON.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise UserError("web.no_json", "The body is not JSON.") from problem
