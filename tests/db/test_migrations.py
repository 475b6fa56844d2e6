"""Migrations are frozen: each revision runs on its own, without today's models, and the last one makes today's tables."""

import ast
from contextlib import contextmanager

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from bot.db.engine import build_engine
from bot.db.migrations.upgrade import VERSIONS, alembic_config, is_database_current, upgrade_database
from bot.db.models import folding, views
from bot.db.models.all_tables import METADATA

REVISIONS = sorted(VERSIONS.glob("*.py"))
# Everything that a schema holds besides the order of its columns, in PostgreSQL's own words.
CATALOG = """
SELECT 'column', table_name || '.' || column_name,
       concat_ws(' ', data_type, is_nullable, column_default, is_identity, generation_expression)
FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
UNION ALL
SELECT 'constraint', conname, conrelid::regclass || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conname <> 'alembic_version_pkc' AND contype <> 'n'
UNION ALL
SELECT 'index', indexname, indexdef
FROM pg_indexes WHERE schemaname = 'public' AND indexname <> 'alembic_version_pkc'
UNION ALL
SELECT 'view', viewname, definition FROM pg_views WHERE schemaname = 'public'
UNION ALL
SELECT 'unlogged', relname, '' FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relpersistence = 'u'
"""


@contextmanager
def new_database(engine, database_url, name):
    """The URL of an empty database, dropped at the end."""
    admin = engine.execution_options(isolation_level="AUTOCOMMIT")
    name = f"{engine.url.database}_{name}"
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield database_url.replace(engine.url.database, name)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def catalog(url):
    engine = build_engine(url)
    with engine.connect() as connection:
        found = {tuple(row) for row in connection.execute(text(CATALOG))}
    engine.dispose()
    return found


def test_each_revision_upgrades_alone_and_the_last_makes_the_models(engine, database_url):
    with new_database(engine, database_url, "models") as url:
        models = build_engine(url)
        with models.begin() as connection:
            connection.execute(text(folding.folded_name_sql()))
            METADATA.create_all(connection)
            connection.execute(text(views.CONTACT_REACH))
            connection.execute(text(views.EFFECTIVE_CONTACTS))
        models.dispose()
        expected = catalog(url)
    with new_database(engine, database_url, "revisions") as url:
        for path in REVISIONS:
            command.upgrade(alembic_config(url), path.name[:4])
        migrated = catalog(url)
    assert migrated - expected == set()
    assert expected - migrated == set()


@pytest.mark.parametrize("path", REVISIONS, ids=lambda path: path.name[:4])
def test_no_revision_imports_the_product(path):
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {name.name for name in node.names}
        if isinstance(node, ast.ImportFrom):
            modules.add(f"{'.' * node.level}{node.module or ''}")
    assert [name for name in modules if name.startswith(("bot", "."))] == []


def test_0022_keeps_held_syncs_and_sent_notices(engine, database_url):
    with new_database(engine, database_url, "held") as url:
        command.upgrade(alembic_config(url), "0021")
        old = build_engine(url)
        with old.begin() as connection:
            connection.execute(
                text("""
                INSERT INTO sync_runs (source, started_at, state, frame) VALUES ('export', now(), 'braked', 'hash');
                INSERT INTO sync_notices (sync_run_id, kind, reader, state, due_at)
                SELECT id, 'report', 'a@b.example', 'told', now() FROM sync_runs
            """)
            )
        command.upgrade(alembic_config(url), "0022")
        with old.connect() as connection:
            runs = text(
                "SELECT r.state, layout_hash, n.state FROM sync_runs r JOIN sync_notices n ON n.sync_run_id = r.id"
            )
            assert connection.execute(runs).all() == [("held", "hash", "sent")]
        old.dispose()


def test_alembic_finds_nothing_to_migrate(engine):
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_upgrading_a_current_database_changes_nothing(engine, database_url):
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
def test_a_database_of_another_version_is_not_current(engine, spoil, mend):
    for statement, is_current in ((spoil, False), (mend, True)):
        with engine.begin() as connection:
            connection.execute(text(statement))
        assert is_database_current(engine) is is_current


def test_only_rebuildable_tables_are_unlogged(engine):
    with engine.connect() as connection:
        unlogged = connection.execute(text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relpersistence = 'u'"))
        assert set(unlogged.scalars()) == {"known_lines", "heard_requests"}
