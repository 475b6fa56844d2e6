"""Settling a mass message: its cost beside one aggregate scan of its deliveries, with its size, and with the messages before it.

The list is never empty for the clerk who types commands meanwhile. `DELIVERIES=10000,100000` leaves out the largest message.
"""

import os
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from statistics import median
from urllib.parse import urlencode

import httpx
import pytest
from serving import SIGNING, memory, web
from slack_sdk.signature import SignatureVerifier
from sqlalchemy import text
from sqlalchemy.orm import Session
from support import people

from bot.db.models.messages import MassMessage
from bot.db.models.roster import SyncRun
from bot.db.models.slack import SlackUser
from bot.db.session import transaction
from bot.digests.report import load_digest
from bot.mass_messages.settle import due_messages, settle_message

SIZES = [int(size) for size in os.environ.get("DELIVERIES", "10000,100000,1000000").split(",")]
RUNS, SAMPLES, CLERKS = 3, 500, 4
HISTORY, TO_EACH = 200, 6_000

_STUDENTS = """
INSERT INTO students (sourced_id, given_name, family_name, search, grade)
SELECT 'S' || n, 'Sam', 'Student' || n, 'sam student' || n, (n % 12 + 1)::text FROM generate_series(1, :contacts * 2 / 5) AS n
"""
_CONTACTS = """
INSERT INTO contacts (sourced_id, given_name, family_name, sis_phone, sis_method)
SELECT 'C' || n, 'Maria', 'Contact' || n, '+1312' || lpad((2000000 + n)::text, 7, '0'), 'text'
FROM generate_series(1, :contacts) AS n
"""
_LINKS = """
INSERT INTO student_contacts (student_id, contact_id, priority)
SELECT s.id, c.id, 1 FROM generate_series(1, :contacts) AS n
JOIN students s ON s.sourced_id = 'S' || (n % (:contacts * 2 / 5) + 1) JOIN contacts c ON c.sourced_id = 'C' || n
"""
_AT_LINCOLN = "INSERT INTO student_schools (student_id, school_id) SELECT id, :school FROM students WHERE id <= 500"
# Two of a hundred fail, half of them the same contacts each time, in one of five ways; a third of the reports is shaky.
_DELIVERIES = """
INSERT INTO deliveries (mass_message_id, contact_sourced_id, phone, provider, provider_id, outcome, shaky, final_at)
SELECT CAST(:message AS text), 'C' || n, '+1312' || lpad((2000000 + n)::text, 7, '0'), 'twilio', :message || '-' || n,
       CASE WHEN (n + CASE WHEN n % 100 < 50 THEN 0 ELSE :number END) % 50 > 0 THEN 'delivered'
            ELSE (ARRAY['landline', 'turned_off', 'unconfirmed', 'blocked', 'inactive'])[(n / 50 + :number) % 5 + 1] END,
       n % 3 = 0, now()
FROM generate_series(1, :contacts) AS n
"""
_SCAN = text("SELECT outcome, count(*) FROM deliveries WHERE mass_message_id = :message GROUP BY outcome")


def create_district(engine, contacts):
    """Create a clerk of a school with 500 students, and the families of a whole district."""
    with transaction(engine) as session:
        lincoln = people.school(session)
        clara = people.staff(session, "Clara", "Clerk", role="siteAdministrator", at=lincoln)
        session.add(SlackUser(user_id="UCLARA", email=clara.email, full_member=True, checked_at=datetime.now(UTC)))
        session.add(SyncRun(source="x", started_at=people.NOW, finished_at=people.NOW, state="done"))
        for statement in (_STUDENTS, _CONTACTS, _LINKS):
            session.execute(text(statement), {"contacts": contacts})
        session.execute(text(_AT_LINCOLN), {"school": lincoln.id})


def send(engine, contacts, number):
    """Store message `number` with all its final receipts; it waits to be settled."""
    message = f"m{number}"
    with transaction(engine) as session:
        sent_at = datetime.now(UTC) - timedelta(days=1) + timedelta(minutes=number)
        session.add(MassMessage(id=message, title="Snow day", sent_at=sent_at, settles_at=sent_at + timedelta(days=9)))
        session.flush()
        session.execute(text(_DELIVERIES), {"contacts": contacts, "message": message, "number": number})
    return message


def maintain(engine):
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def settle(engine, message, *, commits):
    """Settle as the clock does, and undo it where it is to be measured again; returns seconds."""
    with Session(engine) as session, session.begin():
        began = time.perf_counter()
        assert message in due_messages(session, now=datetime.now(UTC))
        settle_message(session, message, now=datetime.now(UTC))
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))  # What a commit does: the kept list of students follows.
        seconds = time.perf_counter() - began
        if not commits:
            session.rollback()
    engine.dispose()  # What was rolled back stays in the temporary tables of a connection.
    return seconds


