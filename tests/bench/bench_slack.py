"""What people wait for in a district of a million students, 125,000 contacts of whom are on the list.

`STUDENTS=20000` tries it on a small one. The server has one core, the load another; PostgreSQL takes what is left of both.
"""

import base64
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from itertools import count, cycle, islice
from urllib.parse import urlencode

import httpx
import pytest
from serving import HERE, SIGNING, answering, flood, web
from slack_sdk.signature import SignatureVerifier
from sqlalchemy import select, text
from support import people

from bot.cleanup_list.membership import refresh_entry_names
from bot.db.models.all_tables import METADATA
from bot.db.models.edits import Edit
from bot.db.models.roster import School, SyncRun
from bot.db.models.slack import SlackUser
from bot.db.session import transaction

STUDENTS = int(os.environ.get("STUDENTS", "1000000"))
OF_A_SCHOOL, OF_A_CLASS = 650, 25
SIZES = {"students": STUDENTS, "contacts": STUDENTS * 5 // 2, "schools": -(-STUDENTS // OF_A_SCHOOL)}
SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu"
STATUSES = ("blocked", "landline", "turned_off", "unconfirmed", "inactive")

# Twenty syllables make 400 given names of two and 8,000 family names of three.
_NAMED = """
CREATE TEMPORARY TABLE named ON COMMIT DROP AS
SELECT n, initcap(s[n % 20 + 1] || s[n / 20 % 20 + 1]) AS given,
       initcap(s[n * 7 % 20 + 1] || s[n * 3 / 20 % 20 + 1] || s[n / 400 % 20 + 1]) AS family
FROM generate_series(1, :contacts) AS n, string_to_array(:syllables, ' ') AS s
"""
_SCHOOLS = (
    "INSERT INTO schools (sourced_id, name) SELECT 'O' || n, 'School ' || n FROM generate_series(1, :schools) AS n"
)
_STUDENTS = """
INSERT INTO students (sourced_id, given_name, family_name, search, grade)
SELECT 'S' || n, given, family, lower(given || ' ' || family), (n % 12 + 1)::text FROM named WHERE n <= :students
"""
_AT_SCHOOL = """
INSERT INTO student_schools (student_id, school_id)
SELECT s.id, o.id FROM students s JOIN schools o ON o.sourced_id = 'O' || ((s.id - 1) / 650 + 1)
"""
_CLASSES = """
INSERT INTO classes (sourced_id, school_id, title, homeroom)
SELECT 'K' || n, (n * 25 - 1) / 650 + 1, 'Homeroom ' || n, true FROM generate_series(1, :students / 25) AS n
"""
_STAFF = """
INSERT INTO staff (sourced_id, given_name, family_name, email)
SELECT 'T' || n, given, family, 't' || n || '@district.example' FROM named WHERE n <= :students / 25
"""
_TEACHING = """
INSERT INTO class_teachers (sourced_id, class_id, staff_id, is_primary)
SELECT 'ET' || n, c.id, t.id, true FROM generate_series(1, :students / 25) AS n
JOIN classes c ON c.sourced_id = 'K' || n JOIN staff t ON t.sourced_id = 'T' || n
"""
_LEARNING = """
INSERT INTO class_students (sourced_id, class_id, student_id)
SELECT 'ES' || s.id, c.id, s.id FROM students s JOIN classes c ON c.sourced_id = 'K' || ((s.id - 1) / 25 + 1)
"""
_CONTACTS = """
INSERT INTO contacts (sourced_id, given_name, family_name, sis_phone, sis_method)
SELECT 'C' || n, given, family, '+1' || 3120000000 + n, 'text' FROM named
"""
_LINKS = """
INSERT INTO student_contacts (student_id, contact_id, priority)
SELECT (id - 1) * 2 / 5 + 1, id, 1 FROM contacts WHERE (id - 1) * 2 / 5 + 1 <= :students
"""
_NUMBERS = """
INSERT INTO phone_numbers (phone, status, since)
SELECT sis_phone, (ARRAY['blocked', 'landline', 'turned_off', 'unconfirmed', 'inactive'])[id / 20 % 5 + 1], now()
FROM contacts WHERE id % 20 = 0
"""
_LISTED = """
INSERT INTO cleanup_list (contact_id, status, phone, since)
SELECT c.id, p.status, p.phone, p.since FROM contacts c JOIN phone_numbers p ON p.phone = c.sis_phone
"""
_ALL = (
    *(_NAMED, _SCHOOLS, _STUDENTS, _AT_SCHOOL, _CLASSES, _STAFF, _TEACHING, _LEARNING),
    *(_CONTACTS, _LINKS, _NUMBERS, _LISTED),
)
CLERKS = ("UCLARA", *(f"UCLERK{number}" for number in range(1, 50)))
_triggers = count(1)


@pytest.fixture(scope="module")
def district(engine):
    """Clara works in the office of the first school, others in those of the next ones; Dana manages the district."""
    with engine.begin() as connection:
        tables = ", ".join(f'"{table.name}"' for table in METADATA.sorted_tables)
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    with transaction(engine) as session:
        for statement in _ALL:
            session.execute(text(statement), {**SIZES, "syllables": SYLLABLES})
        schools = session.scalars(select(School).order_by(School.id).limit(len(CLERKS))).all()
        clerks = {
            user_id: people.staff(session, "Clara", f"Clerk {school.id}", role="siteAdministrator", at=school)
            for user_id, school in zip(CLERKS, schools, strict=False)
        }
        dana = people.staff(session, "Dana", "Diaz", role="districtAdministrator")
        session.add(SyncRun(source="x", started_at=people.NOW, finished_at=people.NOW, state="done"))
        later = datetime(2100, 1, 1, tzinfo=UTC)
        for user_id, one in (clerks | {"UDANA": dana}).items():
            session.add(SlackUser(user_id=user_id, email=one.email, full_member=True, checked_at=later))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    with engine.begin() as connection:
        refresh_entry_names(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE cleanup_list"))
    return engine


@pytest.fixture(scope="module")
def bot(district, database_url):
    """The port of `cleanup-bot web` on the first core."""
    with quick_slack(8611), web(database_url, 8610, SLACK_API_URL="http://127.0.0.1:8611/api/") as process:
        os.sched_setaffinity(process.pid, {0})
        yield 8610


def quick_slack(port):
    return answering(subprocess.Popen([sys.executable, HERE / "quick_slack.py", str(port)]), port)


@pytest.fixture(autouse=True)
def load_on_the_second_core():
    """What this process starts sends from there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    yield
    os.sched_setaffinity(0, before)


def request(fields):
    """A signed request to the door for Slack, as load.py takes it."""
    body = urlencode(fields).encode()
    stamp = str(int(time.time()))
    signature = SignatureVerifier(SIGNING).generate_signature(timestamp=stamp, body=body)
    head = (
        f"POST /slack/events HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slack-Request-Timestamp: {stamp}\r\n"
        f"X-Slack-Signature: {signature}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return base64.b64encode(head.encode() + body)


def commands(number, typed, users=CLERKS):
    """So many, of one after the other of `users`."""
    fixed = {"command": "/cleanup", "text": typed, "team_id": "T1"}
    return [request(fixed | {"user_id": user, "trigger_id": next(_triggers)}) for user in islice(cycle(users), number)]


def answered(port, one):
    """The answer to a request, as JSON."""
    head, body = base64.b64decode(one).split(b"\r\n\r\n", 1)
    headers = dict(line.decode().split(": ", 1) for line in head.split(b"\r\n")[2:])
    answer = httpx.post(f"http://127.0.0.1:{port}/slack/events", content=body, headers=headers, timeout=30)
    assert answer.status_code == 200
    return answer.json() if answer.content else {}


def told(what, measured, floor=None):
    assert set(measured["statuses"]) == {"200"}
    ratio = f" ({measured['rate'] / floor['rate']:.2f} x the bare listener)" if floor else ""
    print(
        f"\n{what}: {measured['rate']:.0f}/s{ratio}, p50 {measured['p50'] * 1000:.0f} ms, p99 {measured['p99'] * 1000:.0f} ms",
        end="",
    )


def test_the_command_beside_a_listener_that_only_answers(bot, database_url):
    blocks = answered(bot, commands(1, "grade 5 blocked")[0])["blocks"]
    assert sum(block["type"] == "section" for block in blocks) > 2
    process = subprocess.Popen(
        [sys.executable, HERE / "bare_bolt.py", str(len(blocks))],
        env={**os.environ, "DATABASE_URL": database_url, "PORT": "8612", "SLACK_SIGNING_SECRET": SIGNING},
    )
    with answering(process, 8612):
        os.sched_setaffinity(process.pid, {0})
        for port in (8612, bot):
            flood(port, 4, commands(200, "grade 5 blocked"))
        floor = flood(8612, 4, commands(1_000, "grade 5 blocked"))
        told("bare listener", floor)
        told("grade 5 blocked", flood(bot, 4, commands(1_000, "grade 5 blocked")), floor)


@pytest.mark.parametrize("rate", [10, 200])
def test_the_command_at_a_rate(bot, rate):
    flood(bot, 4, commands(100, "grade 5 blocked"))
    told(f"at {rate}/s", flood(bot, 20, commands(rate * 10, "grade 5 blocked"), rate))


def test_a_name_with_a_slip_over_the_whole_list(bot):
    exact = answered(bot, commands(1, "student Bace", ["UDANA"])[0])
    assert "No one named" not in exact["text"]
    slip = answered(bot, commands(1, "student Vawxexi", ["UDANA"])[0])
    assert "No one named Vawxexi" in slip["text"]
    assert "Shown instead" in slip["text"]
    told("district, a name", flood(bot, 1, commands(50, "student Bace", ["UDANA"])))
    told("district, nobody's name", flood(bot, 1, commands(50, "student Qqqqqqqqq", ["UDANA"])))
    told("district, a slip", flood(bot, 1, commands(50, "student Vawxexi", ["UDANA"])))


def interaction(payload):
    about = {"user": {"id": "UCLARA", "team_id": "T1"}, "team": {"id": "T1"}, "trigger_id": str(next(_triggers))}
    return request({"payload": json.dumps(payload | about)})


def test_the_student_dialog(bot, district):
    with transaction(district) as session:
        rows = session.execute(
            text(
                "SELECT l.student_id, l.contact_id FROM student_contacts l JOIN cleanup_list e USING (contact_id)"
                " WHERE l.student_id <= 650 ORDER BY 1"
            )
        ).all()
    hook = {"type": "block_actions", "response_url": "http://127.0.0.1:8611/hook", "channel": {"id": "C1"}}
    action = {"type": "button", "block_id": "b", "action_id": "student.open"}
    opening = [
        interaction(hook | {"actions": [action | {"value": f"{row.student_id} grade 5"}]})
        for row in rows
        for _ in range(5)
    ]
    told("open the student dialog", flood(bot, 1, opening))
    saving = [interaction(_saved(row, place)) for place, row in enumerate(rows)]
    told("save an edit", flood(bot, 1, saving))
    with transaction(district) as session:
        assert session.query(Edit).count() == len(rows)


def _saved(row, place):
    values = {
        "phone": {"value": {"type": "plain_text_input", "value": f"(312) 555-{place % 10_000:04d}"}},
        "method": {"value": {"type": "static_select", "selected_option": {"value": "text"}}},
    }
    metadata = {"contact": row.contact_id, "version": 1, "student": row.student_id, "list": 1}
    view = {"type": "modal", "id": "V2", "callback_id": "contact.save", "private_metadata": json.dumps(metadata)}
    return {
        "type": "view_submission",
        "view": view | {"state": {"values": values}, "blocks": [], "previous_view_id": "V1"},
    }
