"""Connection poolers: session mode works, other modes are detected, whatever else uses the pool."""

import pytest
from sqlalchemy import text
from support.pgbouncer import needs_pgbouncer, pooled
from support.sis_nights import Nights

from bot.db.advisory_locks import advisory_lock
from bot.db.engine import build_engine
from bot.db.pooler import is_pooled_by_transaction, refuse_transaction_pooling
from bot.db.session import INTERACTIVE, transaction
from bot.errors import UserError

MODES = {"session": False, "transaction": True, "statement": True}


@pytest.fixture
def pool(database_url, tmp_path):
    """Build an engine on a pooler of that mode."""
    contexts, engines = [], []

    def build(mode, **settings):
        contexts.append(pooled(database_url, tmp_path, mode, **settings))
        engines.append(build_engine(contexts[-1].__enter__(), limits=INTERACTIVE))
        return engines[-1]

    yield build
    for engine in engines:
        engine.dispose()
    for context in contexts:
        context.__exit__(None, None, None)


def test_direct_connections_are_not_pooled(engine):
    assert not is_pooled_by_transaction(engine)


@needs_pgbouncer
@pytest.mark.parametrize("round_robin", [0, 1])
@pytest.mark.parametrize(("mode", "is_pooled"), MODES.items())
def test_mode_of_a_pooler_is_detected(pool, mode, is_pooled, round_robin):
    assert is_pooled_by_transaction(pool(mode, server_round_robin=round_robin)) is is_pooled


@needs_pgbouncer
@pytest.mark.parametrize("round_robin", [0, 1])
def test_transaction_mode_is_detected_in_a_warm_pool(pool, round_robin):
    engine = pool("transaction", server_round_robin=round_robin)
    with engine.connect() as first, engine.connect() as second:
        for connection in (first, second):
            connection.execute(text("SELECT 1"))
    assert is_pooled_by_transaction(engine)


@needs_pgbouncer
def test_transaction_mode_is_refused_in_one_sentence(pool):
    with pytest.raises(UserError) as refused:
        refuse_transaction_pooling(pool("transaction"), setting="DATABASE_URL_DIRECT")
    assert refused.value.code == "database.transaction_pooling"
    assert refused.value.sentence.startswith("DATABASE_URL_DIRECT ")


@needs_pgbouncer
def test_limits_apply_behind_session_mode(pool):
    with transaction(pool("session")) as session:
        assert session.scalar(text("SHOW statement_timeout")) == "8s"
        assert session.scalar(text("SHOW timezone")) == "UTC"


@needs_pgbouncer
def test_sync_and_its_lock_work_through_session_mode(pool, empty_database, tmp_path):
    engine = pool("session")
    assert Nights(engine, tmp_path / "export").sync().totals["contacts"] == 2
    with advisory_lock(engine, "roster.sync") as held, advisory_lock(empty_database, "roster.sync") as other:
        assert held is not None
        assert other is None
