"""The steps from an empty database to today's tables, run by `cleanup-bot migrate`; an embedded one is migrated where it is used."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine


def config(url: str = "") -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> None:
    """Bring the database at `url` to the newest step; waits while another process does the same."""
    command.upgrade(config(url), "head")


def is_current(engine: Engine) -> bool:
    """Whether the database stands at the newest step."""
    with engine.connect() as connection:
        here = MigrationContext.configure(connection).get_current_heads()
    return set(here) == set(ScriptDirectory.from_config(config()).get_heads())
