"""Clocks in processes of their own, whose time may be wrong, and ways to block one at a chosen moment.

A process is forked from a server that has imported the product and done nothing else, so it starts in milliseconds.
"""

import multiprocessing
import signal
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from bot import clock
from bot.app import slack_client
from bot.db.engine import build_engine

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["bot.clock"])
TIMEOUT = 60.0
_NO_TIME = timedelta()


def start(settings, *, ahead=_NO_TIME, rounds=1, step=_NO_TIME):
    """Do all due work `rounds` times in a new process, its clock `ahead` of the true time and `step` further each round."""
    process = _processes.Process(target=_run, args=(settings, ahead, rounds, step))
    process.start()
    return process


def _run(settings, ahead, rounds, step):
    engine = build_engine(settings.database_url.get_secret_value())
    client = slack_client(settings)
    failed = []
    for number in range(rounds):
        shift = ahead + number * step
        failed += clock.run_once(settings, engine, client, now=lambda shift=shift: datetime.now(UTC) + shift).failed
    if failed:
        raise SystemExit(f"failed: {failed}")


def finish(process):
    process.join(TIMEOUT)
    assert process.exitcode == 0


def kill(process):
    """End the process with SIGKILL: it cleans up nothing."""
    process.kill()
    process.join(TIMEOUT)
    assert process.exitcode == -signal.SIGKILL


@contextmanager
def hold_locks(engine, statement, **values):
    """Hold the locks that a statement takes until the block ends."""
    with engine.connect() as connection:
        connection.exec_driver_sql("SET LOCAL application_name = 'holding'")
        connection.execute(text(statement), values)
        yield
        connection.rollback()


@contextmanager
def hold_commits(engine, state, *, table="digest_posts"):
    """Block commits of posts in `state` in the middle of the COMMIT until the block ends."""
    with engine.begin() as connection:
        connection.exec_driver_sql("""
            CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1126); RETURN NULL; END $$
        """)
        connection.exec_driver_sql(f"""
            CREATE CONSTRAINT TRIGGER wait_at_commit AFTER UPDATE ON {table} DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW WHEN (NEW.state = '{state}') EXECUTE FUNCTION wait_at_commit()
        """)
    try:
        with hold_locks(engine, "SELECT pg_advisory_xact_lock(1126)"):
            yield
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP FUNCTION wait_at_commit CASCADE")


def wait_for_blocked(engine, processes=1):
    """Wait until so many backends wait for the lock that `hold_locks` holds, and return the process id of one of them.

    Waits for other locks do not count: PostgreSQL's own maintenance takes some for a moment.
    """
    until = time.monotonic() + TIMEOUT
    waiting = text("""
        SELECT waits.pid FROM pg_stat_activity AS waits
        JOIN pg_stat_activity AS holds ON holds.pid = ANY(pg_blocking_pids(waits.pid))
        WHERE holds.datname = current_database() AND holds.application_name = 'holding'
    """)
    while time.monotonic() < until:
        with engine.connect() as connection:
            backends = connection.scalars(waiting).all()
        if len(backends) >= processes:
            return backends[0]
        time.sleep(0.005)
    raise AssertionError("no process waited for the lock")


def break_connection(engine, pid):
    """Break the connection of a backend, so that its open transaction is rolled back."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
