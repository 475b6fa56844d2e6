"""An export that is the one of the last sync is not read again."""

import os
import time
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from support import edits, people
from support import sis_bundles as bundles
from support.sis_nights import changed
from support.sis_server import serving

from bot.access.rights import AccessLevel
from bot.db.models.roster import Contact, Staff
from bot.sis import bundle
from bot.sync.hold import SyncHeld


def read_again(nights, **options):
    """Sync the unchanged export, on the next night."""
    return nights.read(nights.folder, unless_same=True, **options)


def test_same_export_is_not_read_twice(nights):
    report = read_again(nights)
    assert report.same_as == nights.now - timedelta(days=1)
    assert changed(report) == {}
    assert report.totals == {"students": 2, "contacts": 2, "staff": 3, "teachers": 1, "schools": 2}
    assert report.counts["students"].read == 2
    assert read_again(nights).same_as == nights.now - timedelta(days=1)


def test_unchanged_export_counts_as_a_sync(nights):
    read_again(nights)
    [(last,)] = nights.rows("SELECT max(started_at) FROM sync_runs WHERE state = 'done'")
    assert last == nights.now


def test_export_with_one_changed_letter_is_read(nights):
    nights.user("lea")["familyName"] = "O'Brian"
    report = nights.sync(unless_same=True)
    assert report.same_as is None
    assert changed(report) == {"students": (0, 1, 0)}


def replace_file(file, content, beside):
    beside.write_bytes(content)
    beside.replace(file)


@pytest.mark.parametrize("age", [timedelta(), timedelta(hours=1)], ids=["a moment", "an hour"])
@pytest.mark.parametrize(
    "write", [lambda file, content, _: file.write_bytes(content), replace_file], ids=["over", "in place"]
)
def test_file_of_same_size_and_time_has_its_own_fingerprint(nights, tmp_path, write, age):
    mtime = time.time() - age.total_seconds()
    file = nights.folder / "users.csv"
    for path in nights.folder.iterdir():
        os.utime(path, (mtime, mtime))
    before = bundle.fingerprint(nights.folder)
    assert bundle.fingerprint(nights.folder) == before
    content = file.read_bytes()
    write(file, content.replace(b"O'Brien", b"O'Brian"), tmp_path / "users.csv")
    os.utime(file, (mtime, mtime))
    assert bundle.fingerprint(nights.folder) != before
    write(file, content, tmp_path / "users.csv")
    assert bundle.fingerprint(nights.folder) == before


def test_changed_contacts_overlay_is_read(nights, tmp_path):
    overlay = tmp_path / "contacts.csv"
    overlay.write_text("student id,contact name,phone\nsam,Rosa Rivera,312 555 0188\n")
    assert read_again(nights, contacts=overlay).same_as is None
    assert read_again(nights, contacts=overlay).same_as
    overlay.write_text("student id,contact name,phone\nsam,Rosa Rivera,312 555 0189\n")
    assert read_again(nights, contacts=overlay).same_as is None
    assert read_again(nights).same_as is None


def test_zip_and_folder_have_the_same_fingerprint(nights, tmp_path):
    bundles.write_zip(nights.tables, tmp_path / "small.zip")
    assert nights.read(tmp_path / "small.zip", unless_same=True).same_as


@pytest.mark.parametrize(
    ("table", "row", "column"),
    [("enrollments", 1, "endDate"), ("roles", 1, "endDate"), ("academicSessions", 0, "endDate")],
)
def test_export_is_read_again_when_one_of_its_dates_comes(nights, table, row, column):
    ends = (nights.now + timedelta(days=3)).date()
    nights.tables[table][row][column] = ends.isoformat()
    nights.sync()
    read = [read_again(nights).same_as is None for _ in range(5)]
    assert read == [False, True, False, False, False]


def test_teacher_loses_an_ended_role_despite_the_same_export(nights):
    nights.tables["roles"][1]["endDate"] = (nights.now + timedelta(days=2)).date().isoformat()
    nights.sync()
    roles = "SELECT count(*) FROM staff_roles r JOIN staff s ON s.id = r.staff_id WHERE s.sourced_id = 'clara'"
    assert nights.rows(roles) == [(1,)]
    for _ in range(4):
        read_again(nights)
    assert nights.rows(roles) == [(0,)]


@pytest.mark.parametrize("state", ["failed", "running", "held"])
def test_export_is_read_after_an_incomplete_sync(nights, state):
    with nights.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO sync_runs (source, started_at, state) VALUES ('small', :now, :state)"),
            {"now": nights.now, "state": state},
        )
    assert read_again(nights).same_as is None


def test_held_export_is_read_again_when_confirmed(nights):
    nights.leave("lea", "sam", "joao", "maria")
    nights.tables["users"].clear()
    nights.tables["roles"].clear()
    with pytest.raises(SyncHeld):
        nights.sync(unless_same=True)
    assert read_again(nights, confirm=True).same_as is None
    assert nights.active("students") == set()


def test_new_version_of_the_program_reads_again(nights, monkeypatch):
    monkeypatch.setattr("bot.sync.runs._program_version", lambda: "the next one")
    assert read_again(nights).same_as is None
    assert read_again(nights).same_as


def test_edits_are_counted_as_if_the_export_was_read(nights):
    with Session(nights.engine) as session, session.begin():
        maria = session.scalars(select(Contact).where(Contact.sourced_id == "maria")).one()
        dana = session.scalars(select(Staff).where(Staff.sourced_id == "dana")).one()
        edits.change(session, maria, phone="(312) 555-0199", actor=people.actor_of(dana, level=AccessLevel.DISTRICT))
    skipped, read = read_again(nights), nights.read(nights.folder)
    assert skipped.same_as
    assert skipped.edits == read.edits == {"absorbed": 0, "conflict": 0, "pending": 1}
    assert skipped.totals == read.totals


def test_dry_run_and_manual_run_always_read(nights):
    assert read_again(nights, dry_run=True).same_as is None
    assert nights.read(nights.folder).same_as is None


def test_server_is_always_read(nights):
    with serving(nights.tables, 2) as sis:
        for _ in range(2):
            assert nights.read(sis.source(), unless_same=True).same_as is None
