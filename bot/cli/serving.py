"""Commands that set up an installation and run until they are stopped: its three processes, and the sandbox."""

import signal
import sys
from typing import Annotated

import typer

from bot.errors import UserError


def init() -> None:
    """Ask for the settings, check each answer, and write them to .env in this folder."""
    from bot.cli.init import init

    init()


def web() -> None:
    """Serve Slack, delivery receipts, mass messages, and health checks over HTTP."""
    from bot.app import build_bolt_app
    from bot.cli.database import open_database
    from bot.db.session import INTERACTIVE
    from bot.web import server

    config, engine = open_database(limits=INTERACTIVE)
    _exit_cleanly_on_sigterm()
    server.serve(config, engine, build_bolt_app(config, engine))


def health() -> None:
    """Ask the web process of this machine whether it runs, for the health check of a container."""
    from urllib.error import URLError
    from urllib.request import urlopen

    from bot import settings

    url = f"http://127.0.0.1:{settings.load().port}/healthz"
    try:
        with urlopen(url, timeout=3):
            pass
    except (URLError, OSError) as problem:
        raise UserError("health.no_answer", f"{url} does not answer. Is the web process running?") from problem


def clock(
    *, once: Annotated[bool, typer.Option("--once", help="Do all work that is due now, then exit.")] = False
) -> None:
    """Do scheduled work: the nightly sync, final mass messages, digests, downloads."""
    from bot import clock
    from bot.app import slack_client
    from bot.cli.database import open_database, open_direct

    config, engine = open_database()
    direct = open_direct(config, engine)
    client = slack_client(config)
    if not once:
        _exit_cleanly_on_sigterm()
        clock.run_forever(config, engine, client, sync_engine=direct)
        return
    done = clock.run_once(config, engine, client, sync_engine=direct)
    typer.echo(", ".join(f"{name.replace('_', ' ')} {count}" for name, count in done.counts.items()))
    if done.failed:
        failed = ", ".join(name.replace("_", " ") for name in done.failed)
        raise UserError("clock.jobs_failed", f"Failed: {failed}. See the log above for the reason.")


def socket() -> None:
    """Serve Slack over Socket Mode, where Slack cannot reach this machine."""
    from bot.app import build_bolt_app
    from bot.cli.database import open_database
    from bot.db.session import INTERACTIVE
    from bot.web.socket_mode import serve

    config, engine = open_database(limits=INTERACTIVE)
    bolt = build_bolt_app(config, engine)
    _exit_cleanly_on_sigterm()
    serve(config, bolt)


def sandbox(
    *,
    tour: Annotated[bool, typer.Option("--tour", help="Play the whole story without a browser, then exit.")] = False,
    port: Annotated[int, typer.Option(help="The port of the page.", envvar="PORT")] = 3000,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = False,
) -> None:
    """Try everything on this machine: a made-up district and a local Slack, no accounts."""
    try:
        from bot.sandbox import run
    except ModuleNotFoundError as error:
        raise UserError(
            "sandbox.not_installed",
            f"The sandbox needs {error.name}. Install contact-cleanup[sandbox], or run `make sandbox` in a clone.",
        ) from error
    from bot.cli import manifest
    from bot.cli.sync_report import show_sync

    sys.exit(run.main(manifest.read(), show_sync, port=port, tour=tour, open_browser=open_browser))


def _exit_cleanly_on_sigterm() -> None:
    """Turn SIGTERM, with which a platform stops a process, into SystemExit, so that everything open is closed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
