"""HTTP: what Slack, SMS providers and the sender of mass messages call, and what machines ask to know that we are well.

Nothing is believed before its signature or token is checked, no body reaches a log, and no work runs on the event loop.
"""

import socket

import uvicorn
from anyio import CapacityLimiter
from slack_bolt import App
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.routing import Route

from bot.app import freeze_garbage_collector
from bot.errors import UserError
from bot.settings import Settings
from bot.web import health
from bot.web.ingest import mass_messages_endpoint, opt_outs_endpoint
from bot.web.receipts import receipts_endpoint
from bot.web.responses import handle_errors
from bot.web.slack import slack_endpoint

_HOST = "0.0.0.0"  # noqa: S104 - the proxy in front of it stands on another machine.
_DRAIN_SECONDS = 20
_SLACK_THREADS, _OTHER_THREADS = 12, 6
"""Together with the five in which Bolt does what nobody waits for, fewer than there are database connections."""


def serve(settings: Settings, engine: Engine, bolt: App) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish what is under way (at most 20 s).

    Raises:
        UserError: the port is taken or may not be used.
    """
    try:
        socket.create_server((_HOST, settings.port)).close()
    except OSError as problem:
        raise UserError(
            "web.port_taken", f"Port {settings.port} cannot be used: {problem.strerror}. Set PORT to another."
        ) from problem
    served = create_web_app(settings, engine, bolt)
    freeze_garbage_collector()
    uvicorn.run(
        served,
        host=_HOST,
        port=settings.port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )


def create_web_app(settings: Settings, engine: Engine, bolt: App) -> Starlette:
    """The web application. It expects a migrated database; `/readyz` says whether it is one."""
    threads = CapacityLimiter(_OTHER_THREADS)
    by_slack = slack_endpoint(settings, engine, bolt, CapacityLimiter(_SLACK_THREADS))
    by_providers = receipts_endpoint(settings, engine, threads)
    by_sender = mass_messages_endpoint(settings, engine, threads)
    by_district = opt_outs_endpoint(settings, engine, threads)
    return Starlette(
        routes=[
            Route("/slack/events", handle_errors(by_slack), methods=["POST"]),
            Route("/receipts/{provider}", handle_errors(by_providers), methods=["GET", "POST"]),
            Route("/mass-messages", handle_errors(by_sender), methods=["POST"]),
            Route("/opt-outs", handle_errors(by_district), methods=["POST"]),
            Route("/healthz", handle_errors(health.liveness)),
            Route("/readyz", handle_errors(health.readiness(engine, threads))),
            Route("/metrics", handle_errors(health.metrics_endpoint(engine, threads))),
        ]
    )
