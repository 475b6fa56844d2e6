"""The database: engines, transactions, rows, and advisory locks. PostgreSQL only, in development too.

With no `DATABASE_URL` an embedded PostgreSQL is started below `.sandbox/`.
"""

from bot.db.driver import rows
from bot.db.embedded import EMBEDDED_FOLDER, embedded_url
from bot.db.engines import OLDEST_POSTGRESQL, engine, wait_until_ready
from bot.db.sessions import alone, autocommit, autocommitting, plan_with, transaction

__all__ = [
    "EMBEDDED_FOLDER",
    "OLDEST_POSTGRESQL",
    "alone",
    "autocommit",
    "autocommitting",
    "embedded_url",
    "engine",
    "plan_with",
    "rows",
    "transaction",
    "wait_until_ready",
]
