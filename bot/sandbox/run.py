"""`cleanup-bot sandbox`: a made-up district, its Slack and the bot on this machine, after the first steps of a district."""

import logging
import signal
import threading
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from starlette.responses import FileResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot.db.embedded import embedded_url
from bot.sandbox import assembly
from bot.sandbox.assembly import Sandbox
from bot.sandbox.demo import Demo, ShowSync
from bot.sandbox.district import schools
from bot.sandbox.district.slack_workspace import FAMILY_TEXTS
from bot.sandbox.panel_api import PanelApi
from bot.sandbox.tour import run_tour

_FOLDER = Path(".sandbox")
_PAGE = Path(__file__).parent / "page"


def main(
    manifest: dict[str, Any], show_sync: ShowSync, *, port: int = 3000, tour: bool = False, open_browser: bool = False
) -> int:
    """Serve the sandbox until Ctrl-C, or with `tour` run the scripted check on a free port; return the exit code.

    `manifest` is the content of manifest.yaml; `show_sync` runs a sync and prints its report.

    Each port, and the tour, has its own database and folder, so several sandboxes can run at once.

    Raises:
        UserError: the port is taken, or there is no PostgreSQL.
    """
    # The terminal shows the demo, so only warnings are logged. Bolt warns of a token that it should ignore.
    for name, level in {None: logging.WARNING, "bot": logging.WARNING, "slack_bolt": logging.ERROR}.items():
        logging.getLogger(name).setLevel(level)
    console = Console()
    with suppress(KeyboardInterrupt), _sigterm_as_keyboard_interrupt():
        if tour:
            return _run_tour(console, manifest, show_sync)
        _serve(console, port, manifest, show_sync, open_browser=open_browser)
    console.print("\nSandbox stopped.")
    return 0


def page_routes() -> tuple[BaseRoute, ...]:
    """The page at `/`, its files below `/sandbox/page/`."""
    return (
        Route("/", lambda _request: FileResponse(_PAGE / "index.html")),
        Mount("/sandbox/page", StaticFiles(directory=_PAGE)),
    )


def _run_tour(console: Console, manifest: dict[str, Any], show_sync: ShowSync) -> int:
    with assembly.open_sandbox(
        _FOLDER / "tour", port=0, server_url=embedded_url(), database="tour", manifest=manifest
    ) as sandbox:
        return run_tour(Demo(sandbox, console, show_sync))


def _serve(console: Console, port: int, manifest: dict[str, Any], show_sync: ShowSync, *, open_browser: bool) -> None:
    console.rule(f"[bold]{schools.DISTRICT_NAME}[/], a made-up district", align="left")
    console.print("Starting PostgreSQL and an empty database: each start begins from scratch.\n")
    panel: PanelApi | None = None

    def extra_routes(sandbox: Sandbox) -> Sequence[BaseRoute]:
        nonlocal panel
        panel = PanelApi(sandbox)
        return (*panel.routes(), *page_routes())

    with assembly.open_sandbox(
        _FOLDER / str(port),
        port=port,
        server_url=embedded_url(),
        database=f"sandbox_{port}",
        manifest=manifest,
        extra_routes=extra_routes,
    ) as sandbox:
        _first_steps(Demo(sandbox, console, show_sync))
        assert panel  # noqa: S101 - `open_sandbox` has called `extra_routes`.
        panel.start_counting_steps()
        with assembly.running_clock(sandbox):
            console.print(f"\n[bold green]Open {sandbox.url}[/]   (Ctrl-C stops the sandbox)\n")
            if open_browser:
                webbrowser.open(sandbox.url)
            threading.Event().wait()


def _first_steps(demo: Demo) -> None:
    demo.console.print("[bold]1. The first sync reads the student information system[/]")
    demo.sync()
    demo.console.print("\n[bold]2. A channel subscribes to digests[/]")
    demo.subscribe()
    demo.console.print("\n[bold]3. The first mass message is sent[/]")
    demo.send()
    weeks = demo.make_up_history()
    demo.console.print(f"The {weeks} weeks of history before today, in the charts of the Home tab, are made up.")
    demo.console.print("\n[bold]4. The digest in the channel: counts, never names[/]")
    demo.show_digest()
    demo.console.print("\n[bold]5. Which contacts could not be reached?[/]")
    # The page opens with this answer.
    demo.ask(channel=FAMILY_TEXTS)


@contextmanager
def _sigterm_as_keyboard_interrupt() -> Iterator[None]:
    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        # A second one must not end the process before PostgreSQL is stopped, which happens at its exit.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is interrupt:
            signal.signal(signal.SIGTERM, before)
