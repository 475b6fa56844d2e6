"""A whole sandbox for tests: on the tests' own PostgreSQL, in its own folder, on a free port."""

from contextlib import contextmanager

from support import postgres_server

from bot.cli import manifest
from bot.sandbox import assembly
from bot.sandbox.panel_api import PanelApi
from bot.sandbox.run import page_routes


@contextmanager
def running_sandbox(folder, *, port=0):
    """The sandbox and its panel; nothing has been synced or sent yet."""
    panels = []

    def extra_routes(sandbox):
        panels.append(PanelApi(sandbox))
        return (*panels[0].routes(), *page_routes())

    with assembly.open_sandbox(
        folder,
        port=port,
        server_url=postgres_server.server_url(),
        database=f"sandbox_{folder.name.replace('-', '_')}",
        manifest=manifest.read(),
        extra_routes=extra_routes,
    ) as sandbox:
        yield sandbox, panels[0]
