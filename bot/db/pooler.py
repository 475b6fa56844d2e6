"""Detect a connection pooler that gives each transaction another connection of the server.

Prepared statements, advisory locks, temporary tables, and limits belong to a connection of the server. Where a pooler swaps it
between transactions (`pool_mode = transaction` or `statement` in PgBouncer), one request would run the statements of another.
"""

from contextlib import ExitStack

from psycopg.errors import ProtocolViolation
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from bot.db.session import autocommit_engine, driver_connection
from bot.errors import UserError

POOLING_SENTENCE = (
    "goes through a connection pooler in transaction mode, which mixes the statements of different requests. Use its session "
    "mode (PgBouncer: pool_mode = session), or connect to PostgreSQL directly."
)
_PID = text("SELECT pg_backend_pid()")
_OTHERS = 3


def refuse_transaction_pooling(engine: Engine, *, setting: str = "DATABASE_URL") -> None:
    """Check the connections of an engine; `setting` is the name of its URL.

    Raises:
        UserError: there is a pooler, and it does not keep a connection of the server for each of ours.
    """
    if is_pooled_by_transaction(engine):
        raise UserError("database.transaction_pooling", f"{setting} {POOLING_SENTENCE}")


def is_pooled_by_transaction(engine: Engine) -> bool:
    """Return whether two of our open connections share one of the server, or one of ours moves."""
    with ExitStack() as stack:
        try:
            ours = stack.enter_context(autocommit_engine(engine).connect())
            backend = ours.scalar(_PID)
            # A pooler makes up the process id that it gives to a client when that logs in.
            if driver_connection(ours).info.backend_pid == backend:
                return False
            others = [_backend_in_transaction(stack.enter_context(engine.connect())) for _ in range(_OTHERS)]
            return backend in others or ours.scalar(_PID) != backend
        except OperationalError as problem:
            # Otherwise no further connection is free, so ours keeps its own.
            return refuses_transactions(problem)


def refuses_transactions(problem: DBAPIError) -> bool:
    """Return whether this is the error of PgBouncer's `pool_mode = statement`."""
    return isinstance(problem.orig, ProtocolViolation)


def _backend_in_transaction(connection: Connection) -> int:
    """Return the server's process id in a transaction that stays open, so that a pooler cannot give it to others."""
    connection.detach()  # It is closed at the end, with its short limit.
    driver_connection(connection).answer_seconds = 3
    return int(connection.scalar(_PID) or 0)
