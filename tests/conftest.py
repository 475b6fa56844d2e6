"""Tests run on a real PostgreSQL: one embedded server, one migrated database a worker, emptied before each test."""

from datetime import datetime

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session
from support import leaks, people, postgres_server
from support.empty_tables import empty_tables

from bot.access.rights import AccessLevel
from bot.cleanup_list import vocabulary
from bot.db.engine import build_engine
from bot.db.migrations.upgrade import upgrade_database
from bot.digests import small_groups


@pytest.fixture(scope="session")
def database_url(tmp_path_factory):
    """A fresh database on the embedded server that all test runs of this machine share."""
    server = postgres_server.server_url()
    run = tmp_path_factory.getbasetemp()
    name = "_".join(["test", *run.parts[-2:]]).replace("-", "_")
    admin = build_engine(server).execution_options(isolation_level="AUTOCOMMIT")
    _do_not_wait_for_the_disk(admin)
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    url = server.replace("/postgres?", f"/{name}?")
    upgrade_database(url)
    yield url
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
    admin.dispose()


def _do_not_wait_for_the_disk(admin):
    """Nothing on this server has to survive a power cut."""
    with admin.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("ALTER SYSTEM SET max_wal_size = '256MB'"))  # It is memory.
        connection.execute(text("SELECT pg_reload_conf()"))


@pytest.fixture(scope="session")
def engine(database_url) -> Engine:
    engine = build_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def empty_database(engine):
    people.reset_counter()
    vocabulary.clear_cache()
    empty_tables(engine)
    return engine


@pytest.fixture
def session(empty_database):
    """A session on an empty database; what a test commits, other connections see.

    Its own reads see the list as a commit would leave it.
    """
    with Session(empty_database, expire_on_commit=False) as session:
        event.listen(session, "after_begin", _refresh_listed_students_at_once)
        yield session


def _refresh_listed_students_at_once(_session, _transaction, connection):
    connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


@pytest.fixture
def every_group_counts(monkeypatch):
    """Let digests count groups of any size: a test about a sum needs a few families, not dozens."""
    monkeypatch.setattr(small_groups, "SMALLEST_GROUP", 1)


@pytest.fixture(autouse=True)
def no_private_data_in_logs(request):
    """No test on a database may log a name or a number of a person."""
    if "empty_database" not in request.fixturenames:
        yield
        return
    engine = request.getfixturevalue("empty_database")
    with leaks.captured_log() as lines:
        yield
    private = leaks.PrivateData(engine)
    assert [(line, found) for line in lines if (found := private.find_in(line))] == []


@pytest.fixture
def now() -> datetime:
    return people.NOW


@pytest.fixture
def district(session):
    return people.create_district(session)


@pytest.fixture
def clara(district):
    """The clerk of Lincoln."""
    return people.actor_of(district.clara, level=AccessLevel.SCHOOLS, at=(district.lincoln,))


@pytest.fixture
def dana(district):
    """The data manager, who sees every student."""
    return people.actor_of(district.dana, level=AccessLevel.DISTRICT)
