"""What machines ask to know that we are well."""

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.app import utc_now
from bot.web.metrics import render_metrics
from bot.web.readiness import readiness_checks
from bot.web.responses import Endpoint


async def liveness(_request: Request) -> Response:
    return PlainTextResponse("ok")


def readiness(engine: Engine, threads: CapacityLimiter) -> Endpoint:
    """An old SIS is said but keeps nobody from serving: what we hold is still the best there is."""

    async def said(_request: Request) -> Response:
        checks = await to_thread.run_sync(lambda: readiness_checks(engine, now=utc_now()), limiter=threads)
        is_ready = all(check.ok for check in checks if check.name != "SIS")
        lines = {check.name: check.said for check in checks}
        return JSONResponse({"ready": is_ready, **lines}, 200 if is_ready else 503)

    return said


def metrics_endpoint(engine: Engine, threads: CapacityLimiter) -> Endpoint:
    async def said(_request: Request) -> Response:
        lines = await to_thread.run_sync(render_metrics, engine, limiter=threads)
        return PlainTextResponse(lines, media_type="text/plain; version=0.0.4")

    return said
