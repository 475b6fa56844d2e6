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
from starlette.routing import Route

from bot.app import freeze_garbage_collector
from bot.errors import UserError
from bot.settings import Settings
from bot.web.connections import BACKLOG, KEEP_ALIVE_SECONDS, DeadlineProtocol, max_connections
from bot.web.health import liveness, metrics_endpoint, readiness_endpoint
from bot.web.ingest import mass_messages_endpoint, opt_outs_endpoint
from bot.web.log_limit import limit_server_log
from bot.web.receipts import receipts_endpoint
from bot.web.refusals import RefusalCounter
from bot.web.responses import handle_errors
from bot.web.slack import slack_endpoint

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
    mass_messages = mass_messages_endpoint(settings, engine, ingest_threads)
    opt_outs = opt_outs_endpoint(settings, engine, ingest_threads)
    readiness = readiness_endpoint(engine, slack_threads)
    metrics = metrics_endpoint(engine, CapacityLimiter(_METRICS_THREADS))
    return Starlette(
        routes=[
            Route("/slack/events", handle_errors(slack), methods=["POST"]),
            Route("/receipts/{provider}", handle_errors(receipts), methods=["GET", "POST"]),
            Route("/mass-messages", handle_errors(mass_messages), methods=["POST"]),
            Route("/opt-outs", handle_errors(opt_outs), methods=["POST"]),
            Route("/healthz", handle_errors(liveness)),
            Route("/readyz", handle_errors(readiness)),
            Route("/metrics", handle_errors(metrics)),
        ]
    )
