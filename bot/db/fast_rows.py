"""A fast path for the few statements that every command runs: who asks, and the page of the list.

SQLAlchemy builds and compiles such a statement once; the driver executes it directly. SQLAlchemy's own execution takes about
0.3 ms a statement, which is longer than PostgreSQL needs, and makes up a third of a command (`tests/bench/bench_slack.py`).
Everything else uses plain `session.execute`.
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple, cast

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import BindParameter, ClauseElement, Connection
from sqlalchemy.dialects.postgresql.psycopg import PGCompiler_psycopg, PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

from bot.db.driver import LimitedConnection

logger = logging.getLogger(__name__)


class _Compiler(PGCompiler_psycopg):
    """Writes anonymous values of a statement into its text, so that only named parameters are sent each time."""

    def visit_bindparam(self, bindparam: BindParameter[Any], **options: Any) -> Any:  # type: ignore[override]
        options["literal_binds"] = bindparam.unique
        return super().visit_bindparam(bindparam, **options)  # type: ignore[no-untyped-call]


class _Dialect(PGDialect_psycopg):
    statement_compiler = _Compiler


# With `$1`, as PostgreSQL itself numbers parameters, the driver need not search the text for placeholders.
_DIALECT = _Dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


class _Compiled(NamedTuple):
    """The SQL text, and the names of its parameters in order."""

    text: str
    names: tuple[str, ...]


def fetch_rows(
    executor: Session | Connection, statement: ClauseElement, params: Mapping[str, Any] | None = None
) -> list[Any]:
    """Return the rows of a statement that is built once and kept, as named tuples of its columns.

    Values and columns are not converted: a list is one value, for `any_`, and literals in the statement are texts, numbers, and
    booleans only. The connection must be in a transaction, or in autocommit mode, as SQLAlchemy does not see the statement and
    begins none. A session is flushed first, as the ORM does.

    Raises:
        KeyError: a parameter is missing.
        DBAPIError: as SQLAlchemy would raise it.
    """
    if isinstance(executor, Session):
        executor.flush()
    connection = executor.connection() if isinstance(executor, Session) else executor
    compiled, values = _compile(statement), params or {}
    driver = driver_connection(connection)
    try:
        cursor = psycopg.RawCursor(driver, row_factory=namedtuple_row)
        rows = cursor.execute(compiled.text, [values[name] for name in compiled.names]).fetchall()
    except psycopg.Error as problem:
        _invalidate_closed(connection)
        raise _as_sqlalchemy(connection, compiled.text, problem) from problem
    logger.debug(compiled.text)
    return rows


def driver_connection(connection: Connection) -> LimitedConnection:
    """Return the psycopg connection below SQLAlchemy's."""
    return cast("LimitedConnection", connection.connection.dbapi_connection)


@lru_cache(maxsize=1_000)
def _compile(statement: ClauseElement) -> _Compiled:
    compiled = cast("SQLCompiler", statement.compile(dialect=_DIALECT))
    return _Compiled(str(compiled), tuple(compiled.positiontup or ()))


def _invalidate_closed(connection: Connection) -> None:
    """Let SQLAlchemy run into a closed connection itself: it then replaces every connection of the pool that is as old."""
    if driver_connection(connection).closed:
        with suppress(DBAPIError):
            connection.exec_driver_sql("SELECT 1")


def _as_sqlalchemy(connection: Connection, statement: str, problem: psycopg.Error) -> BaseException:
    error = DBAPIError.instance(
        *(statement, None, problem, psycopg.Error),
        hide_parameters=True,
        connection_invalidated=connection.invalidated,
        dialect=connection.dialect,
    )
    return cast("BaseException", error)
