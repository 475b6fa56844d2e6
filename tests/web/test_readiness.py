"""Each readiness check on a real database with that fault."""

import os
import subprocess
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from support.tcp_proxy import serve_proxy

from bot.db import outbox
from bot.db.engine import build_engine
from bot.db.models.notices import SyncNotice
from bot.db.models.roster import SyncRun
from bot.sync.notices import claim_notice
from bot.web.readiness import readiness_checks


@pytest.fixture
def ours(database_url, empty_database):
    """An engine with one connection."""
    engine = build_engine(database_url, pool_size=1)
    yield engine
    engine.dispose()


def problems(engine, now):
    return [check.name for check in readiness_checks(engine, now=now) if check.ok is False]


def test_empty_database_lacks_only_a_sync(ours, now):
    assert problems(ours, now) == ["SIS"]


def test_database_that_went_silent_is_reported(empty_database, database_url, now):
    with serve_proxy(database_url) as proxy:
        engine = build_engine(proxy.url)
        assert problems(engine, now) == ["SIS"]
        proxy.silence_everything()
        assert problems(engine, now) == ["database"]
        engine.dispose()


@pytest.mark.parametrize(("age", "is_late"), [(timedelta(minutes=4), False), (timedelta(minutes=6), True)])
@pytest.mark.parametrize("state", ["pending", "claimed", "sent"])
def test_overdue_outbox_is_reported(ours, now, age, is_late, state):
    notice = text("""
        WITH run AS (INSERT INTO sync_runs (source, started_at, state) VALUES ('export', :due, 'failed') RETURNING id)
        INSERT INTO sync_notices (sync_run_id, kind, reader, state, due_at)
        SELECT id, 'report', 'a@b.example', :state, :due FROM run
    """)
    with ours.begin() as connection:
        connection.execute(notice, {"due": now - age, "state": state})
    assert ("outbox" in problems(ours, now)) is (is_late and state != "sent")


@pytest.mark.parametrize(("silent_at", "expected"), [(None, []), ("2026-11-24", ["mass messages"])])
def test_last_message_without_receipts_is_reported(ours, now, silent_at, expected):
    message = "INSERT INTO mass_messages (id, title, sent_at, settled_at, silent_at) VALUES (:id, 'Snow', :sent_at, :now, :silent)"
    with ours.begin() as connection:
        older = {"id": "older", "sent_at": now - timedelta(days=2), "now": now, "silent": "2026-11-22"}
        newer = {"id": "newer", "sent_at": now - timedelta(days=1), "now": now, "silent": silent_at}
        connection.execute(text(message), [older, newer])
    assert problems(ours, now) == [*expected, "SIS"]


def test_row_that_is_retried_again_and_again_is_overdue(ours, now):
    with Session(ours) as session:
        run = SyncRun(source="export", started_at=now, state="failed")
        session.add(run)
        session.flush()
        session.add(SyncNotice(sync_run_id=run.id, kind="report", reader="a@b.example", due_at=now))
        session.commit()
        for minute in range(7):
            at = now + timedelta(minutes=minute)
            notice = claim_notice(session, now=at)
            assert outbox.retry(session, notice, due_at=at + timedelta(minutes=1))
            session.commit()
            assert ("outbox" in problems(ours, at)) is (minute >= 5)


def test_disk_that_cannot_be_written_to_is_reported(ours, now):
    """The server process may write files of 64 kB, so that its writes fail as on a full disk."""
    with ours.connect() as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
    limit_files(pid, "65536")
    assert problems(ours, now) == ["disk", "SIS"]
    limit_files(pid, "unlimited")
    assert problems(ours, now) == ["SIS"]


def limit_files(pid, size):
    # As root, the embedded PostgreSQL runs as this user.
    user = "pgserver" if os.geteuid() == 0 else None
    subprocess.run(["prlimit", f"--pid={pid}", f"--fsize={size}:"], user=user, check=True)


def test_limit_of_temporary_files_is_not_a_full_disk(ours, now):
    with ours.connect() as connection:
        connection.execute(text("SET temp_file_limit = '100kB'"))
        connection.commit()
    assert problems(ours, now) == ["SIS"]


def test_read_only_database_is_reported(ours, now):
    with ours.connect() as connection:
        connection.execute(text("SET default_transaction_read_only = on"))
        connection.commit()
    assert problems(ours, now) == ["database"]
