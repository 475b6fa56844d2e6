"""A sync brings an export into our tables, once, completely, and beside people who edit."""

import os
import signal
import threading
from datetime import date
from multiprocessing import get_context

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from support import sis_bundles as bundles
from support.clock_processes import hold_locks, wait_for_blocked
from support.empty_tables import empty_tables
from support.lock_waits import wait_for_blocked_connections
from support.sis_nights import Nights, changed

from bot.db.engine import build_engine
from bot.db.models.roster import last_sync_query
from bot.errors import UserError
from bot.sandbox.district.maplewood import generate, write_export
from bot.sync import diff_merge


def test_second_sync_of_a_district_changes_nothing(first_night, tmp_path):
    maplewood = generate()
    write_export(tmp_path / "maplewood", date(2026, 11, 23))
    first, second = first_night.read(tmp_path / "maplewood"), first_night.read(tmp_path / "maplewood")
    children = sum(len(family.students) for family in maplewood.families)
    adults = sum(len(family.contacts) for family in maplewood.families)
    assert (first.totals["students"], first.totals["contacts"]) == (children, adults)
    assert (changed(first)["students"], changed(first)["contacts"]) == ((children, 0, 0), (adults, 0, 0))
    assert changed(second) == {}
    assert first.totals == second.totals


def test_all_versions_and_containers_make_the_same_roster(nights, tmp_path):
    later = nights.read(bundles.write_zip(nights.tables, tmp_path / "export.zip", inside="export/"))
    assert changed(later) == {}
    older = nights.read(bundles.write(bundles.a_district_in_1_1(), tmp_path / "older"))
    assert set(changed(older)) == {"staff_roles"}, "1.1 has one word for administrators of a school and of the district"
    assert older.rejected == 0


def test_only_changed_rows_are_written(nights):
    before = nights.rows("SELECT sourced_id, xmin::text FROM contacts ORDER BY 1")
    nights.user("maria")["familyName"] = "Rivera-Lopez"
    assert changed(nights.sync()) == {"contacts": (0, 1, 0)}
    after = nights.rows("SELECT sourced_id, xmin::text FROM contacts ORDER BY 1")
    assert [(row[0], row == later) for row, later in zip(before, after, strict=True)] == [
        ("joao", True),
        ("maria", False),
    ]


def test_contact_version_grows_only_with_its_number(nights):
    nights.user("maria")["email"] = "maria@work.example"
    nights.sync()
    assert nights.rows("SELECT version FROM contacts WHERE sourced_id = 'maria'") == [(1,)]
    nights.user("maria")["phone"] = "(312) 555-0199"
    nights.sync()
    assert nights.rows("SELECT version, sis_phone FROM contacts WHERE sourced_id = 'maria'") == [(2, "+13125550199")]


def test_reformatted_number_is_the_same_number(nights):
    nights.user("maria")["phone"] = "1-312-555-0142"
    nights.sync()
    assert nights.rows("SELECT version, sis_phone_written FROM contacts WHERE sourced_id = 'maria'") == [
        (1, "1-312-555-0142")
    ]
    assert nights.rows("SELECT FROM audit") == []


