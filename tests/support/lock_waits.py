"""Waiting until another connection waits for a lock."""

import time

from sqlalchemy import text

_TIMEOUT = 60.0
# Of this database alone: tests run beside each other on one server. Maintenance takes locks for a moment.
_WAITING = text("""
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND wait_event_type = 'Lock'
""")


def wait_for_blocked_connections(engine, count=1):
    """Return when so many connections to the engine's database wait for a lock.

    Raises:
        AssertionError: they did not within a minute.
    """
    until = time.monotonic() + _TIMEOUT
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.scalar(_WAITING) < count:
            assert time.monotonic() < until, "no other connection waits for a lock"
            time.sleep(0.01)
