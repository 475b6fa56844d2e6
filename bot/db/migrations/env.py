"""Alembic's entry point. An advisory lock lets one process migrate at a time; the others wait and find nothing to do.

A statement waits one second for a table: everything that needs the table meanwhile would wait behind it. `upgrade_database` tries
again. How long a statement takes once it has its tables is not limited.
"""

from alembic import context
from sqlalchemy import text

from bot.db.engine import build_engine
from bot.db.models.all_tables import METADATA
from bot.db.session import MIGRATION

engine = build_engine(context.config.attributes["url"], limits=MIGRATION)
try:
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=METADATA)
        with context.begin_transaction():
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('migrate', 0))"))
            connection.execute(text(f"SET LOCAL lock_timeout = '{MIGRATION.lock}s'"))
            context.run_migrations()
finally:
    engine.dispose()