def scan(engine, message):
    """The floor: seconds of one aggregate scan of a message's deliveries."""
    with engine.connect() as connection:
        began = time.perf_counter()
        connection.execute(_SCAN, {"message": message}).all()
        return time.perf_counter() - began


def count_digest(engine, message):
    with transaction(engine) as session:
        began = time.perf_counter()
        assert load_digest(session, message, today=people.TODAY).sent > 0
        return time.perf_counter() - began


def a_command(client):
    """Type `/cleanup blocked`; returns milliseconds."""
    typed = {"command": "/cleanup", "text": "blocked", "user_id": "UCLARA", "team_id": "T1"}
    body = urlencode(typed | {"trigger_id": f"{threading.get_ident()}.{time.perf_counter_ns()}"}).encode()
    stamp = str(int(time.time()))
    signature = SignatureVerifier(SIGNING).generate_signature(timestamp=stamp, body=body)
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    began = time.perf_counter()
    answer = client.post("/slack/events", content=body, headers=headers)
    assert sum(block["type"] == "section" for block in answer.json()["blocks"]) > 2
    return (time.perf_counter() - began) * 1000


@contextmanager
def clerks(port):
    """Four people type a command each 50 ms or so; yields the milliseconds that each took, which grow meanwhile."""
    times, done = [], threading.Event()

    def type_commands():
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            while not done.wait(0.05):
                times.append(a_command(client))

    threads = [threading.Thread(target=type_commands) for _ in range(CLERKS)]
    for thread in threads:
        thread.start()
    try:
        yield times
    finally:
        done.set()
        for thread in threads:
            thread.join()


def p99(times):
    return sorted(times)[len(times) * 99 // 100]


def measure_commands(port, work=lambda: time.sleep(0.5)):
    """Repeat the work while clerks type, until there are enough samples; returns p99 in milliseconds and their number."""
    with clerks(port) as times:
        time.sleep(1)
        times.clear()
        while len(times) < SAMPLES:
            work()
        samples = list(times)
    return p99(samples), len(samples)


@pytest.mark.parametrize("contacts", SIZES)
def test_growth_with_the_size_of_a_message(empty_database, database_url, free_port, contacts):
    """The first message finds an empty list; the second one what the first left on it."""
    engine = empty_database
    create_district(engine, contacts)
    for number, name in ((0, "first "), (1, "second")):
        message = send(engine, contacts, number)
        maintain(engine)
        floor = median(scan(engine, message) for _ in range(RUNS))
        seconds = median(settle(engine, message, commits=False) for _ in range(RUNS))
        print(f"\n{contacts:>9,} deliveries, {name} message: scan {floor * 1000:5.0f} ms,", end=" ")
        print(f"settled in {seconds * 1000:6.0f} ms ({seconds / floor:4.1f} x)", end="")
        if number == 1:
            with web(database_url, free_port) as serving:
                idle, _ = measure_commands(free_port)
                busy, samples = measure_commands(free_port, lambda: settle(engine, message, commits=False))  # noqa: B023
                print(f"; /cleanup p99 idle {idle:.0f} ms, meanwhile {busy:.0f} ms of {samples}", end="")
                print(f"; memory of web {memory(serving):.0f} MB", end="")
        settle(engine, message, commits=True)
        maintain(engine)
        digest = median(count_digest(engine, message) for _ in range(RUNS))
        print(f"; digest counted in {digest * 1000:.0f} ms", end="")
    with transaction(engine) as session:
        assert session.scalar(text("SELECT count(*) FROM cleanup_list")) >= contacts // 100


def test_growth_with_the_messages_before(empty_database):
    engine = empty_database
    create_district(engine, TO_EACH)
    times = []
    for number in range(HISTORY + 1):
        message = send(engine, TO_EACH, number)
        if number % 20 == 0:
            maintain(engine)
        times.append(min(settle(engine, message, commits=False) for _ in range(RUNS)))
        settle(engine, message, commits=True)
    first = median(times[:10])
    for behind in (50, 100, 150, HISTORY):
        later = median(times[behind - 9 : behind + 1])
        print(f"\n{TO_EACH:,} deliveries, {behind:>3} messages before: {later * 1000:.0f} ms", end=" ")
        print(f"({later / first:.2f} x the first ten, {first * 1000:.0f} ms)", end="")
