"""Upgrade a database to the newest revision. `cleanup-bot migrate` does it for a district, every command for an embedded database.

A revision is frozen: it holds its own SQL and imports nothing of the product. Its number is the start of its file name.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, text

from bot.db.session import autocommit_engine

if TYPE_CHECKING:
    from alembic.config import Config

VERSIONS = Path(__file__).parent / "versions"


def alembic_config(url: str = "") -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(VERSIONS.parent))
    config.attributes["url"] = url
    return config


def upgrade_database(url: str) -> None:
    """Upgrade the database at `url` to the newest revision; wait while another process does the same."""
    from alembic import command

    command.upgrade(alembic_config(url), "head")


def is_database_current(engine: Engine) -> bool:
    """Return whether the database is at the newest revision."""
    # Every command asks. Importing Alembic for it would take longer than the answer.
    newest = max(path.name for path in VERSIONS.glob("*.py"))[:4]
    with autocommit_engine(engine).connect() as connection:
        if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return False
        return connection.scalars(text("SELECT version_num FROM alembic_version")).all() == [newest]
