"""Transactions, and what is none: statements that stand by themselves, and advisory locks."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache

from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.db.fast_rows import driver_connection

_BEGUN = "begun"


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """A session that commits at the end of the block and rolls back when it raises."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def autocommit_session(engine: Engine) -> Iterator[Session]:
    """A session each of whose statements stands by itself: what one wrote is there for good, and nothing is sent to begin and to
    end it all, which takes as long as two small statements. For whoever only looks.
    """
    with Session(autocommit_engine(engine), expire_on_commit=False) as session:
        yield session
        if _BEGUN in session.info:
            session.commit()  # Rolled back, the driver would forget every statement that it has prepared.


@lru_cache(maxsize=2)
def autocommit_engine(engine: Engine) -> Engine:
    """The same of an engine, for a single statement. Made once: making it takes nearly as long as a small statement."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def set_local(session: Session, setting: str) -> None:
    """Let PostgreSQL plan what follows with this setting, `name = value`, until the transaction ends, which begins here where there is none."""
    driver = driver_connection(session.connection())
    if driver.autocommit and driver.info.transaction_status is TransactionStatus.IDLE:
        session.connection().exec_driver_sql("BEGIN")
        session.info[_BEGUN] = True
    session.execute(text(f"SET LOCAL {setting}"))


@contextmanager
def advisory_lock(engine: Engine, name: str) -> Iterator[Connection | None]:
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
