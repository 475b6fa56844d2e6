import json

import pytest
from sqlalchemy import select
from support import sis_bundles as bundles
from support.command_line import is_one_readable_line, sis_settings
from support.sis_server import serving

from bot.db.models.roster import Student

CONTACTS = "Student_id,Contact_name,Contact_phone,Contact_phone_type\n{student},Pat Lee,3125550178,Cell\n"


@pytest.fixture
def synced(run, export):
    """An export that was synced once."""
    assert run("sync", "sis").returncode == 0
    return export


@pytest.fixture
def contacts(synced, session, tmp_path):
    """A file with one contact of a student of the synced export."""
    student = session.scalars(select(Student.sourced_id).limit(1)).one()
    session.rollback()
    file = tmp_path / "families.csv"
    file.write_text(CONTACTS.format(student=student))
    return file


def test_the_report_is_on_stdout_and_the_progress_on_stderr(run, export):
    done = run("sync", "sis")
    assert done.returncode == 0, done.stderr
    assert "contacts" in done.stdout
    assert done.stderr


def test_a_second_sync_of_an_export_changes_nothing(run, export):
    first, second = (json.loads(run("sync", "sis", "--json").stdout) for _ in range(2))
    assert first["counts"]["contacts"]["added"] > 500
    changes = [counts[kind] for counts in second["counts"].values() for kind in ("added", "changed", "inactive")]
    assert set(changes) == {0}


def test_an_unchanged_export_is_skipped_only_on_request(run, synced):
    assert "is the same as on" not in run("sync", "sis").stdout
    assert "is the same as on" in run("sync", "sis", "--unless-same").stdout


def test_a_dry_run_writes_nothing(run, export, session):
    done = run("sync", "sis", "--dry-run")
    assert (done.returncode, "dry run" in done.stdout) == (0, True)
    assert session.query(Student).count() == 0


def test_a_rejected_row_is_reported_by_file_and_line(run, export):
    users = export / "users.csv"
    header, first, *others = users.read_text("utf-8").splitlines(keepends=True)
    users.write_text("".join([header, first.replace(first.split(",")[0], "", 1), *others]), "utf-8")
    report = json.loads(run("sync", "sis", "--json").stdout)
    assert len(report["rejections"]) == report["rejected"]
    [blank] = [row for row in report["rejections"] if (row["file"], row["line"]) == ("users.csv", 2)]
    assert f"users.csv:2 {blank['column_name']}: {blank['reason']}" in run("sync", "sis").stdout.splitlines()


def test_a_held_sync_prints_the_command_that_applies_it(run, synced):
    users = synced / "users.csv"
    users.write_text("".join(users.read_text("utf-8").splitlines(keepends=True)[:10]), "utf-8")
    held = run("sync", "sis")
    assert (held.returncode, held.stdout) == (1, "")
    assert held.stderr.splitlines()[-1].endswith("cleanup-bot sync sis --confirm")
    assert run("sync", "sis", "--confirm").returncode == 0


@pytest.mark.parametrize("named_by", ["--contacts", "SIS_CONTACTS_CSV"])
def test_a_file_of_contacts_is_read_beside_the_export(run, contacts, named_by):
    arguments, settings = (
        ([named_by, contacts.name], {}) if named_by == "--contacts" else ([], {named_by: contacts.name})
    )
    report = json.loads(run("sync", "sis", "--json", *arguments, **settings).stdout)
    assert (report["counts"]["contacts"]["added"], report["files"]["contacts.csv"]["read"]) == (1, 1)


def test_a_missing_file_of_contacts_is_named(run, export):
    done = run("sync", "sis", "--contacts", "nowhere.csv")
    assert done.returncode == 1
    assert "nowhere.csv" in done.stderr.splitlines()[-1]


def test_the_command_that_applies_a_held_sync_names_the_contacts(run, contacts):
    assert run("sync", "sis", "--contacts", contacts.name).returncode == 0
    contacts.write_text(CONTACTS.splitlines()[0])
    held = run("sync", "sis", "--contacts", contacts.name)
    assert held.stderr.splitlines()[-1].endswith("cleanup-bot sync sis --contacts families.csv --confirm")


def test_a_sync_without_a_path_asks_the_configured_sis(run):
    with serving(bundles.a_district(), 2) as sis:
        done = run("sync", "--json", **sis_settings(sis))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["totals"]["students"] == 2


def test_a_sync_without_a_path_reads_the_configured_export(run, tmp_path):
    bundles.write(bundles.a_district(), tmp_path / "sis")
    assert run("sync", SIS_ONEROSTER_CSV="sis").returncode == 0


def test_two_configured_sources_are_refused(run):
    done = run("sync", SIS_ONEROSTER_URL="https://sis.example/ims/oneroster/v1p1", SIS_ONEROSTER_CSV="sis")
    assert done.returncode == 1
    assert is_one_readable_line(done.stderr), done.stderr
    assert "SIS_ONEROSTER_URL and SIS_ONEROSTER_CSV" in done.stderr


def test_dry_run_says_that_the_sync_would_be_held(run, synced):
    orgs = synced / "orgs.csv"
    header, *rows = orgs.read_text("utf-8").splitlines(keepends=True)
    orgs.write_text("".join([header, *(row for row in rows if ",school," not in row)]), "utf-8")
    done = run("sync", "sis", "--dry-run")
    assert done.returncode == 1
    assert "This sync would be held:" in done.stdout
    assert "schools would lose most of their students" in done.stdout
    assert json.loads(run("sync", "sis", "--dry-run", "--json").stdout)["state"] == "held"
    assert run("sync", "sis", "--dry-run", "--confirm").returncode == 0
