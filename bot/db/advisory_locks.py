"""Advisory locks by name. `docs/decisions/5-list-lock-order.md` has the order in which a process takes them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.db.session import SYNC, driver_connection

SYNC_LOCK = "roster.sync"


@contextmanager
def advisory_lock(engine: Engine, name: str) -> Iterator[Connection | None]:
    """Yield a connection that holds the lock until the end of the block, or None where another process holds it.

    No transaction is open, however long the block takes; statements have the limits of a sync. Closing the connection, or a
    crash, releases the lock and drops the temporary tables of the connection: at once if the server waits for a statement, and
    within seconds if it is executing one or the machine vanished.
    """
    with engine.connect() as connection:
        connection.detach()
        with connection.begin():
            driver_connection(connection).set_limits(SYNC)
            try_lock = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
            acquired = connection.scalar(try_lock, {"name": name})
        try:
            yield connection if acquired else None
        finally:
            # The server releases the lock of a closed connection only a moment later, when the next process may have asked already.
            with suppress(SQLAlchemyError):
                connection.exec_driver_sql("SELECT pg_advisory_unlock_all()")


def lock_receipts(executor: Session | Connection, message_id: str) -> None:
    """Wait until no receipt of this mass message is being applied, and keep them out until the transaction ends."""
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended('message ' || :message, 0))")
    executor.execute(lock, {"message": message_id})


def lock_cleanup_list(executor: Session | Connection) -> None:
    """Wait for the right to change number status and list membership, until the transaction ends.

    Without it, two bulk changes would lock the same rows in different orders, and one of them would be rolled back: a lost receipt.
    """
    executor.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('cleanup list', 0))"))
