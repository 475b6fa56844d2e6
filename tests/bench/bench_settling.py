"""Settling a mass message of a million deliveries, against one aggregate scan of them, while a clerk goes on working."""

import threading
import time
from datetime import UTC, datetime
from urllib.parse import urlencode

import httpx
import pytest
from serving import SIGNING, ended, memory, started, web
from slack_sdk.signature import SignatureVerifier
from sqlalchemy import text
from support import people

from bot.db.models.messages import MassMessage
from bot.db.models.slack import SlackUser
from bot.db.session import transaction

DELIVERIES = 1_000_000
SIZES = {"contacts": DELIVERIES, "students": DELIVERIES * 2 // 5}

_STUDENTS = """
INSERT INTO students (sourced_id, given_name, family_name, search, grade)
SELECT 'S' || n, 'Sam', 'Student' || n, 'sam student' || n, (n % 12 + 1)::text FROM generate_series(1, :students) AS n
"""
_CONTACTS = """
INSERT INTO contacts (sourced_id, given_name, family_name, sis_phone, sis_method)
SELECT 'C' || n, 'Maria', 'Contact' || n, '+1312' || lpad((2000000 + n)::text, 7, '0'), 'text'
FROM generate_series(1, :contacts) AS n
"""
_LINKS = """
INSERT INTO student_contacts (student_id, contact_id, priority)
SELECT s.id, c.id, 1 FROM generate_series(1, :contacts) AS n
JOIN students s ON s.sourced_id = 'S' || (n % :students + 1) JOIN contacts c ON c.sourced_id = 'C' || n
"""
_AT_LINCOLN = """
INSERT INTO student_schools (student_id, school_id) SELECT id, :school FROM students WHERE id % 800 = 0
"""
# Two of a hundred failed, each of the five ways that a carrier can say it.
_DELIVERIES = """
INSERT INTO deliveries (mass_message_id, contact_sourced_id, phone, provider, provider_id, outcome, code, final_at)
SELECT :message, 'C' || n, '+1312' || lpad((2000000 + n)::text, 7, '0'), 'twilio', :message || n,
       CASE WHEN n % 50 > 0 THEN 'delivered'
            ELSE (ARRAY['landline', 'turned_off', 'unconfirmed', 'blocked', 'inactive'])[n / 50 % 5 + 1] END,
       NULL, now()
FROM generate_series(1, :contacts) AS n
"""


@pytest.fixture
def a_million(empty_database):
    """A clerk of a school with 500 students in a district of 400,000, and a message that waits to settle."""
    with transaction(empty_database) as session:
        lincoln = people.school(session)
        clara = people.staff(session, "Clara", "Clerk", role="siteAdministrator", at=lincoln)
        now = datetime.now(UTC)
        session.add(SlackUser(user_id="UCLARA", email=clara.email, full_member=True, checked_at=now))
        for statement in (_STUDENTS, _CONTACTS, _LINKS):
            session.execute(text(statement), SIZES)
        session.execute(text(_AT_LINCOLN), {"school": lincoln.id})
    _send(empty_database, "first")
    _settle_quietly(empty_database)
    return empty_database


def _settle_quietly(engine):
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _send(engine, message):
    with transaction(engine) as session:
        session.add(MassMessage(id=message, title="Snow day", sent_at=datetime.now(UTC)))
        session.flush()
        session.execute(text(_DELIVERIES), {**SIZES, "message": message})


def scan(engine, message):
    """The floor: seconds of one aggregate scan of a message's deliveries, the best of three."""
    times = []
    for _ in range(3):
        with engine.connect() as connection:
            began = time.perf_counter()
            connection.execute(
                text("SELECT outcome, count(*) FROM deliveries WHERE mass_message_id = :message GROUP BY 1"),
                {"message": message},
            ).all()
            times.append(time.perf_counter() - began)
    return min(times)


def a_command(client):
    typed = {"command": "/cleanup", "text": "blocked", "user_id": "UCLARA", "team_id": "T1"}
    body = urlencode(typed | {"trigger_id": str(time.perf_counter_ns())}).encode()
    stamp = str(int(time.time()))
    signature = SignatureVerifier(SIGNING).generate_signature(timestamp=stamp, body=body)
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}
    return client.post(
        "/slack/events", content=body, headers=headers | {"Content-Type": "application/x-www-form-urlencoded"}
    )


class Clerk(threading.Thread):
    """Types /cleanup until told to stop; `times`, in milliseconds, are those after the first few, which warm up the web."""

    def __init__(self, port):
        super().__init__()
        self.port, self.times, self.done = port, [], threading.Event()
        self.warm = threading.Event()

    def run(self):
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30) as client:
            for _ in range(20):
                a_command(client)
            self.warm.set()
            while not self.done.wait(0.02):
                began = time.perf_counter()
                assert "grade" in a_command(client).text.lower()
                self.times.append((time.perf_counter() - began) * 1000)

    def p99(self):
        self.done.set()
        self.join()
        return sorted(self.times)[len(self.times) * 99 // 100], len(self.times)


@pytest.mark.parametrize("message", ["first", "second"])
def test_settling(a_million, database_url, free_port, message):
    """The first message finds an empty list; the second finds what the first left on it."""
    if message == "second":
        ended(started(database_url, "clock", "--once"))
        _send(a_million, "second")
        _settle_quietly(a_million)
    floor = scan(a_million, message)
    with web(database_url, free_port) as serving:
        clerk = Clerk(free_port)
        clerk.start()
        clerk.warm.wait()
        seconds, clock = ended(started(database_url, "clock", "--once"))
        p99, asked = clerk.p99()
        idle, _ = ended(started(database_url, "clock", "--once"))
        print(
            f"\n{message} message of {DELIVERIES:,}: scan {floor:.2f} s, settled in {seconds - idle:.2f} s"
            f" ({(seconds - idle) / floor:.1f} x), /cleanup meanwhile p99 {p99:.0f} ms of {asked};"
            f" memory clock {clock:.0f} MB, web {memory(serving):.0f} MB"
        )
    with transaction(a_million) as session:
        assert session.scalar(text("SELECT count(*) FROM cleanup_list")) == DELIVERIES // 50
