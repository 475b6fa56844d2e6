"""Health for machines: liveness (`/healthz`) and readiness (`/readyz`).

`cleanup-bot doctor` runs the readiness checks too. What is wrong is named to everyone, the sentences only to callers with METRICS_TOKEN.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial

from anyio import CapacityLimiter, move_on_after, to_thread
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.app import utc_now
from bot.settings import Settings
from bot.web.metrics import has_metrics_token
from bot.web.readiness import Check, readiness_checks
from bot.web.responses import Endpoint

# How long all of Slack's threads must be taken until that is a problem, and not a busy moment.
_BUSY_SECONDS = 2.0
# One answer serves everyone who asks within this time: the checks write to the database's disk, and anyone may ask.
_ANSWER_SECONDS = 1.0
# They need attention, but this process still does what it can: taking it out of service would not help.
_FOR_WHOM = "For callers with METRICS_TOKEN, and in `cleanup-bot doctor`."
_NEVER_UNREADY = {"SIS", "outbox", "refused requests", "mass messages"}


async def liveness(_request: Request) -> Response:
    return PlainTextResponse("ok")


def readiness_endpoint(
    settings: Settings, engine: Engine, slack_threads: CapacityLimiter, *, now: Callable[[], datetime] = utc_now
) -> Endpoint:
    """Build the endpoint. It has a thread of its own, so that it answers when all others are taken."""
    own_thread, lock = CapacityLimiter(1), asyncio.Lock()
    answered_at, checks = -_ANSWER_SECONDS, list[Check]()

    async def endpoint(request: Request) -> Response:
        nonlocal answered_at, checks
        async with lock:
            if time.monotonic() - answered_at >= _ANSWER_SECONDS:
                run = partial(readiness_checks, engine, now=now(), zone=settings.zone)
                checks = [*await to_thread.run_sync(run, limiter=own_thread), await _check_threads(slack_threads)]
                answered_at = time.monotonic()
        return _answer(checks, with_sentences=has_metrics_token(settings, request))

    return endpoint


def _answer(checks: list[Check], *, with_sentences: bool) -> Response:
    attention = [check.name for check in checks if check.ok is False]
    is_ready = _NEVER_UNREADY.issuperset(attention)
    sentences = {check.name: check.sentence for check in checks} if with_sentences else {"sentences": _FOR_WHOM}
    return JSONResponse({"ready": is_ready, "attention": attention, **sentences}, 200 if is_ready else 503)


async def _check_threads(threads: CapacityLimiter) -> Check:
    with move_on_after(_BUSY_SECONDS):
        async with threads:
            return Check("Slack threads", ok=True, sentence="are free.")
    sentence = f"are all taken ({threads.total_tokens:.0f}), so people wait. Check the database; if it is quick, run another web process."
    return Check("Slack threads", ok=False, sentence=sentence)
