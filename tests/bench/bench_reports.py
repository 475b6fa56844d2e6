"""A report of 20,000 rows: its preview and its import, as CSV and as a workbook, within 10 s and 150 MB; then its digest within 60 s,
posted by a clock in a process of its own.
"""

import csv
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import xlsxwriter
from serving import ended, started
from sqlalchemy import text

from bot.cli import manifest
from bot.db.session import transaction
from bot.digests.subscriptions import subscribe_channel
from bot.sandbox.slack import message_store
from bot.sandbox.slack.server import serve
from bot.sandbox.slack.workspace import Workspace

SCRIPT = Path(__file__).parent / "import_report.py"
ROWS, SECONDS, MEGABYTES, DIGEST_SECONDS = 20_000, 10, 150, 60
WORDS = ["Delivered"] * 45 + ["Opened", "Bounced", "Blocked", "Opted Out", "Disconnected"]
_CONTACTS = (
    """
    INSERT INTO students (sourced_id, given_name, family_name, search, grade)
    SELECT 'S' || n, 'Sam', 'Student' || n, 'sam student' || n, (n % 12 + 1)::text FROM generate_series(1, :size) AS n
    """,
    """
    INSERT INTO contacts (sourced_id, given_name, family_name, sis_phone)
    SELECT 'C' || n, 'Maria', 'Parent' || n, '+1312' || lpad((2000000 + n)::text, 7, '0') FROM generate_series(1, :size) AS n
    """,
    """
    INSERT INTO student_contacts (student_id, contact_id, priority)
    SELECT s.id, c.id, 1 FROM students s JOIN contacts c ON c.sourced_id = 'C' || substr(s.sourced_id, 2)
    """,
    "ANALYZE",
)


def rows():
    """A header, and a row for each contact as messengers write it: who, about whom, where, what, and when."""
    yield ["Recipient", "Student", "Student ID", "Phone", "Status", "Sent"]
    for n in range(1, ROWS + 1):
        number = f"(312) {200 + n // 10_000}-{n % 10_000:04}"
        yield [f"Maria Parent{n}", f"Sam Student{n}", f"S{n}", number, WORDS[n % len(WORDS)], "11/23/2026 9:04 AM"]


@pytest.fixture
def report(request, tmp_path):
    path = tmp_path / f"report.{request.param}"
    if request.param == "csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows())
    else:
        with xlsxwriter.Workbook(str(path)) as workbook:
            sheet = workbook.add_worksheet()
            for number, row in enumerate(rows()):
                sheet.write_row(number, 0, row)
    return path


def seed(engine):
    with engine.begin() as connection:
        for statement in _CONTACTS:
            connection.execute(text(statement), {"size": ROWS})


@pytest.mark.parametrize("report", ["csv", "xlsx"], indirect=True)
def test_report_is_previewed_and_imported(empty_database, database_url, report):
    seed(empty_database)
    for what in ("none", "preview", "import"):
        command = [sys.executable, SCRIPT, database_url, what, report]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=SCRIPT.parents[2])
        seconds, megabytes = ended(process)
        counted = process.stdout.read().decode().strip()
        process.stdout.close()
        print(f"\n{ROWS:,} rows, {report.suffix[1:]:4}, {what:7}: {seconds:5.1f} s, {megabytes:.0f} MB", end="")
        assert counted == ("" if what == "none" else str(ROWS))
        assert megabytes <= MEGABYTES
        if what == "preview":
            assert seconds <= SECONDS


@pytest.mark.parametrize("report", ["csv"], indirect=True)
def test_digest_of_an_import_is_posted_soon(empty_database, database_url, report):
    seed(empty_database)
    slack = Workspace(manifest.read())
    clara = slack.add_user("Clara Clerk", email="clara.clerk@district.example")
    channel = slack.add_channel("texts", members=[clara.id], with_bot=True).id
    with transaction(empty_database) as session:
        subscribe_channel(session, channel, actor=clara.id, now=datetime.now(UTC))
    with serve(slack) as api_url:
        clock = started(database_url, "clock", SLACK_API_URL=api_url, SLACK_BOT_TOKEN=slack.bot_token)
        try:
            subprocess.run([sys.executable, SCRIPT, database_url, "import", report], check=True, cwd=SCRIPT.parents[2])
            imported = time.monotonic()
            while not message_store.in_channel(slack, channel):
                assert clock.poll() is None
                assert time.monotonic() < imported + 2 * DIGEST_SECONDS
                time.sleep(0.1)
            seconds = time.monotonic() - imported
        finally:
            clock.send_signal(signal.SIGTERM)
            clock.wait(60)
    print(f"\n{ROWS:,} rows: digest {seconds:.1f} s after the import", end="")
    assert seconds <= DIGEST_SECONDS
