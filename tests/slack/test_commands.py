"""Words that look like commands and are none: what was probably meant, and still a way to the name."""

import pytest
from support import people, screens
from support.snapshots import draw

from bot.sandbox.slack.models import text_of


@pytest.fixture
def homes(session, office):
    """A family whose name is such a word."""
    student = people.student(session, "Lea", "Home", at=office.district.lincoln)
    people.list_contact(session, people.contact(session, student, given="Ada", family="Home"))
    session.commit()
    return student


@pytest.mark.parametrize("word", ["home", "undo", "fix"])
def test_word_is_answered_with_what_it_probably_meant(office, word, snapshot):
    assert draw(office.clara.command("/cleanup", word).message) == snapshot


def test_home_links_to_the_home_tab(office):
    answer = text_of(office.clara.command("/cleanup", " Home ").message)
    assert "<slack://app?team=" in answer
    assert "&amp;tab=home|Home tab>" in answer


def test_undo_leads_to_the_pending_changes(office, homes):
    message = office.clara.command("/cleanup", "undo").message
    assert office.clara.press(message, action_id="command.run.0").ok
    assert "Nothing is pending" in text_of(office.clara.current(message))


def test_name_that_is_such_a_word_is_found(office, homes):
    message = office.clara.command("/cleanup", "home").message
    assert office.clara.press(message, action_id="command.run.1").ok
    assert screens.student_ids(office.clara.current(message)) == [homes.id]
    assert screens.student_ids(office.clara.command("/cleanup", "lea home").message) == [homes.id]


def test_guest_is_refused(office):
    assert "data@district.example" in text_of(office.gus.command("/cleanup", "undo").message)
