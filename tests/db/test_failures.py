"""Each failure of a real database has its own sentence."""

from contextlib import ExitStack

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.db.engine import build_engine
from bot.db.failures import explain
from bot.db.session import CommitUnknownError, Limits, transaction

MOST_CONNECTIONS = 11  # One in the pool, and ten in addition.
LIMITS = Limits(statement=0.3, lock=0.1, idle_in_transaction=60)
RAISED = "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{}'; END $$"
FAILURES = {
    "SELECT pg_sleep(30)": "database.slow",
    RAISED.format("55P03"): "database.locked",
    RAISED.format("40P01"): "database.locked",
    RAISED.format("53100"): "database.full",
    RAISED.format("53300"): "database.busy",
    "SET TRANSACTION READ ONLY; CREATE TABLE x ()": "database.read_only",
    "SELECT pg_terminate_backend(pg_backend_pid())": "database.unreachable",
    "SELECT FROM nowhere": "database.old_tables",
    "SELECT missing FROM mass_messages": "database.old_tables",
    "SELECT 1 / 0": None,
}


@pytest.mark.parametrize(("statement", "code"), FAILURES.items())
def test_failed_statement_is_explained(database_url, statement, code):
    engine = build_engine(database_url, limits=LIMITS)
    with pytest.raises(DBAPIError) as failed, transaction(engine) as session:
        session.execute(text(statement))
    engine.dispose()
    assert getattr(explain(failed.value), "code", None) == code


def test_host_without_a_database_is_unreachable():
    with pytest.raises(DBAPIError) as failed:
        build_engine("postgresql://nobody@127.0.0.1:1/nothing").connect()
    assert explain(failed.value).code == "database.unreachable"


def test_exhausted_pool_is_busy(database_url):
    engine = build_engine(database_url, pool_size=1)
    with ExitStack() as connections:
        for _ in range(MOST_CONNECTIONS):
            connections.enter_context(engine.connect())
        with pytest.raises(SQLAlchemyError) as failed:
            engine.connect()
    engine.dispose()
    assert explain(failed.value).code == "database.busy"


def test_lost_commit_does_not_claim_that_nothing_was_saved():
    assert explain(CommitUnknownError()).code == "database.commit_unknown"
