"""Migrations are frozen: each revision runs on its own, without today's models, and the last one makes today's tables."""

import ast
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from support.databases import new_database
from support.lock_waits import wait_for_blocked_connections

from bot.db.engine import build_engine
from bot.db.migrations.upgrade import VERSIONS, TablesState, alembic_config, load_tables_state, upgrade_database
from bot.db.models import folding, views
from bot.db.models.all_tables import METADATA
from bot.errors import UserError

REVISIONS = sorted(VERSIONS.glob("*.py"))
TRIGGERS = Path(folding.__file__).with_name("triggers.sql")
# Everything that a schema holds besides the order of its columns, in PostgreSQL's own words; functions without white space.
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
SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function', proname, regexp_replace(
    regexp_replace(pg_get_functiondef(oid), '[0-9a-f]{64}', 'salt'), '\\s+', '', 'g'
)
FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
UNION ALL
SELECT 'unlogged', relname, '' FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relpersistence = 'u'
"""


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
            connection.execute(text(views.CONTACT_IDS))
            connection.execute(text(views.REACHABILITY))
            connection.execute(text(TRIGGERS.read_text(encoding="utf-8")))
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


COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable = 'YES' OR column_default IS NOT NULL OR is_generated = 'ALWAYS'
FROM information_schema.columns WHERE table_schema = 'public'
"""


def test_each_revision_leaves_the_previous_version_working(engine, database_url):
    """The old program serves until it is replaced: what it reads stays, and what it does not write has a default."""
    with new_database(engine, database_url, "expanded") as url:
        command.upgrade(alembic_config(url), "0032")
        before = columns(url)
        for path in [path for path in REVISIONS if path.name > "0033"]:
            command.upgrade(alembic_config(url), path.name[:4])
            after = columns(url)
            tables = {table for table, _ in before}
            assert {name: after.get(name, (None,))[0] for name in before} == {
                name: kind for name, (kind, _) in before.items()
            }, path.name
            unfilled = [name for name, (_, is_filled) in after.items() if name not in before and not is_filled]
            assert [name for name in unfilled if name[0] in tables] == [], path.name
            before = after


def columns(url):
    """Return {(table, column): (type, whether a row may leave it out)}."""
    engine = build_engine(url)
    with engine.connect() as connection:
        found = {(table, column): (kind, filled) for table, column, kind, filled in connection.execute(text(COLUMNS))}
    engine.dispose()
    return found


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


def test_0031_gives_mexican_numbers_one_form_and_loses_no_opt_out(engine, database_url):
    with new_database(engine, database_url, "mexican") as url:
        command.upgrade(alembic_config(url), "0029")
        old = build_engine(url)
        with old.begin() as connection:
            connection.execute(
                text("""
                INSERT INTO phone_numbers (phone, status, opted_out_at, opted_out_by) VALUES
                    ('+5215512345678', 'opt_out', now(), 'twilio'), ('+525512345678', 'blocked', NULL, NULL),
                    ('+5218112345678', 'landline', NULL, NULL), ('+15215512345', 'inactive', NULL, NULL);
                INSERT INTO contacts (sourced_id, given_name, family_name, sis_phone, sis_method)
                VALUES ('c1', 'Rosa', 'Ruiz', '+5215512345678', 'text');
                INSERT INTO mass_messages (id, title) VALUES ('m', 'Snow');
                INSERT INTO deliveries (mass_message_id, contact_sourced_id, phone)
                VALUES ('m', 'c1', '+5215512345678'), ('m', 'c2', '+5215512345678'), ('m', 'c2', '+525512345678')
            """)
            )
        command.upgrade(alembic_config(url), "0031")
        with old.connect() as connection:
            numbers = text("SELECT phone, status, opted_out_at IS NOT NULL FROM phone_numbers ORDER BY phone")
            assert connection.execute(numbers).all() == [
                ("+15215512345", "inactive", False),
                ("+525512345678", "opt_out", True),
                ("+528112345678", "landline", False),
            ]
            assert connection.scalar(text("SELECT sis_phone FROM contacts")) == "+525512345678"
            phones = text("SELECT contact_sourced_id, phone FROM deliveries ORDER BY id")
            assert connection.execute(phones).all() == [
                ("c1", "+525512345678"), ("c2", "+5215512345678"), ("c2", "+525512345678"),
            ]  # fmt: skip
        old.dispose()


def test_alembic_finds_nothing_to_migrate(engine):
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_upgrading_a_current_database_changes_nothing(engine, database_url):
    upgrade_database(database_url)
    assert load_tables_state(engine) is TablesState.CURRENT


@pytest.mark.parametrize(
    ("spoil", "mend", "state"),
    [
        (
            "UPDATE alembic_version SET version_num = '0' || version_num",
            "UPDATE alembic_version SET version_num = substr(version_num, 2)",
            TablesState.OTHER,
        ),
        (
            "UPDATE alembic_version SET version_num = '9' || substr(version_num, 2)",
            "UPDATE alembic_version SET version_num = '0' || substr(version_num, 2)",
            TablesState.NEWER,
        ),
        (
            "ALTER TABLE alembic_version RENAME TO elsewhere",
            "ALTER TABLE elsewhere RENAME TO alembic_version",
            TablesState.OTHER,
        ),
    ],
)
def test_tables_of_another_version_are_recognized(engine, spoil, mend, state):
    for statement, expected in ((spoil, state), (mend, TablesState.CURRENT)):
        with engine.begin() as connection:
            connection.execute(text(statement))
        assert load_tables_state(engine) is expected


def test_migration_lets_others_use_a_table_that_it_waits_for(engine, database_url):
    with new_database(engine, database_url, "in_use") as url, ThreadPoolExecutor() as others:
        command.upgrade(alembic_config(url), "0021")
        used = build_engine(url)
        with used.connect() as reader:
            reader.execute(text("SELECT FROM sync_runs"))
            upgrade = others.submit(upgrade_database, url)
            wait_for_blocked_connections(used)
            started = time.monotonic()
            with used.connect() as other:
                other.execute(text("SELECT FROM sync_runs"))
            assert time.monotonic() - started < 10  # It waits for one second at most.
            assert not upgrade.done()
            reader.rollback()
            assert upgrade.result(60) is TablesState.CURRENT
        used.dispose()


def test_migration_gives_up_on_a_table_that_stays_in_use(engine, database_url):
    with new_database(engine, database_url, "always_in_use") as url:
        command.upgrade(alembic_config(url), "0021")
        used = build_engine(url)
        with used.connect() as reader:
            reader.execute(text("SELECT FROM sync_runs"))
            with pytest.raises(UserError) as error:
                upgrade_database(url, patience=0)
        assert error.value.code == "database.in_use"
        assert load_tables_state(used) is TablesState.OTHER
        used.dispose()


def test_only_rebuildable_tables_are_unlogged(engine):
    with engine.connect() as connection:
        unlogged = connection.execute(text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relpersistence = 'u'"))
        assert set(unlogged.scalars()) == {"known_lines", "heard_requests"}