def test_first_sync_into_emptied_tables_leaves_statistics_of_what_it_loaded(nights):
    tables = [table.name for table in diff_merge.TABLES]
    empty_tables(nights.engine)
    with nights.engine.begin() as connection:
        connection.execute(text("ANALYZE"))
    nights.sync()
    estimated = nights.rows("SELECT relname, reltuples::int FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    loaded = {table: nights.rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables}
    assert loaded["student_contacts"] > 0
    assert {name: rows for name, rows in estimated if name in loaded} == loaded


def test_missing_contact_is_inactive_and_returns_as_same_row(nights):
    before = nights.rows("SELECT id, sourced_id FROM contacts ORDER BY id")
    maria = nights.user("maria")
    nights.leave("maria")
    report = nights.sync()
    assert (nights.active("contacts"), nights.links()) == ({"joao"}, {("sam", "joao"), ("lea", "joao")})
    assert changed(report) == {"contacts": (0, 0, 1), "student_contacts": (0, 0, 1)}
    nights.tables["users"].append(maria)
    nights.tables["roles"].append(bundles.role("maria", "parent"))
    assert changed(nights.sync()) == {"contacts": (0, 1, 0), "student_contacts": (0, 1, 0)}
    assert nights.rows("SELECT id, sourced_id FROM contacts ORDER BY id") == before


@pytest.mark.parametrize("status", ["tobedeleted", "inactive"])
def test_row_marked_as_deleted_is_inactive(nights, status):
    nights.user("maria")["status"] = status
    assert nights.sync().rejected == 0, "Sam still names her, which is no mistake"
    assert nights.active("contacts") == {"joao"}


def test_run_and_rejections_are_stored(first_night):
    first_night.user("joao")["sms"] = "555-014"
    with Session(first_night.engine) as session:
        assert session.scalar(last_sync_query()) is None
    report = first_night.sync()
    assert first_night.rows("SELECT id, state, counts -> 'contacts' ->> 'added' FROM sync_runs") == [
        (report.run_id, "done", "2")
    ]
    assert first_night.rows("SELECT file, line, column_name FROM sync_rejections") == [("users.csv", 8, "sms")]
    with Session(first_night.engine) as session:
        assert session.scalar(last_sync_query()) >= first_night.now


def test_json_report_has_state_totals_and_rejections(nights):
    nights.user("joao")["sms"] = "555-014"
    report = nights.sync()
    as_json = report.as_json()
    assert (as_json["state"], as_json["rejections"][0]["line"]) == ("done", 8)
    assert as_json["totals"] == report.totals == {"students": 2, "contacts": 2, "staff": 3, "teachers": 1, "schools": 2}
    assert as_json["rejections"][0]["reason"].startswith("cannot be read")


def test_dry_run_reports_and_writes_nothing(first_night):
    report = first_night.sync(dry_run=True)
    assert (report.run_id, changed(report)["students"]) == (None, (2, 0, 0))
    assert first_night.rows("SELECT FROM students") == first_night.rows("SELECT FROM sync_runs") == []


@pytest.mark.parametrize("source", ["nowhere", "notes.txt", "empty"])
def test_unusable_source_fails_the_run(first_night, tmp_path, source):
    (tmp_path / "notes.txt").write_text("to do")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"There is nothing|not a zip|holds no OneRoster"):
        first_night.read(tmp_path / source)
    assert first_night.rows("SELECT state FROM sync_runs") == [("failed",)]


HTML = "<!DOCTYPE html><html><head><title>Sign in</title></head></html>"
UNREADABLE = {
    "an unknown header": ("users.csv", "Name,Phone\r\nMaria,555\r\n", "sourcedId is missing from the header"),
    "a login page": ("users.csv", HTML, "users.csv is a web page"),
    "a workbook": ("enrollments.csv", "PK\x03\x04xl/workbook", "enrollments.csv is an Excel workbook"),
    "a gzip archive": ("orgs.csv", b"\x1f\x8b\x08\x00", "orgs.csv is a gzip archive"),
    "another product's file": (
        "users.csv",
        "user_id,login_id,status\r\n1,2,active\r\n",
        "users.csv is in Canvas's format",
    ),
    "no file, though the manifest has it": ("enrollments.csv", None, "enrollments.csv is not there"),
}


