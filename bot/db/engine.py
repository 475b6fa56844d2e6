"""The engine for a PostgreSQL URL."""

import time

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from bot.db import pooler
from bot.db.driver import BATCH, DRIVER_NAME, TCP_LIMITS, Limits
from bot.errors import UserError

OLDEST_POSTGRESQL = 15  # UNIQUE NULLS NOT DISTINCT came with it.


def build_engine(url: str, *, limits: Limits = BATCH, pool_size: int = 15, setting: str = "DATABASE_URL") -> Engine:
    """Return an engine for a `postgresql://` URL, with limits in place of waiting for ever. TCP limits in the URL win over ours.

    `setting` is the name of the URL in an error.

    Raises:
        UserError: it is not the URL of a PostgreSQL database.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as problem:
        sentence = f"{setting} is not a URL. Write postgresql://user:password@host:5432/database."
        raise UserError("database.no_url", sentence) from problem
    backend = parsed.get_backend_name()
    if backend not in {"postgresql", "postgres"}:
        sentence = f"{setting} names {backend}; this program needs PostgreSQL: postgresql://…"
        raise UserError("database.no_postgresql", sentence)
    return create_engine(
        parsed.set(drivername=DRIVER_NAME),
        pool_size=pool_size,
        max_overflow=10,
        pool_timeout=2.5,
        pool_pre_ping=True,
        hide_parameters=True,  # The text of a database error would otherwise carry names and numbers into a log.
        connect_args={name: value for name, value in TCP_LIMITS.items() if name not in parsed.query}
        | {"limits": limits},
    )


def wait_until_ready(engine: Engine, *, seconds: float = 30.0, setting: str = "DATABASE_URL") -> None:
    """Wait for a database that is still starting; `setting` is the name of its URL.

    Raises:
        UserError: it did not answer in time, or a pooler in front of it cannot be used.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except OperationalError as problem:
            if pooler.refuses_transactions(problem):
                break
            if time.monotonic() > deadline:
                sentence = f"The database does not answer. Check {setting} and that PostgreSQL runs."
                raise UserError("database.silent", sentence) from problem
            time.sleep(0.3)
        else:
            break
    pooler.refuse_transaction_pooling(engine, setting=setting)
