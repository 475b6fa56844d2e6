"""Sessions: a transaction that commits at its end, or statements that each stand alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from psycopg.pq import TransactionStatus
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot.db.driver import Limits
from bot.db.fast_rows import driver_connection


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
        if limits is None:
            yield session
            _commit(session)
        else:
            with _limited(session, limits):
                yield session
                _commit(session)


def _commit(session: Session) -> None:
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
    with Session(autocommit_engine(engine), expire_on_commit=False) as session:
        yield session
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
