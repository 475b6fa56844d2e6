"""The Home tab: what happened since somebody last looked, and the filter that stays."""

from concurrent.futures import ThreadPoolExecutor

import people
import pytest

from bot.models import ListChange, MassMessage
from bot.sandbox.slack.reading import text_of


@pytest.fixture
def sam(session, office):
    """Sam Rivera, grade 5 at Lincoln; Maria's number is blocked."""
    sam = people.student(session, at=office.district.lincoln)
    people.school_class(session, office.district.ana, office.district.lincoln, sam)
    people.listed(session, people.contact(session, sam))
    session.commit()
    return sam


def _message(session, office, title, *moves):
    """A mass message that settles now; each move is of a new contact of a student: who, how, and by whom they were fixed."""
    session.add(MassMessage(id=title, title=title, sent_at=office.now(), settled_at=office.now()))
    session.flush()
    for student, move, fixed_by in moves:
        one = people.contact(session, student)
        session.add(ListChange(mass_message_id=title, contact_id=one.id, move=move, fixed_by=fixed_by))
    session.commit()


def _home(office, name):
    assert office.who[name].open_home().ok
    return text_of(office.who[name].home)


def test_a_first_look_has_no_news(office, session, sam):
    _message(session, office, "Picture day", (sam, "joined", None))
    assert "Since you last looked" not in _home(office, "clara")


def test_the_next_look_tells_who_joined_and_left_and_whom_ones_own_change_brought_back(office, session, sam):
    _home(office, "clara")
    office.later(days=1)
    moves = [(sam, "joined", None), (sam, "left", office.clara.id), (sam, "left", None), (sam, "changed", None)]
    _message(session, office, "Picture day", *moves)
    office.later(hours=1)
    said = _home(office, "clara")
    assert (
        "1 contact joined your list and 2 contacts left it. 🎉 Of these, 1 got the text after a change of yours."
        in said
    )
    assert "Sam Rivera" in said


def test_news_stays_while_one_comes_and_goes_and_is_old_the_next_day(office, session, sam):
    _home(office, "clara")
    office.later(days=1)
    _message(session, office, "Picture day", (sam, "joined", None))
    office.later(minutes=10)
    assert "1 contact joined" in _home(office, "clara")
    office.later(minutes=30)
    assert "1 contact joined" in _home(office, "clara")
    office.later(days=1)
    assert "Since you last looked" not in _home(office, "clara")


def test_news_is_of_ones_own_students(office, session, sam):
    _home(office, "tom")
    office.later(days=1)
    _message(session, office, "Picture day", (sam, "joined", None))
    assert "Since you last looked" not in _home(office, "tom")


def test_the_filter_that_was_chosen_stays_without_its_page(office, session, sam):
    for number in range(11):
        mate = people.student(session, f"Kim{number}", "Young", at=office.district.lincoln)
        people.listed(session, people.contact(session, mate, family="Young"))
    session.commit()
    _home(office, "clara")
    office.clara.choose(office.clara.home, "All red", action_id="list.show.status")
    office.clara.press(office.clara.home, action_id="list.show.next")
    assert "Page 2 of 2" in text_of(office.clara.home)
    later = _home(office, "clara")
    assert "All red" in later
    assert "Page 1 of 2" in later


def test_a_fix_made_on_a_later_page_leaves_one_on_that_page(office, session, sam):
    for number in range(11):
        mate = people.student(session, f"Kim{number}", "Young", at=office.district.lincoln)
        people.listed(session, people.contact(session, mate, family="Young"))
    session.commit()
    _home(office, "clara")
    office.clara.press(office.clara.home, action_id="list.show.next")
    fix = next(block["accessory"]["value"] for block in office.clara.home.blocks if "accessory" in block)
    office.clara.press(office.clara.home, action_id="student.open", value=fix)
    office.clara.press(office.clara.view, action_id="claim.take")
    office.settled()
    said = text_of(office.clara.home)
    assert "Page 2 of 2" in said
    assert f"<@{office.clara.id}> takes care of it" in said


def test_two_first_looks_at_once_are_one(office, sam):
    with ThreadPoolExecutor(4) as several:
        looked = list(several.map(lambda _: office.clara.open_home(), range(4)))
    assert all(one.ok for one in looked)
