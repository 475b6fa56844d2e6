"""The way to PostgreSQL: an engine for its URL, whose connections are asked after a pause whether they are there still."""

import math
import time

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, InvalidatePoolError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from bot.errors import UserError

OLDEST_POSTGRESQL = 15  # UNIQUE NULLS NOT DISTINCT came with it.
_A_MOMENT = 5.0
"""Seconds."""


def build_engine(url: str, *, pool_size: int = 15) -> Engine:
    """An engine for a `postgresql://` URL; times out instead of waiting for ever.

    Raises:
        UserError: the URL is not one of a PostgreSQL database.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as problem:
        raise UserError(
            "database.no_url", "DATABASE_URL is not a URL. Write postgresql://user:password@host:5432/database."
        ) from problem
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise UserError(
            "database.no_postgresql",
            f"DATABASE_URL names {parsed.get_backend_name()}; this program needs PostgreSQL: postgresql://…",
        )
    made = create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=10,
        pool_timeout=2.5,
        hide_parameters=True,  # The text of a database error would otherwise carry names and numbers into a log.
        # Compiling a plan takes longer than any of ours runs.
        connect_args={"connect_timeout": 5, "options": "-c timezone=UTC -c jit=off"},
    )
    _ask_after_a_pause(made)
    return made


def wait_until_ready(engine: Engine, *, seconds: float = 30.0) -> None:
    """Wait for a database that is still starting.

    Raises:
        UserError: nobody answered in time.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except OperationalError as problem:
            if time.monotonic() > until:
                raise UserError(
                    "database.silent", "The database does not answer. Check DATABASE_URL and that PostgreSQL runs."
                ) from problem
            time.sleep(0.3)
        else:
            return


def _ask_after_a_pause(engine: Engine) -> None:
    """A connection that was used a moment ago is taken to be there still; any other is asked first, and replaced if it is not.

    SQLAlchemy would ask each time, three messages back and forth, which takes as long as most of what is asked afterwards.
    """

    @event.listens_for(engine, "checkin")
    def used(_: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def asked(connection: DBAPIConnection, record: ConnectionPoolEntry, _: PoolProxiedConnection) -> None:
        if time.monotonic() - record.info.get("used_at", math.inf) < _A_MOMENT:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as problem:
            raise InvalidatePoolError from problem
