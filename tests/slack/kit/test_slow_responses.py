"""An answer that takes longer than Slack waits: something true at once, and the answer after it."""

import threading
import time
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from support.people import contact, listed, student

from bot.sandbox.slack.reading import text_of

TOO_LONG = 4
"""Seconds: longer than Slack waits."""


@pytest.fixture
def sam(session, office):
    sam = student(session, "Sam", at=office.district.lincoln)
    listed(session, contact(session, sam, given="Maria"), "blocked")
    session.commit()
    return sam


@contextmanager
def busy(engine):
    """For so long nobody can read the list."""
    with engine.connect() as connection:
        connection.execute(text("LOCK TABLE cleanup_list IN ACCESS EXCLUSIVE MODE"))
        free = threading.Timer(TOO_LONG, connection.rollback)
        free.start()
        yield
        free.join()


def until(shown):
    """Wait for something on a screen."""
    until = time.monotonic() + 10
    while not shown() and time.monotonic() < until:
        time.sleep(0.05)
    return shown()


def test_a_command_that_takes_too_long_is_told_to_wait_and_answered_below(office, sam):
    with busy(office.engine):
        answer = office.clara.command("/cleanup", "grade 5")
    assert (answer.error, text_of(answer.message)) == (
        None,
        "One moment: this takes longer than usual. The answer follows below.",
    )
    assert answer.seconds < 3
    assert until(lambda: "Sam Rivera" in text_of(office.clara.last()))
    assert office.clara.last().key != answer.message.key


def test_a_button_that_takes_too_long_does_what_it_does_all_the_same(office, sam):
    answer = office.clara.command("/cleanup", "grade 5").message
    with busy(office.engine):
        pressed = office.clara.choose(answer, "Blocked", action_id="list.show.status")
    assert (pressed.error, pressed.seconds < 3) == (None, True)
    assert until(lambda: "Grade 5 · Blocked" in text_of(office.clara.again(answer)))
