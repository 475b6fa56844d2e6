import csv

import pytest
from sqlalchemy import text
from support import edits, people
from support.command_line import is_one_readable_line

from bot.db.session import transaction


def test_migrate_upgrades_an_empty_database(run, engine, database_url):
    name = f"{engine.url.database}_migrate"
    admin = engine.execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = database_url.replace(engine.url.database, name)
    before = run("sync", "nowhere", DATABASE_URL=url)
    assert (before.returncode, "cleanup-bot migrate" in before.stderr) == (1, True)
    assert [run("migrate", DATABASE_URL=url).returncode for _ in range(2)] == [0, 0]
    assert "tables" not in run("sync", "nowhere", DATABASE_URL=url).stderr
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def newer_database(engine):
    """The tests' database, as the next version of the program would have left it."""
    with engine.begin() as connection:
        ours = connection.scalar(text("SELECT version_num FROM alembic_version"))
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        note = connection.scalar(text("SELECT obj_description('alembic_version'::regclass)"))
        connection.execute(text("COMMENT ON TABLE alembic_version IS 'contact-cleanup 9.9.9'"))
    yield
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :ours"), {"ours": ours})
        connection.execute(text(f"COMMENT ON TABLE alembic_version IS '{note}'"))


def test_newer_database_is_served_with_a_warning(run, slack, newer_database):
    served = run("clock", "--once", **slack)
    assert served.returncode == 0
    newer = "he database is of a newer version (9.9.9) than this program"
    assert served.stderr.startswith(f"Warning: T{newer}")
    migrated = run("migrate")
    assert (migrated.returncode, newer in migrated.stdout) == (0, True)
    assert newer in run("doctor", **slack).stdout


def test_import_results_adds_deliveries_and_lists_rejected_rows(run, tmp_path, empty_database):
    with transaction(empty_database) as session:
        people.contact(session, people.student(session), phone="+13125550142")
    path = tmp_path / "results.csv"
    path.write_text("to,status\n(312) 555-0142,landline\n12,delivered\n")
    options = ["--id", "snow", "--title", "Snow day", "--sent-at", "2026-11-20 09:30"]
    summary, counts, rejected, undo = run("import-results", path, *options).stdout.splitlines()
    assert summary == "2 rows: 1 new deliveries, 0 already known."
    assert counts == "0 delivered, 1 not delivered, 1 row unclear."
    assert rejected.startswith("results.csv:3: ")
    assert "0 new deliveries, 1 already known" in run("import-results", path, "--message", "snow").stdout
    assert run("import-results", tmp_path / "nothing.csv", *options).returncode == 1
    assert run("import-results", path, "--message", "rain").returncode == 1
    assert run(*undo.split(": cleanup-bot ")[1].split()).returncode == 0
    assert run("undo-results", "17").returncode == 1


def test_import_results_previews_and_asks_for_words(run, tmp_path, empty_database):
    with transaction(empty_database) as session:
        people.contact(session, people.student(session), phone="+13125550142")
    path = tmp_path / "results.csv"
    path.write_text("where,what\n(312) 555-0142,Invalid\n")
    assert "no column" in run("import-results", path, "--preview").stderr
    columns = ["--column", "to=where", "--column", "result=what", "--preview"]
    assert "1 word we do not know: “Invalid”" in run("import-results", path, *columns).stdout
    assert (
        "0 delivered, 1 not delivered." in run("import-results", path, "--preview", "--word", "invalid=landline").stdout
    )
    assert "0 delivered, 1 not delivered." in run("import-results", path, "--preview").stdout
    assert "Landline" not in run("import-results", path, "--preview", "--word", "invalid=maybe").stdout


def test_import_deactivations_lists_families_and_repeats_nothing(run, tmp_path, empty_database):
    with transaction(empty_database) as session:
        people.contact(session, people.student(session), phone="+13125550142")
    path = tmp_path / "deactivations.csv"
    path.write_text("number,date\n+13125550142,2026-11-20\n(312) 555-0177;2026-11-20\n12,2026-11-20\n")
    summary, rejected = run("import-deactivations", path).stdout.splitlines()
    expected = "1 number recorded as Wrong person, 0 already recorded, 0 verified by staff since, 1 of no contact, 1 line not read."
    assert summary == expected
    assert rejected.startswith("deactivations.csv:4: ")
    assert "0 numbers recorded as Wrong person, 1 already recorded" in run("import-deactivations", path).stdout
    missing = run("import-deactivations", tmp_path / "nothing.csv")
    assert (missing.returncode, is_one_readable_line(missing.stderr)) == (1, True)


def test_explain_needs_neither_database_nor_slack(run):
    done = run("explain", "twilio", "21610", DATABASE_URL="")
    assert done.returncode == 0
    assert done.stdout.startswith("twilio 21610: ")
    assert "Opt-Out" in done.stdout
    unknown = run("explain", "twilio", "nonsense")
    assert (unknown.returncode, is_one_readable_line(unknown.stderr)) == (1, True)


@pytest.fixture
def edit(session, district, dana):
    maria = people.contact(session, people.student(session, at=district.lincoln), phone="+13125550142")
    maria.sis_contact_id, maria.is_powerschool_id = "501", True
    edits.change(session, maria, phone="(312) 555-0199", actor=dana)
    session.commit()
    return maria


@pytest.mark.parametrize(("form", "column"), [("sheet", "entered here"), ("powerschool", "phoneNumberAsEntered")])
def test_exported_edits_are_readable_by_their_owner_only(run, tmp_path, edit, form, column):
    done = run("export-edits", "edits.csv", "--format", form)
    assert (done.returncode, done.stdout) == (0, "1 change in edits.csv.\n")
    file = tmp_path / "edits.csv"
    assert file.stat().st_mode & 0o777 == 0o600
    (row,) = csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines())
    assert row[column] == "(312) 555-0199"


def test_export_without_powerschool_ids_is_refused_and_leaves_no_file(run, session, tmp_path, edit):
    edit.is_powerschool_id = False
    session.commit()
    done = run("export-edits", "edits.csv", "--format", "powerschool")
    assert (done.returncode, is_one_readable_line(done.stderr)) == (1, True)
    assert "Contact ID" in done.stderr
    assert not (tmp_path / "edits.csv").exists()


def test_export_edits_does_not_overwrite_a_file(run, tmp_path, edit):
    (tmp_path / "edits.csv").write_text("mine")
    done = run("export-edits", "edits.csv")
    assert done.returncode == 1
    assert is_one_readable_line(done.stderr)
    assert "edits.csv" in done.stderr
    assert (tmp_path / "edits.csv").read_text() == "mine"
