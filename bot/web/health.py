"""What machines ask to know that we are well."""

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot import doctor, metrics
from bot.app import clock
from bot.web.answering import Door


async def alive(_request: Request) -> Response:
    return PlainTextResponse("ok")


def ready(engine: Engine, threads: CapacityLimiter) -> Door:
    """An old SIS is said but keeps nobody from serving: what we hold is still the best there is."""

    async def said(_request: Request) -> Response:
        checks = await to_thread.run_sync(lambda: doctor.ready(engine, now=clock()), limiter=threads)
        is_ready = all(check.ok for check in checks if check.name != "SIS")
        lines = {check.name: check.said for check in checks}
        return JSONResponse({"ready": is_ready, **lines}, 200 if is_ready else 503)

    return said


def counts(engine: Engine, threads: CapacityLimiter) -> Door:
    async def said(_request: Request) -> Response:
        lines = await to_thread.run_sync(metrics.lines, engine, limiter=threads)
        return PlainTextResponse(lines, media_type="text/plain; version=0.0.4")

    return said