@pytest.mark.parametrize(("name", "content", "problem"), UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_file_fails_the_sync_until_it_is_mended(nights, name, content, problem):
    files, before = bundles.write(nights.tables, nights.folder), nights.roster()
    (files / name).unlink()
    if content is not None:
        (files / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    for options in ({"unless_same": True}, {"unless_same": True}, {"dry_run": True}):
        with pytest.raises(UserError, match=problem) as failure:
            nights.read(files, **options)
        assert failure.value.code == "sync.unreadable_file"
    assert nights.roster() == before
    assert nights.rows("SELECT state FROM sync_runs ORDER BY id") == [("done",), ("failed",), ("failed",)]
    assert nights.rows("SELECT count(DISTINCT sync_run_id) FROM sync_rejections WHERE file = :name", name=name) == [
        (2,)
    ]


def test_unreadable_terms_do_not_fail_the_sync(nights):
    files = bundles.write(nights.tables, nights.folder)
    (files / "academicSessions.csv").write_text(HTML)
    assert nights.read(files).files["academicSessions.csv"].mode == "unreadable"


def test_export_without_users_and_manifest_fails_the_sync(nights):
    files = bundles.write(nights.tables, nights.folder)
    for name in ("users.csv", "manifest.csv"):
        (files / name).unlink()
    with pytest.raises(UserError, match=r"users\.csv is not there"):
        nights.read(files)


def test_first_sync_without_a_student_fails(first_night):
    for row in first_night.tables["roles"]:
        row["role"] = "teacher"
    for options in ({}, {"confirm": True}, {"dry_run": True}):
        with pytest.raises(UserError) as failure:
            first_night.sync(**options)
        assert failure.value.code == "sync.no_students"
    assert first_night.rows("SELECT FROM staff") == []


class StoppedError(Exception):
    pass


STEPS = ("schools", "staff", "students", "contacts", "classes", "staff_roles", "student_schools", "student_contacts")


@pytest.mark.parametrize("last", ["users.csv", *STEPS, "class_teachers"])
def test_next_sync_completes_one_that_failed(first_night, last):
    def stop(step, _done, _total):
        if step == last:
            raise StoppedError

    with pytest.raises(StoppedError):
        first_night.sync(progress=stop)
    written = {table: len(first_night.rows(f"SELECT FROM {table}")) for table in STEPS}
    whole = {
        "schools": 2,
        "staff": 3,
        "students": 2,
        "contacts": 2,
        "classes": 1,
        "staff_roles": 3,
        "student_schools": 2,
    }
    merged = STEPS[: STEPS.index(last) + 1] if last in STEPS else STEPS if last == "class_teachers" else ()
    assert written == {table: (whole | {"student_contacts": 3})[table] if table in merged else 0 for table in STEPS}
    first_night.sync()
    assert first_night.rows("SELECT state FROM sync_runs ORDER BY id") == [("failed",), ("done",)]
    assert changed(first_night.sync()) == {}
    assert first_night.links() == {("sam", "maria"), ("sam", "joao"), ("lea", "joao")}


def sync_until_killed(url, folder, step):
    nights = Nights(build_engine(url), folder)
    nights.sync(progress=lambda reached, _done, _total: reached == step and os.kill(os.getpid(), signal.SIGKILL))


@pytest.mark.parametrize("step", ["enrollments.csv", "contacts"])
def test_next_sync_completes_one_that_was_killed(first_night, step):
    url = first_night.engine.url.render_as_string(hide_password=False)
    process = get_context("spawn").Process(target=sync_until_killed, args=(url, first_night.folder, step))
    process.start()
    process.join(timeout=60)
    assert process.exitcode == -signal.SIGKILL
    with first_night.engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('roster.sync', 0))"))
    assert first_night.rows("SELECT state FROM sync_runs") == [("running",)]
    assert len(first_night.rows("SELECT FROM contacts")) == (2 if step == "contacts" else 0)
    assert first_night.sync().totals["contacts"] == 2
    assert first_night.rows("SELECT state, error FROM sync_runs ORDER BY id") == [
        ("failed", "The sync was stopped before it ended."),
        ("done", None),
    ]
    assert first_night.links() == {("sam", "maria"), ("sam", "joao"), ("lea", "joao")}


def test_killed_sync_frees_its_lock_while_its_statement_still_waits(first_night):
    url = first_night.engine.url.render_as_string(hide_password=False)
    process = get_context("spawn").Process(target=sync_until_killed, args=(url, first_night.folder, None))
    with hold_locks(first_night.engine, "LOCK TABLE students"):
        process.start()
        wait_for_blocked(first_night.engine)
        process.kill()
        process.join(timeout=60)
        with first_night.engine.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '20s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('roster.sync', 0))"))


def test_second_sync_at_once_is_refused(first_night):
    steps = []

    def sync_again(step, _done, _total):
        if step == "students":
            with pytest.raises(UserError) as error:
                first_night.read(first_night.folder)
            assert error.value.code == "sync.already_running"
            steps.append(step)

    assert first_night.sync(progress=sync_again).state == "done"
    assert steps == ["students"]
    assert first_night.rows("SELECT state FROM sync_runs") == [("done",)]


def test_lock_is_free_as_soon_as_a_sync_ends(first_night):
    for _ in range(20):
        first_night.sync()
    assert first_night.rows("SELECT count(*) FROM sync_runs WHERE state = 'done'") == [(20,)]


def test_contacts_are_not_locked_between_tables(nights):
    locked = []

    def lock_contacts(_step, _done, _total):
        with nights.engine.begin() as other:
            other.execute(text("SET LOCAL lock_timeout = '1ms'"))
            locked.extend(other.execute(text("SELECT id FROM contacts FOR UPDATE")).all())

    nights.sync()
    nights.user("maria")["phone"] = "(312) 555-0199"
    nights.sync(progress=lock_contacts)
    assert locked


def test_sync_waits_for_a_locked_contact(nights):
    nights.user("maria")["phone"] = "(312) 555-0199"
    done = threading.Event()
    syncing = threading.Thread(target=lambda: (nights.sync(), done.set()))
    with nights.engine.begin() as editor:
        editor.execute(text("SELECT FROM contacts WHERE sourced_id = 'maria' FOR UPDATE"))
        syncing.start()
        wait_for_blocked_connections(nights.engine)
        assert not done.is_set()
    syncing.join(timeout=60)
    assert done.is_set()
    assert nights.phone("maria") == "+13125550199"


def test_failed_run_is_not_the_last_sync(nights, session):
    report = nights.sync()
    session.rollback()
    before = session.scalar(last_sync_query())
    session.rollback()
    with pytest.raises(UserError):
        nights.read(nights.folder / "nowhere")
    assert report.state == "done"
    assert session.scalar(last_sync_query()) == before
