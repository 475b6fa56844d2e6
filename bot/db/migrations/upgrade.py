"""The steps from an empty database to today's tables, run by `cleanup-bot migrate`; an embedded one is migrated where it is used.

They are numbered by the names of their files.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, text

from bot.db.session import autocommit_engine

if TYPE_CHECKING:
    from alembic.config import Config

_HERE = Path(__file__).parent


def alembic_config(url: str = "") -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.attributes["url"] = url
    return config


def upgrade_database(url: str) -> None:
    """Bring the database at `url` to the newest step; waits while another process does the same."""
    from alembic import command

    command.upgrade(alembic_config(url), "head")


def is_database_current(engine: Engine) -> bool:
    """Whether the database stands at the newest step. Every command asks, and Alembic would take longer to load than the answer."""
    newest = max(path.name for path in (_HERE / "versions").glob("*.py"))[:4]
    with autocommit_engine(engine).connect() as connection:
        if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return False
        return connection.scalars(text("SELECT version_num FROM alembic_version")).all() == [newest]
