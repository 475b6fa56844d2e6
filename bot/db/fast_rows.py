"""What is asked all the time, handed to the driver as it stands. SQLAlchemy builds and compiles the statement, once; executing it,
each time, takes it longer than PostgreSQL needs for a small one.
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

logger = logging.getLogger(__name__)


class _Compiler(PGCompiler_psycopg):
    """Values of the statement itself are written into its text, so that only those that have a name are sent each time."""

    def visit_bindparam(self, bindparam: BindParameter[Any], **how: Any) -> Any:  # type: ignore[override]
        how["literal_binds"] = bindparam.unique
        return super().visit_bindparam(bindparam, **how)  # type: ignore[no-untyped-call]


class _Dialect(PGDialect_psycopg):
    statement_compiler = _Compiler


_DIALECT = _Dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
"""With `$1`, as PostgreSQL itself counts values, the driver has nothing to look for in the text."""


class _Compiled(NamedTuple):
    """The text, and the names of its values in order."""

    text: str
    names: tuple[str, ...]


def fetch_rows(
    asked: Session | Connection, statement: ClauseElement, values: Mapping[str, Any] | None = None
) -> list[Any]:
    """The rows of a statement that is built once and kept, each a named tuple of its columns. What a session has not written yet is
    written before, as the ORM does.

    SQLAlchemy translates neither values nor columns: a list that is given is one value, for `any_`, and the statement itself holds
    words, numbers and truth values, no dates. Nor does it see what is sent: a connection has begun its transaction before, or is
    one of `autocommitting`, as otherwise nothing would be committed.

    Raises:
        KeyError: a value was not given.
        DBAPIError: whatever SQLAlchemy would raise.
    """
    if isinstance(asked, Session):
        asked.flush()
    connection = asked.connection() if isinstance(asked, Session) else asked
    compiled, given = _compiled(statement), values or {}
    driver = driver_connection(connection)
    try:
        cursor = psycopg.RawCursor(driver, row_factory=namedtuple_row)
        found = cursor.execute(compiled.text, [given[name] for name in compiled.names]).fetchall()
    except psycopg.Error as problem:
        _notice(connection)
        raise _as_sqlalchemy(connection, compiled.text, problem) from problem
    logger.debug(compiled.text)
    return found


def driver_connection(connection: Connection) -> psycopg.Connection:
    """The driver's own."""
    return cast("psycopg.Connection", connection.connection.dbapi_connection)


@lru_cache(maxsize=1_000)
def _compiled(statement: ClauseElement) -> _Compiled:
    compiled = cast("SQLCompiler", statement.compile(dialect=_DIALECT))
    return _Compiled(str(compiled), tuple(compiled.positiontup or ()))


def _notice(connection: Connection) -> None:
    """If the other end is gone, let SQLAlchemy find that out by itself: it replaces all that are as old, and opens no more of them."""
    if driver_connection(connection).closed:
        with suppress(DBAPIError):
            connection.exec_driver_sql("SELECT 1")


def _as_sqlalchemy(connection: Connection, statement: str, problem: psycopg.Error) -> BaseException:
    raised = DBAPIError.instance(
        *(statement, None, problem, psycopg.Error),
        hide_parameters=True,
        connection_invalidated=connection.invalidated,
        dialect=connection.dialect,
    )
    return cast("BaseException", raised)
