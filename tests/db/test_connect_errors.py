"""Each way in which a real server refuses us has its own sentence, at once where waiting changes nothing."""

import re
import time

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from support.tcp_proxy import serve_proxy

from bot.db.connect_errors import describe_problem
from bot.db.engine import build_engine, wait_until_ready
from bot.db.migrations.upgrade import upgrade_database
from bot.errors import UserError


def code_of(url, *, seconds=0.1):
    engine = build_engine(url)
    with pytest.raises(UserError) as refused:
        wait_until_ready(engine, seconds=seconds)
    engine.dispose()
    assert "DATABASE_URL" in refused.value.sentence or refused.value.code == "database.too_many_connections"
    return refused.value.code


@pytest.fixture
def server(engine, database_url):
    """Return the URL of the tests' server with another user or database, and run statements there as its owner."""

    def url(user=None, database=None):
        changed = database_url.replace(f"/{engine.url.database}?", f"/{database}?") if database else database_url
        return re.sub("//[^/@]*@", f"//{user}:@", changed) if user else changed

    return url


@pytest.fixture
def weak_user(engine):
    """A user who may log in once at a time, and nothing else."""
    admin = engine.execution_options(isolation_level="AUTOCOMMIT")
    name = f"weak_{engine.url.database}"
    with admin.connect() as connection:
        connection.execute(text(f'CREATE ROLE "{name}" LOGIN CONNECTION LIMIT 3'))
        yield name
        connection.execute(text(f'DROP OWNED BY "{name}"'))
        connection.execute(text(f'DROP ROLE "{name}"'))


def test_nothing_there_is_said_to_be_so(server):
    assert code_of(server(database="nowhere")) == "database.no_database"
    assert code_of(server(user="stranger")) == "database.no_role"
    assert code_of("postgresql://nobody@127.0.0.1:1/x") == "database.refused"
    assert code_of("postgresql://nobody@no.such.host.invalid/x") == "database.unknown_host"


@pytest.mark.parametrize("option", ["pgbouncer=true", "schema=public"])
def test_option_of_another_program_is_named(database_url, option):
    engine = build_engine(f"{database_url}&{option}")
    with pytest.raises(UserError, match=option.partition("=")[0]) as refused:
        wait_until_ready(engine)
    assert refused.value.code == "database.unknown_option"


def test_what_waiting_does_not_change_is_said_at_once(server):
    start = time.monotonic()
    assert code_of(server(database="nowhere"), seconds=30) == "database.no_database"
    assert time.monotonic() - start < 10


def test_server_without_a_free_connection(server, weak_user):
    engine = build_engine(server(user=weak_user))
    connections = [engine.connect() for _ in range(3)]
    assert code_of(server(user=weak_user)) == "database.too_many_connections"
    for connection in connections:
        connection.close()
    engine.dispose()


def test_user_who_may_not_create_tables(engine, server, weak_user):
    admin = engine.execution_options(isolation_level="AUTOCOMMIT")
    name = f"{engine.url.database}_owned"
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    with pytest.raises(UserError, match="GRANT ALL ON SCHEMA public") as refused:
        upgrade_database(server(user=weak_user, database=name))
    assert refused.value.code == "database.no_right"
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('FATAL:  password authentication failed for user "bot"', "password"),
        ("fe_sendauth: no password supplied", "password"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.7", user "bot", database "x", no encryption', "tls_required"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.7", user "bot", database "x", SSL encryption', "not_let_in"),
        ("server does not support SSL, but SSL was required", "no_tls"),
        ("SSL error: certificate verify failed", "certificate"),
        ("FATAL:  the database system is starting up", "starting"),
        ("FATAL:  etwas anderes", "silent"),
    ],
)
def test_words_of_servers_that_are_not_here(said, code):
    problem = OperationalError(None, None, psycopg.OperationalError(f"connection failed: {said}"))
    assert describe_problem(problem).code == f"database.{code}"


def test_second_host_of_a_url_is_used_where_the_first_is_down(database_url):
    with serve_proxy(database_url) as proxy:
        engine = build_engine(f"{proxy.url.replace('127.0.0.1:', '127.0.0.1:1,127.0.0.1:')}?connect_timeout=2")
        wait_until_ready(engine)
        engine.dispose()
