"""The real bot in front of a database whose network fails: people are answered in time, and never with false comfort."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select
from support import people, screens
from support.tcp_proxy import COMMIT, serve_proxy

from bot.db.engine import build_engine
from bot.db.models.edits import Edit
from bot.db.session import INTERACTIVE
from bot.sandbox.slack.models import text_of

COMMANDS = 14
ANSWERED_WITHIN = 10  # Seconds.


@pytest.fixture
def proxy(database_url):
    with serve_proxy(database_url) as proxy:
        yield proxy


@pytest.fixture
def office_engine(proxy):
    engine = build_engine(proxy.url, limits=INTERACTIVE)
    yield engine
    engine.dispose()


@pytest.fixture
def maria(session, office):
    student = people.student(session, at=office.district.lincoln)
    maria = people.contact(session, student)
    people.list_contact(session, maria)
    session.commit()
    return maria


def commands_at_once(office):
    """Return the answers to several commands, and how long all of them took."""
    started = time.monotonic()
    with ThreadPoolExecutor(COMMANDS) as pool:
        answers = list(pool.map(lambda _: office.clara.command("/cleanup", "grade 5"), range(COMMANDS)))
    return answers, time.monotonic() - started


def lists_seen(office):
    return sum(bool(screens.student_ids(message)) for message in office.clara.messages())


def wait_until(is_true):
    deadline = time.monotonic() + ANSWERED_WITHIN
    while not is_true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_true()


def test_commands_are_answered_after_open_connections_went_silent(office, maria, proxy):
    commands_at_once(office)
    before = lists_seen(office)
    proxy.silence_open_connections()
    answers, seconds = commands_at_once(office)
    assert [answer.error for answer in answers] == [None] * COMMANDS
    assert seconds < ANSWERED_WITHIN
    assert wait_until(lambda: lists_seen(office) == before + COMMANDS)


def test_vanished_database_is_said_to_the_person(office, maria, proxy):
    office.clara.command("/cleanup", "grade 5")
    proxy.silence_everything()
    assert office.clara.command("/cleanup", "grade 5").error is None
    assert wait_until(lambda: "report reference" in text_of(office.clara.last()))
    proxy.accepts = True


def test_lost_answer_to_a_saved_edit_does_not_deny_it(office, maria, proxy, session, caplog):
    shown = office.clara.command("/cleanup", "grade 5").message
    office.clara.press(shown, action_id="student.open")
    dialog = office.clara.fill(office.clara.view, {"phone": "(312) 555-0199"})
    proxy.lost_answer = COMMIT
    outcome = dialog.submit()
    proxy.lost_answer = None
    assert session.scalar(select(func.count()).select_from(Edit)) == 1
    assert "may or may not have been saved" in outcome.errors["phone"]
    assert "database.commit_unknown" in caplog.text
