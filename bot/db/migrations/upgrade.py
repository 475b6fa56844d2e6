"""Upgrade a database to the newest revision. `cleanup-bot migrate` does it for a district, every command for an embedded database.

A revision is frozen: it holds its own SQL and imports nothing of the product. Its number is the start of its file name. It leaves
the previous version of the program working, which serves until it is replaced.
"""

import logging
import re
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

import bot
from bot.db.connect_errors import describe_refusal
from bot.db.engine import build_engine
from bot.db.session import autocommit_engine
from bot.errors import UserError

if TYPE_CHECKING:
    from alembic.config import Config

_VERSION_IS = "contact-cleanup "
logger = logging.getLogger(__name__)

VERSIONS = Path(__file__).parent / "versions"
_RETRY_SECONDS = 3.0


class TablesState(StrEnum):
    """The tables of a database, seen by this version of the program."""

    CURRENT = "current"
    NEWER = "newer"
    OTHER = "other"


def alembic_config(url: str = "") -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(VERSIONS.parent))
    config.attributes["url"] = url
    return config


def upgrade_database(url: str, *, patience: float = 300.0) -> TablesState:
    """Upgrade the database at `url` to the newest revision; a newer one stays as it is.

    Waits while another process does the same. A table in use is tried again for `patience` seconds, because what needs it
    meanwhile would queue behind us.

    Raises:
        UserError: a table stayed in use; nothing was upgraded.
    """
    from alembic import command

    engine = build_engine(url)
    state = load_tables_state(engine)
    engine.dispose()
    if state is not TablesState.OTHER:
        return state
    deadline = time.monotonic() + patience
    while True:
        try:
            command.upgrade(alembic_config(url), "head")
        except DBAPIError as problem:
            if not isinstance(problem.orig, LockNotAvailable | DeadlockDetected):
                if refused := describe_refusal(problem):
                    raise refused from problem
                raise
            if time.monotonic() > deadline:
                sentence = (
                    "Nothing was migrated: another program has been using the tables the whole time, such as a sync or a "
                    "backup. Wait until it ends, then run: cleanup-bot migrate"
                )
                raise UserError("database.in_use", sentence, permanent=False) from problem
            logger.info("a table is in use; the migration is tried again in %.0f s", _RETRY_SECONDS)
            time.sleep(_RETRY_SECONDS)
        else:
            _note_version(url)
            return TablesState.CURRENT


def _note_version(url: str) -> None:
    """Leave the version of the program in the database, for an older program that finds it there."""
    engine = build_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"COMMENT ON TABLE alembic_version IS '{_VERSION_IS}{bot.__version__}'"))
    engine.dispose()


def describe_newer(engine: Engine) -> str:
    """Say that the database belongs to a newer version of the program, and which."""
    with autocommit_engine(engine).connect() as connection:
        note = connection.scalar(text("SELECT obj_description('alembic_version'::regclass)")) or ""
    newer = f" ({note.removeprefix(_VERSION_IS)})" if note.startswith(_VERSION_IS) else ""
    return f"The database is of a newer version{newer} than this program ({bot.__version__})."


def load_tables_state(engine: Engine) -> TablesState:
    # Every command asks. Importing Alembic for it would take longer than the answer.
    newest = max(path.name for path in VERSIONS.glob("*.py"))[:4]
    with autocommit_engine(engine).connect() as connection:
        if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return TablesState.OTHER
        revisions = connection.scalars(text("SELECT version_num FROM alembic_version")).all()
    if revisions == [newest]:
        return TablesState.CURRENT
    is_newer = bool(revisions) and all(re.fullmatch("[0-9]{4}", number) and number > newest for number in revisions)
    return TablesState.NEWER if is_newer else TablesState.OTHER
