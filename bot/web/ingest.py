"""Endpoints for the district's own systems: mass messages to register, and opt-outs received elsewhere."""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.app import utc_now
from bot.db.session import INGEST, transaction
from bot.errors import UserError
from bot.mass_messages.opt_outs import OptOutCounts, register_opt_outs
from bot.mass_messages.payload import RowsRefused
from bot.mass_messages.register import RegisterCounts, register_message
from bot.operations.refusals import MESSENGER
from bot.settings import Settings
from bot.web.refusals import RefusalCounter
from bot.web.responses import MEGABYTE, Endpoint, HttpError, has_bearer, read_body

logger = logging.getLogger(__name__)

# About 100,000 deliveries; posting the same message id again adds more.
_MAX_MASS_MESSAGE = 16 * MEGABYTE
_STRICT = {"": True, "1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def mass_messages_endpoint(
    settings: Settings, engine: Engine, threads: CapacityLimiter, refusals: RefusalCounter
) -> Endpoint:
    def register(session: Session, message: Any, *, strict: bool) -> RegisterCounts:
        region, settle_after = settings.phone_region, settings.settle_after
        return register_message(
            session, message, now=utc_now(), settle_after=settle_after, region=region, strict=strict
        )

    return _json_endpoint(register, settings, engine, threads, refusals, max_bytes=_MAX_MASS_MESSAGE)


def opt_outs_endpoint(
    settings: Settings, engine: Engine, threads: CapacityLimiter, refusals: RefusalCounter
) -> Endpoint:
    def register(session: Session, body: Any, *, strict: bool) -> OptOutCounts:
        region, own_words = settings.phone_region, settings.opt_out_words
        return register_opt_outs(session, body, now=utc_now(), region=region, strict=strict, own_words=own_words)

    return _json_endpoint(register, settings, engine, threads, refusals, max_bytes=MEGABYTE)


def _json_endpoint(
    register: Callable[..., RegisterCounts | OptOutCounts],
    settings: Settings,
    engine: Engine,
    threads: CapacityLimiter,
    refusals: RefusalCounter,
    *,
    max_bytes: int,
) -> Endpoint:
    """Build an endpoint that takes JSON from callers with the INGEST_TOKEN, and answers with counts after the commit.

    The answer is 207 if some rows were refused, and 422 if nothing was stored: all rows are wrong, or one is with `?strict=true`.
    """

    def parse_and_register(body: bytes, *, strict: bool) -> Response:
        try:
            parsed = json.loads(body)
        except (ValueError, RecursionError) as problem:
            raise UserError("payload.not_json", "The body is not JSON.") from problem
        try:
            with transaction(engine, limits=INGEST) as session:
                counts = register(session, parsed, strict=strict)
        except RowsRefused as refused:
            rows = [asdict(row) for row in refused.refused]
            return JSONResponse({"error": refused.sentence, "field": refused.field, "refused": rows}, 422)
        answer = asdict(counts)
        if not counts.refused:
            del answer["refused"]
            return JSONResponse(answer)
        logger.warning("%d rows were refused; the sender was told which", len(counts.refused))
        return JSONResponse(answer, 207)

    async def endpoint(request: Request) -> Response:
        check_token(settings, request, refusals)
        strict = _STRICT.get(request.query_params.get("strict", "false").lower())
        if strict is None:
            raise HttpError(400, "Write strict=true or strict=false.", field="strict")
        body = await read_body(request, max_bytes=max_bytes)
        return await to_thread.run_sync(partial(parse_and_register, body, strict=strict), limiter=threads)

    return endpoint


def check_token(settings: Settings, request: Request, refusals: RefusalCounter) -> None:
    """Refuse a caller without the INGEST_TOKEN.

    Raises:
        HttpError: 401, or 404 where no token is set.
    """
    secret = settings.secret("ingest_token")
    if secret is None:
        refusals.add(MESSENGER, "INGEST_TOKEN is not set")
        raise HttpError(404, "INGEST_TOKEN is not set here, so nothing can be registered.")
    if not has_bearer(request, secret):
        refusals.add(MESSENGER, "wrong INGEST_TOKEN; set the same one here and there")
        raise HttpError(401, "Send the INGEST_TOKEN: `Authorization: Bearer ...`.", challenge="Bearer")
