"""Connections on which nothing waits for ever: limits that the server keeps, and one of our own for a server that is silent.

A server cannot end a statement that it never received, and a proxy in between answers TCP's own probes although nothing is behind
it. So each connection also has `answer_seconds`: if the server has not answered by then, the connection is closed.
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

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
    """Seconds that a statement may run, may wait for a lock, and that a transaction may do nothing. None: no limit."""

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
