"""What people wait for in Slack, in districts of 10,000, 100,000, and 1,000,000 students with an eighth of them on the list.

`STUDENTS=20000` tries it on one small district. The server has one core, the load another; PostgreSQL takes what is left of both.
Beside each answer stands the time of a listener of the same server that only answers, with as many blocks and no database.
"""

import base64
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, cycle, islice
from urllib.parse import urlencode

import httpx
import listed_district
import pytest
from listed_district import CLERKS
from serving import HERE, SIGNING, answering, flood, web
from slack_sdk.signature import SignatureVerifier
from sqlalchemy import text

from bot.db.models.bulk import BulkChange
from bot.db.models.edits import Edit
from bot.db.session import transaction
from bot.digests.report import load_digest
from bot.slack.list import links

DISTRICTS = [int(number) for number in os.environ.get("STUDENTS", "10000,100000,1000000").split(",")]
ROUNDS = 3
_triggers = count(1)


@dataclass(frozen=True)
class Question:
    """A command (None: opening the Home tab), who asks it, how often, and the p99 in milliseconds that it should keep."""

    text: str | None
    users: tuple[str, ...]
    target: int
    times: int = 100


TEACHER, CLERK, PRINCIPAL, DISTRICT = ("UTINA",), ("UCLARA",), ("UPAULA",), ("UDANA",)
QUESTIONS = (
    *(Question("", who, 60) for who in (TEACHER, CLERK, PRINCIPAL)),
    *(Question("grade 5 blocked", who, 60) for who in (TEACHER, CLERKS, PRINCIPAL)),
    *(Question(text, DISTRICT, 250) for text in ("", "page 50", "grade 5 blocked", "no adult", "no adult page 50")),
    *(Question("student Bace", who, 150) for who in (TEACHER, CLERK, PRINCIPAL, DISTRICT)),
    Question("student Vawxexi", DISTRICT, 150),
    Question("student Qqqqqqqqq", DISTRICT, 150),
    *(Question("next", who, 100) for who in (TEACHER, CLERK, PRINCIPAL)),
    Question("next", DISTRICT, 1_000),
    *(Question("most", who, 200) for who in (TEACHER, CLERK, PRINCIPAL)),
    Question("most", DISTRICT, 1_000),
    *(Question("unverified", who, 100) for who in (TEACHER, CLERK, PRINCIPAL)),
    Question("unverified", DISTRICT, 50),
    Question("unverified Bace", DISTRICT, 250),
    *(Question(number, who, 100) for number in ("0109", "(312) 000-0109") for who in (TEACHER, CLERK, PRINCIPAL)),
    *(Question(number, DISTRICT, 250) for number in ("0109", "(312) 000-0109")),
    *(Question("forecast", who, 100) for who in (TEACHER, CLERK, PRINCIPAL)),
    Question("forecast", DISTRICT, 2_000, times=10),
    Question("forecast grade 5", DISTRICT, 2_000, times=10),
    *(Question("pending", who, 150) for who in (TEACHER, CLERK, PRINCIPAL, DISTRICT)),
    *(Question(None, who, 150) for who in (TEACHER, CLERK, PRINCIPAL, DISTRICT)),
)


@pytest.fixture(scope="module", params=DISTRICTS, ids=lambda students: f"{students:,} students")
def district(engine, request):
    listed_district.build(engine, request.param)
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


