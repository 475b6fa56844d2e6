"""`cleanup-bot sandbox`: the district, its Slack and the bot on this machine, with the story of how it got there."""

import logging
import signal
import threading
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from rich.console import Console
from starlette.responses import FileResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot.db.embedded import embedded_url
from bot.sandbox import stage, story
from bot.sandbox.controls import Controls
from bot.sandbox.district import staff
from bot.sandbox.stage import Stage
from bot.sandbox.tour import play

FOLDER = Path(".sandbox")
_PAGE = Path(__file__).parent / "page"


def main(*, port: int = 3000, tour: bool = False, open_browser: bool = False) -> int:
    """Serve the sandbox until Ctrl-C; with `tour`, play the whole path on a free port and end. Gives the exit code.

    Each port has a database and a folder of its own, so that a sandbox on another one is left alone.

    Raises:
        UserError: the port is taken, or there is no PostgreSQL.
    """
    # The terminal tells a story; what goes wrong still interrupts it. Bolt only warns of a token that it is told to ignore.
    for name, level in {None: logging.WARNING, "bot": logging.WARNING, "slack_bolt": logging.ERROR}.items():
        logging.getLogger(name).setLevel(level)
    console = Console()
    if tour:
        return _play(console)
    with suppress(KeyboardInterrupt), _sigterm_like_ctrl_c():
        _serve(console, port, open_browser=open_browser)
    console.print("\nThe sandbox is closed.")
    return 0


def _play(console: Console) -> int:
    """On a database and a folder of its own, so that a sandbox that runs is left alone."""
    with stage.opened(FOLDER / "tour", port=0, server_url=embedded_url(), database="tour", more=lambda _: ()) as opened:
        return play(opened, console)


def _serve(console: Console, port: int, *, open_browser: bool) -> None:
    console.rule(f"[bold]{staff.DISTRICT_NAME}[/], which never was", align="left")
    console.print("Starting PostgreSQL and a clean slate: nothing is kept of an earlier sandbox on this port.\n")
    controls: list[Controls] = []

    def more(opened: Stage) -> Sequence[BaseRoute]:
        controls.append(Controls(opened))
        return (*controls[0].routes(), *page_routes())

    with stage.opened(
        FOLDER / str(port), port=port, server_url=embedded_url(), database=f"sandbox_{port}", more=more
    ) as opened:
        tell(opened, console)
        controls[0].open()
        with stage.ticking(opened):
            _invite(console, opened.url, open_browser=open_browser)
            threading.Event().wait()


def tell(opened: Stage, console: Console) -> None:
    """The story of the start, chapter by chapter."""
    console.print("[bold]1. The student information system is read[/]")
    story.read_sis(opened, console)
    console.print("\n[bold]2. A channel asks for digests[/]")
    story.subscribe(opened, console)
    console.print("\n[bold]3. The first mass message goes out[/]")
    story.send(opened, console)
    console.print("\n[bold]4. Who could not be reached?[/]")
    story.put_away(opened, story.ask(opened, console))
    console.print("\n[bold]5. What the channel reads: counts, never names[/]")
    story.digest(opened, console)


def page_routes() -> tuple[BaseRoute, ...]:
    """The page at `/`, its parts below `/sandbox/page/`."""
    return (
        Route("/", lambda _request: FileResponse(_PAGE / "index.html")),
        Mount("/sandbox/page", StaticFiles(directory=_PAGE)),
    )


def _invite(console: Console, url: str, *, open_browser: bool) -> None:
    console.print(f"\n[bold green]Open {url}[/]   (Ctrl-C stops the sandbox)\n")
    if open_browser:
        webbrowser.open(url)


@contextmanager
def _sigterm_like_ctrl_c() -> Iterator[None]:
    """Both end a story half told, too."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
