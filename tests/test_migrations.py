from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from bot import migrations
from bot.models import Base


def test_the_migrations_make_exactly_the_tables_of_the_models(engine):
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_a_migrated_database_is_current_and_migrating_again_changes_nothing(engine, database_url):
    migrations.upgrade(database_url)
    assert migrations.is_current(engine)


def test_only_tables_whose_rows_nobody_misses_after_a_crash_are_not_logged(engine):
    with engine.connect() as connection:
        made = connection.execute(text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relpersistence = 'u'"))
        assert set(made.scalars()) == {"known_lines", "heard_requests"}