def request(fields, *, as_json=False):
    """A signed request from Slack, as load.py takes it."""
    body = json.dumps(fields).encode() if as_json else urlencode(fields).encode()
    stamp = str(int(time.time()))
    signature = SignatureVerifier(SIGNING).generate_signature(timestamp=stamp, body=body)
    head = (
        f"POST /slack/events HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slack-Request-Timestamp: {stamp}\r\n"
        f"X-Slack-Signature: {signature}\r\n"
        f"Content-Type: application/{'json' if as_json else 'x-www-form-urlencoded'}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return base64.b64encode(head.encode() + body)


def commands(number, typed, users=CLERKS):
    """So many, of one after the other of `users`."""
    fixed = {"command": "/cleanup", "text": typed, "team_id": "T1"}
    return [request(fixed | {"user_id": user, "trigger_id": next(_triggers)}) for user in islice(cycle(users), number)]


def openings_of_home(number, users):
    """As many visits of the Home tab."""
    event = {"type": "app_home_opened", "tab": "home", "channel": "D1"}
    body = {"type": "event_callback", "team_id": "T1", "api_app_id": "A1"}
    return [
        request(body | {"event": event | {"user": user}, "event_id": f"E{next(_triggers)}"}, as_json=True)
        for user in islice(cycle(users), number)
    ]


def asked(question, number):
    if question.text is None:
        return openings_of_home(number, question.users)
    return commands(number, question.text, question.users)


def answered(port, one):
    """The answer to a request, as JSON."""
    head, body = base64.b64decode(one).split(b"\r\n\r\n", 1)
    headers = dict(line.decode().split(": ", 1) for line in head.split(b"\r\n")[2:])
    answer = httpx.post(f"http://127.0.0.1:{port}/slack/events", content=body, headers=headers, timeout=60)
    assert answer.status_code == 200
    return answer.json() if answer.content else {}


def told(what, measured, floor=None):
    assert set(measured["statuses"]) == {"200"}
    ratio = f" ({measured['rate'] / floor['rate']:.2f} x the bare listener)" if floor else ""
    print(
        f"\n{what}: {measured['rate']:.0f}/s{ratio}, p50 {measured['p50'] * 1000:.0f} ms, p99 {measured['p99'] * 1000:.0f} ms",
        end="",
    )


@pytest.fixture(scope="module")
def bare_listener(district, database_url):
    """The port of a server that only answers, with the blocks of a list."""
    process = subprocess.Popen(
        [sys.executable, HERE / "bare_bolt.py", "16"],
        env={**os.environ, "DATABASE_URL": database_url, "PORT": "8612", "SLACK_SIGNING_SECRET": SIGNING},
    )
    with answering(process, 8612):
        os.sched_setaffinity(process.pid, {0})
        flood(8612, 1, commands(50, "grade 5 blocked"))
        yield 8612


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: f"{question.text} {question.users[0]}")
def test_question(bot, bare_listener, question):
    """The first answer of the process, then the median of three rounds of one person who asks without a pause."""
    started = time.perf_counter()
    answer = answered(bot, asked(question, 1)[0])
    first = time.perf_counter() - started
    assert question.text is None or len(answer["blocks"]) > 1
    rounds = [flood(bot, 1, asked(question, question.times)) for _ in range(ROUNDS)]
    assert {status for measured in rounds for status in measured["statuses"]} == {"200"}
    p50, p99 = (statistics.median(measured[name] for measured in rounds) * 1000 for name in ("p50", "p99"))
    floor = flood(bare_listener, 1, commands(100, "grade 5 blocked"))["p50"] * 1000
    verdict = "" if p99 <= question.target else "  MISSED"
    print(
        f"\n{question.users[0]:7} {question.text if question.text is not None else 'Home':20}"
        f" first {first * 1000:6.0f} ms, p50 {p50:6.0f} ms ({p50 / floor:5.1f} x the bare listener), p99 {p99:6.0f} ms,"
        f" target {question.target:5} ms{verdict}",
        end="",
    )


def test_the_list_is_not_empty(bot):
    for users in (TEACHER, CLERK, PRINCIPAL, DISTRICT):
        blocks = answered(bot, commands(1, "", users)[0])["blocks"]
        assert [block for block in blocks if block.get("accessory", {}).get("action_id") == "student.open"]


def test_counting_a_digest(district, request):
    with transaction(district) as session:
        started = time.perf_counter()
        scan = "SELECT outcome, count(*) FROM deliveries WHERE mass_message_id = 'snow' GROUP BY 1"
        assert session.execute(text(scan)).all()
        floor = time.perf_counter() - started
        started = time.perf_counter()
        digest = load_digest(session, "snow", today=datetime.now(UTC).date())
        seconds = time.perf_counter() - started
    verdict = "" if seconds <= 2 else "  MISSED"
    print(
        f"\ndigest of {digest.sent:,} deliveries: {seconds:.2f} s ({seconds / floor:.1f} x one scan of them),"
        f" target 2 s{verdict}",
        end="",
    )


