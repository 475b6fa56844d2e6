"""A district in the middle of its work is backed up, restored elsewhere, and goes on there."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select
from support import edits, people
from support import mass_messages as messages
from support.command_line import is_one_readable_line
from support.databases import new_database
from support.digest_stage import kill_at_slack, serve_stage

from bot.access.rights import AccessLevel
from bot.db.engine import build_engine
from bot.db.models.all_tables import METADATA
from bot.db.models.messages import Delivery, Receipt
from bot.db.session import transaction
from bot.mass_messages.receipts import record_receipts

# Unlogged on purpose: empty after a crash, too.
LOST = {"heard_requests", "known_lines"}


@pytest.fixture
def other_url(engine, database_url):
    """The URL of another, empty database."""
    with new_database(engine, database_url, "restored") as url:
        yield url


def rows(engine):
    """Return the number of rows of every table."""
    with engine.connect() as connection:
        tables = [table for table in METADATA.sorted_tables if table.name not in LOST]
        return {table.name: connection.scalar(select(func.count()).select_from(table)) for table in tables}


@pytest.fixture
def stage(session, database_url):
    with serve_stage(session, database_url) as stage:
        yield stage


def test_restored_district_goes_on_without_a_double_post_or_a_lost_row(run, session, stage, other_url, tmp_path):
    carl = people.staff(session, "Carl", "Clerk", email="carl@district.example")
    carl = people.actor_of(carl, level=AccessLevel.DISTRICT)
    otto = people.contact(session, people.student(session), given="Otto")
    edits.change(session, otto, actor=carl, phone="+13125557777")
    record_receipts(session, [messages.a_receipt("early")], now=people.NOW)
    session.commit()
    stage.enqueue()
    # Slack has the post, and the clock was killed before it could store that.
    kill_at_slack(stage, taken=True).release()

    path = tmp_path / "district.backup"
    done = run("backup", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert path.stat().st_mode & 0o077 == 0
    assert run("restore", path, DATABASE_URL=other_url).returncode == 0
    other = build_engine(other_url)
    assert rows(other) == rows(stage.engine)

    restored = replace(
        stage, engine=other, settings=stage.settings.model_copy(update={"database_url": SecretStr(other_url)})
    )
    assert restored.recover() == (1, 0)
    with transaction(other) as elsewhere:
        assert [edit[2] for edit in edits.in_force(elsewhere, otto)] == ["pending"]
        late = messages.a_delivery(otto, provider_id="early")
        messages.register(elsewhere, messages.a_message(late, sent_at=people.NOW), now=people.NOW + timedelta(hours=1))
        assert elsewhere.scalar(select(Delivery.outcome).where(Delivery.provider_id == "early")) == "delivered"
        assert elsewhere.scalar(select(func.count()).where(Receipt.applied_at.is_(None))) == 0
    other.dispose()


def test_nothing_is_overwritten(run, empty_database, tmp_path):
    path = tmp_path / "district.backup"
    assert run("backup", path).returncode == 0
    for command, said in (("backup", "exists already"), ("restore", "not empty")):
        refused = run(command, path)
        assert (refused.returncode, is_one_readable_line(refused.stderr)) == (1, True)
        assert said in refused.stderr
    assert run("restore", tmp_path / "nothing").returncode == 1


def test_file_that_is_no_backup_leaves_the_database_empty(run, empty_database, other_url, tmp_path):
    path = tmp_path / "district.backup"
    path.write_bytes(b"PGDMP, but not really")
    refused = run("restore", path, DATABASE_URL=other_url)
    assert (refused.returncode, is_one_readable_line(refused.stderr)) == (1, True)
    assert "pg_restore failed" in refused.stderr
    folder = run("backup", tmp_path / "missing" / "district.backup")
    assert (folder.returncode, is_one_readable_line(folder.stderr)) == (1, True)
