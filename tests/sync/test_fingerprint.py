"""An export that is the same as last time is not read again, until a date in it has come; and nothing else is taken for it."""

import os
import time
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from support import edits, people
from support import sis_bundles as bundles
from support.sis_nights import Nights, changed
from support.sis_server import serving

from bot.access import Reach
from bot.db.models.roster import Contact, Staff
from bot.sis import bundle
from bot.sync.hold import SyncHeld


@pytest.fixture
def nights(empty_database, tmp_path):
    made = Nights(empty_database, tmp_path / "small")
    made.sync()
    return made


def again(nights, **options):
    """The next night with the export as it lies there."""
    return nights.read(nights.folder, unless_same=True, **options)


def test_the_same_export_is_not_read_twice_and_its_counts_stand(nights):
    report = again(nights)
    assert report.same_as == nights.now - timedelta(days=1)
    assert changed(report) == {}
    assert report.totals == {"students": 2, "contacts": 2, "staff": 3, "teachers": 1, "schools": 2}
    assert report.counts["students"].read == 2
    assert again(nights).same_as == nights.now - timedelta(days=1)


def test_it_counts_as_read_for_those_who_ask_how_old_everything_is(nights):
    again(nights)
    [(last,)] = nights.rows("SELECT max(started_at) FROM sync_runs WHERE state = 'done'")
    assert last == nights.now


def test_one_changed_letter_is_read(nights):
    nights.user("lea")["familyName"] = "O'Brian"
    report = nights.sync(unless_same=True)
    assert report.same_as is None
    assert changed(report) == {"students": (0, 1, 0)}


def put_in_place(file, content, beside):
    beside.write_bytes(content)
    beside.replace(file)


@pytest.mark.parametrize("written", [timedelta(), timedelta(hours=1)], ids=["a moment", "an hour"])
@pytest.mark.parametrize(
    "write", [lambda file, content, _: file.write_bytes(content), put_in_place], ids=["over", "in place"]
)
def test_another_file_of_the_same_size_and_time_is_another_one(nights, tmp_path, write, written):
    at = time.time() - written.total_seconds()
    file = nights.folder / "users.csv"
    for path in nights.folder.iterdir():
        os.utime(path, (at, at))
    before = bundle.fingerprint(nights.folder)
    assert bundle.fingerprint(nights.folder) == before
    content = file.read_bytes()
    write(file, content.replace(b"O'Brien", b"O'Brian"), tmp_path / "users.csv")
    os.utime(file, (at, at))
    assert bundle.fingerprint(nights.folder) != before
    write(file, content, tmp_path / "users.csv")
    assert bundle.fingerprint(nights.folder) == before


def test_a_changed_file_of_contacts_is_read(nights, tmp_path):
    beside = tmp_path / "contacts.csv"
    beside.write_text("student id,contact name,phone\nsam,Rosa Rivera,312 555 0188\n")
    assert again(nights, contacts=beside).same_as is None
    assert again(nights, contacts=beside).same_as
    beside.write_text("student id,contact name,phone\nsam,Rosa Rivera,312 555 0189\n")
    assert again(nights, contacts=beside).same_as is None
    assert again(nights).same_as is None


def test_a_zip_and_a_folder_of_the_same_files_are_the_same(nights, tmp_path):
    bundles.write_zip(nights.tables, tmp_path / "small.zip")
    assert nights.read(tmp_path / "small.zip", unless_same=True).same_as


@pytest.mark.parametrize(
    ("table", "row", "column"),
    [("enrollments", 1, "endDate"), ("roles", 1, "endDate"), ("academicSessions", 0, "endDate")],
)
def test_it_is_read_again_on_the_day_on_which_somebody_leaves_by_its_dates(nights, table, row, column):
    ends = (nights.now + timedelta(days=3)).date()
    nights.tables[table][row][column] = ends.isoformat()
    nights.sync()
    read = [again(nights).same_as is None for _ in range(5)]
    assert read == [False, True, False, False, False]


def test_a_teacher_whose_role_ended_does_not_keep_it_because_the_export_is_the_same(nights):
    nights.tables["roles"][1]["endDate"] = (nights.now + timedelta(days=2)).date().isoformat()
    nights.sync()
    held = "SELECT count(*) FROM staff_roles r JOIN staff s ON s.id = r.staff_id WHERE s.sourced_id = 'clara'"
    assert nights.rows(held) == [(1,)]
    for _ in range(4):
        again(nights)
    assert nights.rows(held) == [(0,)]


@pytest.mark.parametrize("state", ["failed", "running", "braked"])
def test_after_a_sync_that_did_not_end_well_everything_is_read(nights, state):
    with nights.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO sync_runs (source, started_at, state) VALUES ('small', :now, :state)"),
            {"now": nights.now, "state": state},
        )
    assert again(nights).same_as is None


def test_what_the_brake_stopped_is_read_again_when_a_person_confirms(nights):
    nights.leave("lea", "sam", "joao", "maria")
    nights.tables["users"].clear()
    nights.tables["roles"].clear()
    with pytest.raises(SyncHeld):
        nights.sync(unless_same=True)
    assert again(nights, confirm=True).same_as is None
    assert nights.active("students") == set()


def test_another_version_of_the_program_reads_it_again(nights, monkeypatch):
    monkeypatch.setattr("bot.sync.fingerprint._program", lambda: "the next one")
    assert again(nights).same_as is None
    assert again(nights).same_as


def test_an_edit_made_meanwhile_stands_as_it_would_after_reading(nights):
    with Session(nights.engine) as session, session.begin():
        maria = session.scalars(select(Contact).where(Contact.sourced_id == "maria")).one()
        dana = session.scalars(select(Staff).where(Staff.sourced_id == "dana")).one()
        edits.change(session, maria, phone="(312) 555-0199", actor=people.acting(dana, reach=Reach.DISTRICT))
    skipped, read = again(nights), nights.read(nights.folder)
    assert skipped.same_as
    assert skipped.edits == read.edits == {"absorbed": 0, "conflict": 0, "pending": 1}
    assert skipped.totals == read.totals


def test_a_dry_run_and_one_that_is_asked_for_read_all_the_same(nights):
    assert again(nights, dry_run=True).same_as is None
    assert nights.read(nights.folder).same_as is None


def test_a_server_is_always_asked(nights):
    with serving(nights.tables, 2) as sis:
        for _ in range(2):
            assert nights.read(sis.source(), unless_same=True).same_as is None
