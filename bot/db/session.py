"""Sessions: a transaction that commits at its end, or statements that each stand alone; and a fast path for a few statements."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from functools import lru_cache
from typing import Any, cast

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row
from sqlalchemy import BindParameter, ClauseElement, Connection, Engine
from sqlalchemy.dialects.postgresql.psycopg import PGCompiler_psycopg, PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

from bot.db.driver import LimitedConnection, Limits

logger = logging.getLogger(__name__)


class CommitUnknownError(Exception):
    """The connection was lost during a commit, so the changes may have been saved or not."""


@contextmanager
def transaction(engine: Engine, *, limits: Limits | None = None) -> Iterator[Session]:
    """Yield a session that commits at the end of the block and rolls back when it raises.

    `limits` apply instead of those of the engine, until the transaction ends.

    Raises:
        CommitUnknownError: the connection was lost during the commit. After any other error, nothing was saved.
    """
    with Session(engine, expire_on_commit=False) as session:
        session.begin()
        with _limited(session, limits) if limits else nullcontext():
            yield session
            session.flush()
            try:
                session.commit()
            except DBAPIError as problem:
                if problem.connection_invalidated:
                    raise CommitUnknownError from problem
                raise


@contextmanager
def _limited(session: Session, limits: Limits) -> Iterator[None]:
    driver = driver_connection(session.connection())
    before = driver.answer_seconds
    try:
        driver.set_limits(limits, is_local=True)
        yield
    finally:
        driver.answer_seconds = before


@contextmanager
def autocommit_session(engine: Engine) -> Iterator[Session]:
    """Yield a session for reading, without BEGIN and COMMIT, which take as long as two small statements.

    `set_local` opens a transaction in it; that one is committed at the end of the block.
    """
    with autocommit_engine(engine).connect() as connection, Session(connection, expire_on_commit=False) as session:
        yield session
        if session.in_transaction():
            session.commit()  # A rollback would make the driver forget every statement it has prepared.


@lru_cache(maxsize=2)
def autocommit_engine(engine: Engine) -> Engine:
    """Return the engine in autocommit mode. Cached, as making it takes nearly as long as a small statement."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def set_local(session: Session, setting: str) -> None:
    """Apply a PostgreSQL setting, `name = value`, until the transaction ends; begin one where there is none."""
    driver = driver_connection(session.connection())
    if driver.autocommit and driver.info.transaction_status is TransactionStatus.IDLE:
        session.connection().exec_driver_sql("BEGIN")
    session.connection().exec_driver_sql(f"SET LOCAL {setting}")


def driver_connection(connection: Connection) -> LimitedConnection:
    """Return the psycopg connection below SQLAlchemy's."""
    return cast("LimitedConnection", connection.connection.dbapi_connection)


class _Compiler(PGCompiler_psycopg):
    """Writes anonymous values of a statement into its text, so that only named parameters are sent each time."""

    def visit_bindparam(self, bindparam: BindParameter[Any], **options: Any) -> Any:  # type: ignore[override]
        options["literal_binds"] = bindparam.unique
        return super().visit_bindparam(bindparam, **options)  # type: ignore[no-untyped-call]


class _Dialect(PGDialect_psycopg):
    statement_compiler = _Compiler


# With `$1`, as PostgreSQL itself numbers parameters, the driver need not search the text for placeholders.
_DIALECT = _Dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


def fetch_rows(
    executor: Session | Connection, statement: ClauseElement, params: Mapping[str, Any] | None = None
) -> list[Any]:
    """Return the rows of a statement that is built once and kept, as named tuples of its columns.

    For the few statements that every command runs: who asks, and the page of the list. SQLAlchemy builds and compiles such a
    statement once; the driver executes it directly. SQLAlchemy's own execution takes about 0.3 ms a statement, which is longer than
    PostgreSQL needs, and makes up a third of a command (`tests/bench/bench_slack.py`). All else uses plain `session.execute`.

    Values and columns are not converted: a list is one value, for `any_`, and literals in the statement are texts, numbers, and
    booleans only. The connection must be in a transaction, or in autocommit mode, as SQLAlchemy does not see the statement and
    begins none. A session is flushed first, as the ORM does.

    Raises:
        KeyError: a parameter is missing.
        DBAPIError: as SQLAlchemy would raise it.
    """
    if isinstance(executor, Session):
        executor.flush()
        executor = executor.bind if isinstance(executor.bind, Connection) else executor.connection()
    (text, names), values = _compile(statement), params or {}
    driver = driver_connection(executor)
    try:
        cursor = psycopg.RawCursor(driver, row_factory=namedtuple_row)
        rows = cursor.execute(text, [values[name] for name in names]).fetchall()
    except psycopg.Error as problem:
        if driver.closed:
            # SQLAlchemy has to see the closed connection itself: it then replaces every connection of the pool that is as old.
            with suppress(DBAPIError):
                executor.exec_driver_sql("SELECT 1")
        raise DBAPIError.instance(
            *(text, None, problem, psycopg.Error),
            hide_parameters=True,
            connection_invalidated=executor.invalidated,
            dialect=executor.dialect,
        ) from problem
    logger.debug(text)
    return rows


@lru_cache(maxsize=1_000)
def _compile(statement: ClauseElement) -> tuple[str, tuple[str, ...]]:
    """Return the text of a statement, and the names of its parameters in order."""
    compiled = cast("SQLCompiler", statement.compile(dialect=_DIALECT))
    return str(compiled), tuple(compiled.positiontup or ())
