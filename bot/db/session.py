"""Connections on which nothing waits forever, sessions on them, and a fast path for some statements.

The server enforces limits. It cannot end a statement that it never received, and a proxy in between
answers TCP's probes although no server is behind it. So each connection also has `answer_seconds`: if
the server has not answered by then, the connection is closed. A session is a transaction that commits
at its end, or reads in autocommit mode.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row
from sqlalchemy import BindParameter, ClauseElement, Connection, Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGCompiler_psycopg, PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

logger = logging.getLogger(__name__)

DRIVER_NAME = "postgresql+psycopg_with_limits"
CONNECT_SECONDS = 3
PING_SECONDS = 3
# How much longer than the server we wait, so that its own, more precise error comes first.
_GRACE_SECONDS = 2.0
# A peer that vanished is noticed after about 30 s, by both sides; an abandoned statement after 2 s.
TCP_LIMITS = {
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "connect_timeout": CONNECT_SECONDS,
}
_SESSION_SETTINGS = """
SET timezone = 'UTC';
SET jit = off; -- Compiling a query plan would take longer than any of our statements runs.
SET idle_session_timeout = 0; -- A connection that holds a lock may be idle as long as a sync takes.
SET tcp_keepalives_idle = 15;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = 15000;
DO $$ BEGIN
    PERFORM set_config('client_connection_check_interval', '2s', false);
EXCEPTION WHEN invalid_parameter_value THEN NULL; -- The server's operating system cannot tell that a client is gone.
END $$;
"""


@dataclass(frozen=True)
class Limits:
    """Seconds that a statement may run or wait for a lock, and that a transaction may be idle. None: no
    limit.
    """

    statement: float | None
    lock: float | None
    idle_in_transaction: float | None

    @property
    def answer_seconds(self) -> float | None:
        return None if self.statement is None else self.statement + _GRACE_SECONDS

    def as_settings(self) -> dict[str, str]:
        """Return them as PostgreSQL settings, in milliseconds."""
        limits = {
            "statement_timeout": self.statement,
            "lock_timeout": self.lock,
            "idle_in_transaction_session_timeout": self.idle_in_transaction,
        }
        return {name: f"{int((seconds or 0) * 1000)}" for name, seconds in limits.items()}


# A person waits: Slack gives up after three seconds, and people soon after.
INTERACTIVE = Limits(statement=8, lock=5, idle_in_transaction=60)
# A program sends a batch and waits for its commit; it may give up before us, but what it sent counts all the same.
INGEST = Limits(statement=60, lock=60, idle_in_transaction=60)
# Work in bulk, for which no person waits.
BATCH = Limits(statement=15 * 60, lock=5 * 60, idle_in_transaction=10 * 60)
# A statement of a sync reads and writes a whole table; a COPY lasts as long as its source takes to send the rows.
SYNC = Limits(statement=4 * 3600, lock=10 * 60, idle_in_transaction=3600)
# Building an index takes as long as it takes. Waiting for a lock does not: what needs the table would queue behind the migration.
MIGRATION = Limits(statement=None, lock=1, idle_in_transaction=None)


class LimitedConnection(psycopg.Connection[Any]):
    """A connection that is closed if the server does not answer within `answer_seconds`."""

    answer_seconds: float | None = CONNECT_SECONDS

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        try:
            return super().wait(gen, interval, self.answer_seconds if timeout is None else timeout)
        except psycopg.OperationalError as problem:
            # Without a code the error is not the server's: its answer is missing, or the connection broke.
            if problem.sqlstate is None:
                self.close()
            raise

    def set_limits(self, limits: Limits, *, is_local: bool = False) -> None:
        """Apply limits for as long as the connection is open, or `is_local` until the transaction ends.

        After a transaction, the caller resets `answer_seconds`.
        """
        scope = "LOCAL" if is_local else "SESSION"
        settings = [f"SET {scope} {name} = {value}" for name, value in limits.as_settings().items()]
        self.execute("; ".join(settings).encode())
        self.answer_seconds = limits.answer_seconds


class LimitedDialect(PGDialect_psycopg):
    """SQLAlchemy's dialect for psycopg, with these connections; the limits are among the arguments of `connect`."""

    supports_statement_cache = True

    def connect(self, *cargs: Any, **cparams: Any) -> Any:
        limits: Limits = cparams.pop("limits")
        connection = LimitedConnection.connect(*cargs, autocommit=True, **cparams)
        try:
            # Settings in the startup packet, `options`, would be refused by PgBouncer.
            connection.execute(_SESSION_SETTINGS)
            connection.set_limits(limits)
            connection.autocommit = False
        except BaseException:
            connection.close()
            raise
        return connection

    def do_ping(self, dbapi_connection: Any) -> bool:
        answer_seconds = dbapi_connection.answer_seconds
        dbapi_connection.answer_seconds = PING_SECONDS
        try:
            return bool(super().do_ping(dbapi_connection))  # type: ignore[no-untyped-call]
        finally:
            dbapi_connection.answer_seconds = answer_seconds


registry.register("postgresql.psycopg_with_limits", __name__, "LimitedDialect")


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
    """Yield a session for reading, without BEGIN and COMMIT: they take as long as two small statements.

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
    """Apply a PostgreSQL setting, `name = value`, until the transaction ends; begin one if needed."""
    driver = driver_connection(session.connection())
    if driver.autocommit and driver.info.transaction_status is TransactionStatus.IDLE:
        session.connection().exec_driver_sql("BEGIN")
    session.connection().exec_driver_sql(f"SET LOCAL {setting}")


def plan_for_names(session: Session) -> None:
    """Have the following statements planned for the names in them: the generic plan takes seconds for a rare name."""
    set_local(session, "plan_cache_mode = force_custom_plan")


def use_indexes(session: Session) -> None:
    """Have the following statements look rows up by index: the planner counts each lookup as a disk access, and would read whole tables
    that are in memory.
    """
    set_local(session, "random_page_cost = 1.1")


def driver_connection(connection: Connection) -> LimitedConnection:
    """Return the psycopg connection below SQLAlchemy's."""
    return cast("LimitedConnection", connection.connection.dbapi_connection)


class _Compiler(PGCompiler_psycopg):
    """Writes unnamed values of a statement into its text, so that only named parameters are sent."""

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

    For statements that most commands run, such as who asks, what they may see, and a page of the list,
    and for those that return very many rows. SQLAlchemy compiles such a statement once, and the driver
    executes it. SQLAlchemy's own execution takes about 0.3 ms a statement, longer than PostgreSQL
    needs: a third of a command (`tests/bench/bench_slack.py`). All else uses `session.execute`.

    Values and columns are not converted: a list is one value, for `any_`, and literals in the statement
    are texts, numbers, and booleans only. SQLAlchemy does not see the statement and begins no
    transaction, so the connection must be in one, or in autocommit mode. A session is flushed first, as
    by the ORM.

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
