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

from bot.app import freeze
from bot.errors import UserError
from bot.settings import Settings
from bot.web import health, receipts, sender, slack
from bot.web.answering import answering
from bot.wording import say

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
        raise UserError(say("web.port_taken", port=settings.port, why=problem.strerror)) from problem
    served = create(settings, engine, bolt)
    freeze()
    uvicorn.run(
        served,
        host=_HOST,
        port=settings.port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )


def create(settings: Settings, engine: Engine, bolt: App) -> Starlette:
    """The web application. It expects a migrated database; `/readyz` says whether it is one."""
    threads = CapacityLimiter(_OTHER_THREADS)
    by_slack = slack.door(settings, engine, bolt, CapacityLimiter(_SLACK_THREADS))
    by_providers = receipts.door(settings, engine, threads)
    by_sender = sender.of_mass_messages(settings, engine, threads)
    by_district = sender.of_opt_outs(settings, engine, threads)
    return Starlette(
        routes=[
            Route("/slack/events", answering(by_slack), methods=["POST"]),
            Route("/receipts/{provider}", answering(by_providers), methods=["GET", "POST"]),
            Route("/mass-messages", answering(by_sender), methods=["POST"]),
            Route("/opt-outs", answering(by_district), methods=["POST"]),
            Route("/healthz", answering(health.alive)),
            Route("/readyz", answering(health.ready(engine, threads))),
            Route("/metrics", answering(health.counts(engine, threads))),
        ]
    )
