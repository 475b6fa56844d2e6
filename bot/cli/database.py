"""The database that a command works on. An embedded one is migrated on the way, a district's only by `cleanup-bot migrate`."""

import logging

import typer
from sqlalchemy import Engine

from bot import settings
from bot.db import embedded
from bot.db.engine import build_engine, wait_until_ready
from bot.db.migrations.upgrade import TablesState, describe_newer, load_tables_state, upgrade_database
from bot.db.session import BATCH, Limits
from bot.errors import UserError
from bot.settings import Settings

logger = logging.getLogger(__name__)

DIRECT = "DATABASE_URL_DIRECT"


def database_url(config: Settings) -> str:
    """Return the URL of the configured database; without one, start the embedded PostgreSQL and say so on stderr."""
    if config.database_url:
        return config.database_url.get_secret_value()
    url = embedded.embedded_url()
    sentence = f"DATABASE_URL is not set. Using the embedded PostgreSQL in {embedded.EMBEDDED_FOLDER}."
    if config.log_format == "json":
        logger.info(sentence)
    else:
        typer.echo(sentence, err=True)
    return url


def migration_url(config: Settings) -> str:
    """Return the URL to migrate, DATABASE_URL_DIRECT before DATABASE_URL, once its database answers.

    Raises:
        UserError: it does not answer, or is behind a pooler that cannot be used.
    """
    direct = config.database_url_direct
    url, setting = (direct.get_secret_value(), DIRECT) if direct else (database_url(config), "DATABASE_URL")
    engine = build_engine(url, setting=setting)
    wait_until_ready(engine, setting=setting)
    engine.dispose()
    return url


def open_direct(config: Settings, engine: Engine) -> Engine:
    """Return the engine for syncs and their locks: one for DATABASE_URL_DIRECT where that is set, else `engine`.

    Raises:
        UserError: that database does not answer, or is behind a pooler that cannot be used.
    """
    if config.database_url_direct is None:
        return engine
    direct = build_engine(config.database_url_direct.get_secret_value(), setting=DIRECT)
    wait_until_ready(direct, seconds=10, setting=DIRECT)
    return direct


def open_database(*, limits: Limits = BATCH) -> tuple[Settings, Engine]:
    """Load the settings and return them with an engine whose database has the tables of this version, or of a newer one.

    Raises:
        UserError: a setting is invalid, the database does not answer, or it has the tables of an older version.
    """
    config = settings.load()
    if config.log_format == "json":
        from bot.cli.logs import log_as_json

        log_as_json()
    if dsn := config.secret("sentry_dsn"):
        from bot.cli.error_reports import send_errors

        send_errors(dsn)
    url = database_url(config)
    engine = build_engine(url, limits=limits)
    wait_until_ready(engine, seconds=10)
    if config.database_url is None:
        upgrade_database(url)
        return config, engine
    state = load_tables_state(engine)
    if state is TablesState.OTHER:
        raise UserError(
            "database.not_current", "The database does not have the tables of this version. Run: cleanup-bot migrate"
        )
    if state is TablesState.NEWER:
        typer.echo(f"Warning: {describe_newer(engine)} Replace this program soon.", err=True)
    return config, engine
