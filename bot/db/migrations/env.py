"""Alembic's entry point. An advisory lock lets one process migrate at a time; the others wait and find nothing to do."""

from alembic import context
from sqlalchemy import text

from bot.db.engine import build_engine
from bot.db.models.all_tables import METADATA

engine = build_engine(context.config.attributes["url"])
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=METADATA)
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('migrate', 0))"))
        context.run_migrations()
engine.dispose()
