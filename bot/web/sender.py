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

from bot import db, mass_messages, opt_outs
from bot.app import clock
from bot.settings import Settings
from bot.web.answering import MEGABYTE, Door, RefusedError, body_of, json_of
from bot.wording import say

_MASS_MESSAGE_CAP = 16 * MEGABYTE  # About 100,000 deliveries; the same id again adds more.


def of_mass_messages(settings: Settings, engine: Engine, threads: CapacityLimiter) -> Door:
    def register(session: Session, posted: Any) -> mass_messages.Counts:
        return mass_messages.register(
            session, posted, now=clock(), settle_after=settings.settle_after, region=settings.phone_region
        )

    return _taking(register, settings, engine, threads, cap=_MASS_MESSAGE_CAP)


def of_opt_outs(settings: Settings, engine: Engine, threads: CapacityLimiter) -> Door:
    def register(session: Session, posted: Any) -> opt_outs.Counts:
        return opt_outs.register(session, posted, now=clock(), region=settings.phone_region)

    return _taking(register, settings, engine, threads, cap=MEGABYTE)


def _taking(
    register: Callable[[Session, Any], Any], settings: Settings, engine: Engine, threads: CapacityLimiter, *, cap: int
) -> Door:
    """A door that takes JSON from whoever has the INGEST_TOKEN, and answers with counts when they are committed."""

    def committed(body: bytes) -> dict[str, int]:
        posted = json_of(body)
        with db.transaction(engine) as session:
            return asdict(register(session, posted))

    async def taken(request: Request) -> Response:
        _check_token(settings, request)
        body = await body_of(request, cap=cap)
        return JSONResponse(await to_thread.run_sync(committed, body, limiter=threads))

    return taken


def _check_token(settings: Settings, request: Request) -> None:
    secret = settings.secret("ingest_token")
    if secret is None:
        raise RefusedError(404, say("web.no_ingest_token"))
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not hmac.compare_digest(token.encode(), secret.encode()):
        raise RefusedError(401, say("web.wrong_ingest_token"), challenge="Bearer")
