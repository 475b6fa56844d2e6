"""An answer that takes longer than Slack waits: an interim response in time, and the answer afterwards."""

import threading
import time
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from support import people, screens
from support.snapshots import draw

from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.models import text_of

TOO_LONG = 4  # Seconds; Slack waits three.


@pytest.fixture
def slack_waits():
    """Slack's three seconds, and ours."""


@pytest.fixture
def sam(session, office):
    sam = people.student(session, "Sam", at=office.district.lincoln)
    people.list_contact(session, people.contact(session, sam))
    session.commit()
    return sam


@contextmanager
def locked_list(engine):
    """No other connection can read the list for `TOO_LONG`."""
    with engine.connect() as connection:
        connection.execute(text("LOCK TABLE cleanup_list IN ACCESS EXCLUSIVE MODE"))
        timer = threading.Timer(TOO_LONG, connection.rollback)
        timer.start()
        yield
        timer.join()


def wait_until(is_shown):
    deadline = time.monotonic() + 10
    while not is_shown() and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_shown()


def show_list(office):
    """Return the message with a list. A busy machine may have answered late, with an interim response."""
    office.clara.command("/cleanup", "grade 5")
    assert wait_until(lambda: text_of(office.clara.last()).startswith("Grade 5\n"))
    return office.clara.last()


def test_slow_command_gets_an_interim_response_and_the_answer_below(office, sam, snapshot):
    with locked_list(office.engine):
        answer = office.clara.command("/cleanup", "grade 5")
    assert answer.error is None
    assert answer.seconds < 3
    assert draw(answer.message) == snapshot
    assert wait_until(lambda: screens.student_ids(office.clara.last()) == [sam.id])
    assert office.clara.last().key != answer.message.key


def test_slow_button_still_changes_the_list(office, sam):
    message = show_list(office)
    with locked_list(office.engine):
        outcome = office.clara.choose(message, "Blocked", action_id="list.show.status")
    assert (outcome.error, outcome.seconds < 3) == (None, True)
    assert wait_until(lambda: text_of(office.clara.current(message)).startswith("Grade 5 · Blocked\n"))


def test_slow_answer_to_a_response_url_is_sent_once_more(office, sam):
    message = show_list(office)
    office.slack.faults.inject("response_url", Fault.DELAY, seconds=TOO_LONG)
    assert office.clara.choose(message, "Blocked", action_id="list.show.status").error is None
    assert wait_until(lambda: text_of(office.clara.current(message)).startswith("Grade 5 · Blocked\n"))
    assert len([call for call in office.slack.calls if call.method == "response_url"]) == 2
