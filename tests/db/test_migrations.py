import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from bot.db.migrations.upgrade import is_database_current, upgrade_database
from bot.db.models.all_tables import METADATA


def test_the_migrations_make_exactly_the_tables_of_the_models(engine):
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_a_migrated_database_is_current_and_migrating_again_changes_nothing(engine, database_url):
    upgrade_database(database_url)
    assert is_database_current(engine)


@pytest.mark.parametrize(
    ("spoil", "mend"),
    [
        (
            "UPDATE alembic_version SET version_num = '0' || version_num",
            "UPDATE alembic_version SET version_num = substr(version_num, 2)",
        ),
        ("ALTER TABLE alembic_version RENAME TO elsewhere", "ALTER TABLE elsewhere RENAME TO alembic_version"),
    ],
)
def test_a_database_of_another_version_or_without_tables_is_not_current(engine, spoil, mend):
    for statement, is_current in ((spoil, False), (mend, True)):
        with engine.begin() as connection:
            connection.execute(text(statement))
        assert is_database_current(engine) is is_current


def test_only_tables_whose_rows_nobody_misses_after_a_crash_are_not_logged(engine):
    with engine.connect() as connection:
        made = connection.execute(text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relpersistence = 'u'"))
        assert set(made.scalars()) == {"known_lines", "heard_requests"}
