"""Endpoints for the district's own systems: mass messages to register, and opt-outs received elsewhere."""

import hmac
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.app import utc_now
from bot.db.driver import INGEST
from bot.db.session import transaction
from bot.errors import UserError
from bot.mass_messages.opt_outs import OptOutCounts, register_opt_outs
from bot.mass_messages.register import RegisterCounts, register_message
from bot.refusals import MESSENGER
from bot.settings import Settings
from bot.web.refusals import RefusalCounter
from bot.web.responses import MEGABYTE, Endpoint, HttpError, read_body

# About 100,000 deliveries; posting the same message id again adds more.
_MAX_MASS_MESSAGE = 16 * MEGABYTE


def mass_messages_endpoint(
    settings: Settings, engine: Engine, threads: CapacityLimiter, refusals: RefusalCounter
) -> Endpoint:
    def register(session: Session, message: Any) -> RegisterCounts:
        return register_message(
            session, message, now=utc_now(), settle_after=settings.settle_after, region=settings.phone_region
        )

    return _json_endpoint(register, settings, engine, threads, refusals, max_bytes=_MAX_MASS_MESSAGE)


def opt_outs_endpoint(
    settings: Settings, engine: Engine, threads: CapacityLimiter, refusals: RefusalCounter
) -> Endpoint:
    def register(session: Session, body: Any) -> OptOutCounts:
        return register_opt_outs(session, body, now=utc_now(), region=settings.phone_region)

    return _json_endpoint(register, settings, engine, threads, refusals, max_bytes=MEGABYTE)


def _json_endpoint(
    register: Callable[[Session, Any], Any],
    settings: Settings,
    engine: Engine,
    threads: CapacityLimiter,
    refusals: RefusalCounter,
    *,
    max_bytes: int,
) -> Endpoint:
    """Build an endpoint that takes JSON from callers with the INGEST_TOKEN, and answers with counts after the commit."""

    def parse_and_register(body: bytes) -> dict[str, int]:
        try:
            parsed = json.loads(body)
        except (ValueError, RecursionError) as problem:
            raise UserError("payload.not_json", "The body is not JSON.") from problem
        with transaction(engine, limits=INGEST) as session:
            return asdict(register(session, parsed))

    async def endpoint(request: Request) -> Response:
        _check_token(settings, request, refusals)
        body = await read_body(request, max_bytes=max_bytes)
        return JSONResponse(await to_thread.run_sync(parse_and_register, body, limiter=threads))

    return endpoint


def _check_token(settings: Settings, request: Request, refusals: RefusalCounter) -> None:
    secret = settings.secret("ingest_token")
    if secret is None:
        refusals.add(MESSENGER, "INGEST_TOKEN is not set")
        raise HttpError(404, "INGEST_TOKEN is not set here, so nothing can be registered.")
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not hmac.compare_digest(token.encode(), secret.encode()):
        refusals.add(MESSENGER, "wrong INGEST_TOKEN; set the same one here and there")
        raise HttpError(401, "Send the INGEST_TOKEN: `Authorization: Bearer ...`.", challenge="Bearer")
