"""The doors of the district's own systems: mass messages before they are reported on, and opt-outs heard elsewhere."""

import hmac
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.app import utc_now
from bot.db.session import transaction
from bot.mass_messages.opt_outs import OptOutCounts, register_opt_outs
from bot.mass_messages.register import RegisterCounts, register_message
from bot.settings import Settings
from bot.web.responses import MEGABYTE, Endpoint, HttpError, parse_json, read_body

_MASS_MESSAGE_CAP = 16 * MEGABYTE  # About 100,000 deliveries; the same id again adds more.


def mass_messages_endpoint(settings: Settings, engine: Engine, threads: CapacityLimiter) -> Endpoint:
    def register(session: Session, posted: Any) -> RegisterCounts:
        return register_message(
            session, posted, now=utc_now(), settle_after=settings.settle_after, region=settings.phone_region
        )

    return _taking(register, settings, engine, threads, cap=_MASS_MESSAGE_CAP)


def opt_outs_endpoint(settings: Settings, engine: Engine, threads: CapacityLimiter) -> Endpoint:
    def register(session: Session, posted: Any) -> OptOutCounts:
        return register_opt_outs(session, posted, now=utc_now(), region=settings.phone_region)

    return _taking(register, settings, engine, threads, cap=MEGABYTE)


def _taking(
    register: Callable[[Session, Any], Any], settings: Settings, engine: Engine, threads: CapacityLimiter, *, cap: int
) -> Endpoint:
    """A door that takes JSON from whoever has the INGEST_TOKEN, and answers with counts when they are committed."""

    def committed(body: bytes) -> dict[str, int]:
        posted = parse_json(body)
        with transaction(engine) as session:
            return asdict(register(session, posted))

    async def taken(request: Request) -> Response:
        _check_token(settings, request)
        body = await read_body(request, cap=cap)
        return JSONResponse(await to_thread.run_sync(committed, body, limiter=threads))

    return taken


def _check_token(settings: Settings, request: Request) -> None:
    secret = settings.secret("ingest_token")
    if secret is None:
        raise HttpError(404, "INGEST_TOKEN is not set here, so nothing can be registered.")
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not hmac.compare_digest(token.encode(), secret.encode()):
        raise HttpError(401, "Send the INGEST_TOKEN: `Authorization: Bearer ...`.", challenge="Bearer")