def test_the_command_beside_a_listener_that_only_answers(bot, bare_listener):
    blocks = answered(bot, commands(1, "grade 5 blocked")[0])["blocks"]
    assert sum(block["type"] == "section" for block in blocks) > 2
    ratios = []
    for _ in range(ROUNDS):
        flood(bot, 4, commands(100, "grade 5 blocked"))
        floor = flood(bare_listener, 4, commands(1_000, "grade 5 blocked"))
        told("bare listener", floor)
        measured = flood(bot, 4, commands(1_000, "grade 5 blocked"))
        told("grade 5 blocked", measured, floor)
        ratios.append(measured["rate"] / floor["rate"])
    print(f"\nmedian {statistics.median(ratios):.2f} x the bare listener, target 0.35", end="")


@pytest.mark.parametrize("rate", [10, 200])
def test_the_command_at_a_rate(bot, rate):
    flood(bot, 4, commands(100, "grade 5 blocked"))
    told(f"at {rate}/s", flood(bot, 20, commands(rate * 10, "grade 5 blocked"), rate))


def interaction(payload, user="UCLARA"):
    about = {"user": {"id": user, "team_id": "T1"}, "team": {"id": "T1"}, "trigger_id": str(next(_triggers))}
    return request({"payload": json.dumps(payload | about)})


@pytest.mark.parametrize(("user", "target"), [("UCLARA", 100), ("UPAULA", 100), ("UDANA", 250)])
def test_opening_the_bulk_edit(bot, bare_listener, district, user, target):
    """A preview of every contact in the list. A district's list is longer than one change may be, so it names the last school."""
    with transaction(district) as session:
        last_school = session.scalar(text("SELECT name FROM schools ORDER BY id DESC LIMIT 1"))
    list_text = f"school {last_school}" if user == "UDANA" else ""
    hook = {"type": "block_actions", "response_url": "http://127.0.0.1:8611/hook", "channel": {"id": "C1"}}
    button = {"type": "button", "block_id": "b", "action_id": links.BULK, "value": list_text}
    measured = flood(bot, 1, [interaction(hook | {"actions": [button]}, user) for _ in range(100)])
    with transaction(district) as session:
        assert session.query(BulkChange).filter_by(user_id=user).count() == 100
    floor = flood(bare_listener, 1, commands(100, "grade 5 blocked"))
    told(f"{user} opens the bulk edit of {list_text or 'the whole list'}, target p99 {target} ms", measured, floor)


def test_the_student_dialog(bot, bare_listener, district):
    with transaction(district) as session:
        rows = session.execute(
            text(
                "SELECT DISTINCT ON (l.contact_id) l.student_id, l.contact_id FROM student_contacts l JOIN cleanup_list e USING (contact_id)"
                " WHERE l.student_id <= 650 AND e.updated_at IS NULL AND e.contact_id NOT IN (SELECT contact_id FROM removals)"
                " ORDER BY l.contact_id"
            )
        ).all()
    hook = {"type": "block_actions", "response_url": "http://127.0.0.1:8611/hook", "channel": {"id": "C1"}}
    action = {"type": "button", "block_id": "b", "action_id": "student.open"}
    opening = [
        interaction(hook | {"actions": [action | {"value": f"{row.student_id} grade 5"}]})
        for row in rows
        for _ in range(5)
    ]
    floor = flood(bare_listener, 1, commands(100, "grade 5 blocked"))
    told("open the student dialog", flood(bot, 1, opening), floor)
    saving = [interaction(_saved(row, place)) for place, row in enumerate(rows)]
    told("save an edit", flood(bot, 1, saving), floor)
    with transaction(district) as session:
        assert session.query(Edit).filter_by(made_by="UCLARA").count() == len(rows)


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
