"""The web application: Slack, SMS providers, the sender of mass messages, and health.

No request is trusted before its signature or token is checked, no body is logged, and no work runs on the event loop.
"""

import socket
from contextlib import suppress

import uvicorn
from anyio import CapacityLimiter
from slack_bolt import App
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.app import freeze_garbage_collector
from bot.errors import UserError
from bot.settings import Settings
from bot.web.connections import BACKLOG, KEEP_ALIVE_SECONDS, DeadlineProtocol, max_connections
from bot.web.health import liveness, readiness_endpoint
from bot.web.ingest import mass_messages_endpoint, opt_outs_endpoint
from bot.web.log_limit import limit_server_log
from bot.web.metrics import metrics_endpoint
from bot.web.receipts import receipts_endpoint
from bot.web.refusals import RefusalCounter
from bot.web.responses import Endpoint, measured
from bot.web.results import results_endpoint, undo_endpoint
from bot.web.slack import slack_endpoint
from bot.web.wrong_address import answer_wrong_address

_HOST = "0.0.0.0"  # noqa: S104 - the proxy in front of it may run on another machine.
_SHUTDOWN_SECONDS = 20
# Threads of each kind of caller, so that none waits for another kind. Together with Bolt's five threads for lazy listeners and
# one that counts refusals, those that use the database are no more than its connections; those that fetch from providers use none.
_SLACK_THREADS, _RECEIPT_THREADS, _INGEST_THREADS, _METRICS_THREADS = 12, 3, 2, 1
_FETCH_THREADS = 2


def serve(settings: Settings, engine: Engine, bolt: App) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish requests in progress (at most 20 s).

    Raises:
        UserError: the port is taken or not permitted.
    """
    try:
        socket.create_server((_HOST, settings.port)).close()
    except OSError as problem:
        sentence = f"Port {settings.port} cannot be used: {problem.strerror}. Set PORT to another."
        raise UserError("web.port_unavailable", sentence) from problem
    config = server_config(create_web_app(settings, engine, bolt), settings.port)
    limit_server_log()
    freeze_garbage_collector()
    with suppress(KeyboardInterrupt):  # uvicorn raises it again when it has finished.
        uvicorn.Server(config).run()


def server_config(application: Starlette, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        host=_HOST,
        port=port,
        http=DeadlineProtocol,
        ws="none",
        lifespan="off",
        proxy_headers=False,  # It would accept them from any local process; `receipts` reads them, from TRUSTED_PROXIES.
        log_config=None,
        access_log=False,
        limit_concurrency=max_connections(),
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )


def create_web_app(settings: Settings, engine: Engine, bolt: App) -> Starlette:
    """Build the web application. It expects a migrated database; `/readyz` reports whether it is."""
    refusals = RefusalCounter(engine)
    slack_threads = CapacityLimiter(_SLACK_THREADS)
    slack = slack_endpoint(settings, engine, bolt, threads=slack_threads, refusals=refusals)
    receipts = receipts_endpoint(
        settings,
        engine,
        threads=CapacityLimiter(_RECEIPT_THREADS),
        fetch_threads=CapacityLimiter(_FETCH_THREADS),
        refusals=refusals,
    )
    ingest_threads = CapacityLimiter(_INGEST_THREADS)
    mass_messages = mass_messages_endpoint(settings, engine, ingest_threads, refusals)
    opt_outs = opt_outs_endpoint(settings, engine, ingest_threads, refusals)
    results = results_endpoint(settings, engine, ingest_threads, refusals)
    undo_results = undo_endpoint(settings, engine, ingest_threads, refusals)
    readiness = readiness_endpoint(settings, engine, slack_threads)
    metrics = metrics_endpoint(settings, engine, CapacityLimiter(_METRICS_THREADS))

    async def not_found(request: Request, _error: Exception) -> Response:
        return answer_wrong_address(request, refusals)

    return Starlette(
        routes=[
            *_with_slash("/slack/events", slack, "POST"),
            *_with_slash("/receipts/{provider}", receipts, "GET", "POST"),
            *_with_slash("/mass-messages", mass_messages, "POST"),
            *_with_slash("/opt-outs", opt_outs, "POST"),
            *_with_slash("/results", results, "PUT"),
            *_with_slash("/results/{id:int}", undo_results, "DELETE"),
            Route("/healthz", liveness),
            Route("/readyz", measured("/readyz", readiness)),
            Route("/metrics", measured("/metrics", metrics)),
        ],
        exception_handlers={404: not_found},
    )


def _with_slash(path: str, endpoint: Endpoint, *methods: str) -> list[Route]:
    """Serve an address also with a slash at its end: callers do not follow a redirect, or do not sign the request again."""
    served = measured(path, endpoint)
    return [Route(spelling, served, methods=methods) for spelling in (path, f"{path}/")]
