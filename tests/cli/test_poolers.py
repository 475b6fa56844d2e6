"""An installation with a connection pooler: what it refuses, and which connection each command uses."""

import pytest
from support.command_line import is_one_readable_line
from support.pgbouncer import needs_pgbouncer, pooled

pytestmark = needs_pgbouncer
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.fixture(params=["transaction", "statement"])
def unusable(request, database_url, tmp_path):
    with pooled(database_url, tmp_path, request.param) as url:
        yield url


@pytest.fixture
def session_mode(database_url, tmp_path):
    with pooled(database_url, tmp_path, "session") as url:
        yield url


@pytest.mark.parametrize("command", [["web"], ["clock", "--once"], ["migrate"]], ids=lambda command: command[0])
def test_pooler_in_another_mode_is_refused_at_start(run, slack, unusable, command):
    refused = run(*command, **slack, DATABASE_URL=unusable)
    assert refused.returncode == 1
    assert is_one_readable_line(refused.stderr), refused.stderr
    assert refused.stderr.startswith("DATABASE_URL goes through a connection pooler in transaction mode")


def test_session_mode_serves_a_sync_and_the_clock(run, slack, export, session_mode):
    assert run("migrate", DATABASE_URL=session_mode).returncode == 0
    done = run("clock", "--once", **slack, DATABASE_URL=session_mode, SIS_ONEROSTER_CSV="sis")
    assert done.returncode == 0, done.stderr
    assert "syncs 1" in done.stdout


@pytest.mark.parametrize("command", [["sync", "sis"], ["clock", "--once"], ["migrate"]], ids=lambda command: command[0])
@pytest.mark.usefixtures("export")
def test_direct_url_is_used_for_syncs_locks_and_migrations(run, slack, session_mode, database_url, command):
    urls = {"DATABASE_URL": session_mode, "DATABASE_URL_DIRECT": database_url}
    done = run(*command, **slack, **urls)
    assert done.returncode == 0, done.stderr
    refused = run(*command, **slack, **{**urls, "DATABASE_URL_DIRECT": "mysql://db/x"})
    assert refused.returncode == 1
    assert "DATABASE_URL_DIRECT" in refused.stderr


def test_doctor_names_the_pooler(run, slack, unusable, database_url):
    lines = run("doctor", **slack, DATABASE_URL_DIRECT=unusable).stdout.splitlines()
    assert any(line.startswith("✓ DATABASE_URL ") for line in lines)
    assert any(line.startswith("✗ DATABASE_URL_DIRECT ") and "pooler" in line for line in lines)
