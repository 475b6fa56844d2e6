"""A whole sandbox for tests: on the tests' own PostgreSQL, in a folder of its own, on a free port."""

from contextlib import contextmanager
from pathlib import Path

from bot.db.embedded import embedded_url
from bot.sandbox import stage
from bot.sandbox.controls import Controls
from bot.sandbox.run import page_routes


@contextmanager
def a_stage(folder, *, port=0):
    """The stage and its controls; nothing has been synced or sent yet."""
    made = []

    def more(opened):
        made.append(Controls(opened))
        return (*made[0].routes(), *page_routes())

    server = embedded_url(Path(".sandbox") / "tests")
    database = f"sandbox_{folder.name.replace('-', '_')}"
    with stage.opened(folder, port=port, server_url=server, database=database, more=more) as opened:
        yield opened, made[0]
