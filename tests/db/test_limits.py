"""Nothing waits for ever: statements, locks, idle transactions, and connections to a database that went silent."""

import time

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from support.clock_processes import hold_locks
from support.tcp_proxy import COMMIT, serve_proxy

from bot.db.engine import build_engine
from bot.db.models.roster import School
from bot.db.session import BATCH, INTERACTIVE, CommitUnknownError, Limits, transaction

SHORT = Limits(statement=0.3, lock=0.1, idle_in_transaction=0.2)
SLEEP = text("SELECT pg_sleep(30)")
SETTINGS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
MOMENT = 20.0  # Seconds: a generous limit for what takes one or a few.


@pytest.fixture
def proxy(database_url):
    with serve_proxy(database_url) as proxy:
        yield proxy


@pytest.fixture
def build():
    """Build engines that are disposed at the end."""
    engines = []

    def build(url, **options):
        engines.append(build_engine(url, **options))
        return engines[-1]

    yield build
    for engine in engines:
        engine.dispose()


def settings_of(session):
    return [session.scalar(text(f"SHOW {name}")) for name in SETTINGS]


def test_slow_statement_ends(build, database_url):
    with transaction(build(database_url, limits=SHORT)) as session, pytest.raises(OperationalError) as slow:
        session.execute(SLEEP)
    assert isinstance(slow.value.orig, psycopg.errors.QueryCanceled)


def test_wait_for_a_lock_ends(build, database_url, empty_database):
    engine = build(database_url, limits=SHORT)
    lock = hold_locks(empty_database, "LOCK TABLE schools")
    with lock, transaction(engine) as session, pytest.raises(OperationalError) as locked:
        session.execute(text("SELECT FROM schools"))
    assert isinstance(locked.value.orig, psycopg.errors.LockNotAvailable)


def test_idle_transaction_ends(build, database_url):
    with build(database_url, limits=SHORT).connect() as connection:
        connection.execute(text("SELECT 1"))
        time.sleep(1)
        with pytest.raises(DBAPIError) as idle:
            connection.execute(text("SELECT 1"))
    assert idle.value.connection_invalidated


def test_limits_of_one_transaction_end_with_it(build, database_url):
    engine = build(database_url, limits=INTERACTIVE)
    with transaction(engine, limits=BATCH) as session:
        assert settings_of(session) == ["15min", "5min", "10min"]
        assert session.connection().connection.answer_seconds == BATCH.answer_seconds
    with transaction(engine) as session:
        assert settings_of(session) == ["8s", "5s", "1min"]
        assert session.connection().connection.answer_seconds == INTERACTIVE.answer_seconds


def test_silent_pooled_connections_are_replaced(build, proxy):
    engine = build(proxy.url, pool_size=3)
    with engine.connect(), engine.connect(), engine.connect():
        pass
    proxy.silence_open_connections()
    started = time.monotonic()
    for _ in range(4):
        with transaction(engine) as session:
            assert session.scalar(text("SELECT 1")) == 1
    assert time.monotonic() - started < MOMENT


def test_statement_on_a_silent_connection_ends(build, proxy):
    with build(proxy.url, limits=SHORT).connect() as connection:
        connection.execute(text("SELECT 1"))
        proxy.silence_open_connections()
        with pytest.raises(OperationalError) as silent:
            connection.execute(text("SELECT 1"))
    assert silent.value.connection_invalidated


def test_connecting_to_a_silent_host_ends(build, proxy):
    proxy.silence_everything()
    with pytest.raises(OperationalError), build(proxy.url).connect():
        pass


def test_limits_in_the_url_win(build, database_url):
    engine = build(f"{database_url}&keepalives_idle=7&connect_timeout=9")
    with engine.connect() as connection:
        parameters = connection.connection.dbapi_connection.info.get_parameters()
    assert (parameters["keepalives_idle"], parameters["connect_timeout"]) == ("7", "9")
    assert parameters["tcp_user_timeout"] == "15000"


def test_query_ends_when_its_client_is_gone(build, database_url, empty_database):
    """The client is a process that was killed: its socket is closed, and nothing is canceled."""
    client = build(database_url).raw_connection()
    client.detach()
    client.pgconn.send_query(b"SELECT pg_sleep(60)")
    pid = client.pgconn.backend_pid
    client.pgconn.finish()
    assert wait_until_gone(empty_database, pid)


def wait_until_gone(engine, pid):
    until = time.monotonic() + MOMENT
    running = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
    while time.monotonic() < until:
        with engine.begin() as connection:
            if connection.scalar(running, {"pid": pid}) == 0:
                return True
        time.sleep(0.1)
    return False


def test_lost_answer_to_a_commit_leaves_its_fate_unknown(build, proxy, empty_database):
    proxy.lost_answer = COMMIT
    with pytest.raises(CommitUnknownError), transaction(build(proxy.url)) as session:
        session.add(School(sourced_id="O1", name="Lincoln"))
    with transaction(empty_database) as session:
        assert session.query(School).count() == 1


def test_refused_commit_has_a_known_fate(empty_database):
    with empty_database.begin() as connection:
        connection.execute(text("ALTER TABLE schools ADD CONSTRAINT x UNIQUE (name) DEFERRABLE INITIALLY DEFERRED"))
    try:
        with pytest.raises(DBAPIError), transaction(empty_database) as session:
            session.add_all([School(sourced_id=number, name="Lincoln") for number in "12"])
        with transaction(empty_database) as session:
            assert session.query(School).count() == 0
    finally:
        with empty_database.begin() as connection:
            connection.execute(text("ALTER TABLE schools DROP CONSTRAINT x"))
