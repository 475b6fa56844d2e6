"""The Home tab: what happened since somebody last looked, and the filter that stays."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from support import people
from support.statements import asked

from bot.db.models.messages import ListChange, MassMessage
from bot.db.models.slack import HomeTab
from bot.sandbox.slack.faults import Fault
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


def test_two_first_looks_at_once_are_one(office, session, sam, caplog):
    with ThreadPoolExecutor(4) as several:
        looked = list(several.map(lambda _: office.clara.open_home(), range(4)))
    assert all(one.ok for one in looked)
    assert session.scalars(select(HomeTab.user_id)).all() == [office.clara.id]
    assert "Sam Rivera" in text_of(office.clara.home)
    assert "reference" not in caplog.text


def _fixed(office, message):
    """A number fixed in the student dialog that was opened from a message, with the Home tab in another window."""
    clara = office.clara
    assert clara.press(message, action_id="student.open").ok
    assert clara.press(clara.view, action_id="contact.edit", block_id="contact.1").ok
    assert clara.fill(clara.view, {"phone": "(312) 555-7177"}).submit().ok
    office.settled()


def test_a_change_made_from_a_message_is_on_the_home_tab_at_once(office, sam):
    _home(office, "clara")
    _fixed(office, office.clara.command("/cleanup").message)
    said = text_of(office.clara.home)
    assert "waiting for the next mass message" in said
    assert "Your changes that the student information system does not have yet" in said
    assert "••• 7177" in said.replace("\u00a0", " ")


LIST = "gathered AS MATERIALIZED"
"""What only the query of a list has."""


def test_a_change_draws_the_list_and_the_tab_once_each(office, sam):
    _home(office, "clara")
    message = office.clara.command("/cleanup").message
    drawn = []
    with asked(drawn.append):
        _fixed(office, message)
    assert sum(LIST in one for one in drawn) == 2


def test_whoever_never_looked_gets_no_tab_for_a_change(office, sam):
    _fixed(office, office.clara.command("/cleanup").message)
    assert office.clara.id not in office.slack.homes


def test_a_tab_that_is_drawn_again_after_a_change_was_not_looked_at(office, session, sam):
    _home(office, "clara")
    office.later(days=1)
    _message(session, office, "Picture day", (sam, "joined", None))
    _fixed(office, office.clara.command("/cleanup").message)
    office.later(days=1)
    assert "1 contact joined" in _home(office, "clara")


def test_changes_of_colleagues_are_not_among_ones_own(office, sam):
    _fixed(office, office.clara.command("/cleanup").message)
    assert "Your changes" not in _home(office, "ana")
    assert "Your changes" in _home(office, "clara")


def test_help_opens_from_the_tab(office, sam):
    _home(office, "clara")
    assert office.clara.press(office.clara.home, action_id="home.help").ok
    assert "Each of these can be undone." in text_of(office.clara.view)


@pytest.mark.parametrize(
    ("name", "whose"),
    [
        ("ana", "Students of your own classes."),
        ("clara", "Students of Lincoln Elementary."),
        ("dana", "Every student of the district."),
    ],
)
def test_below_its_heading_the_tab_says_whose_students_it_shows(office, sam, name, whose):
    assert whose in _home(office, name)
    assert [block["type"] for block in office.who[name].home.blocks[:2]] == ["header", "context"]


def test_whoever_teaches_and_sees_a_school_may_look_at_their_own_classes_alone(office, session, sam):
    other = people.student(session, "Lea", "Novak", at=office.district.lincoln)
    people.listed(session, people.contact(session, other, family="Novak"))
    people.school_class(session, office.district.clara, office.district.lincoln, other, title="Choir", homeroom=False)
    session.commit()
    assert "Sam Rivera" in _home(office, "clara")
    office.clara.press(office.clara.home, text="My own classes")
    said = text_of(office.clara.home)
    assert "Lea Novak" in said
    assert "Sam Rivera" not in said
    office.clara.press(office.clara.home, text="All")
    assert "Sam Rivera" in text_of(office.clara.home)


def test_of_two_changes_at_once_the_tab_and_the_list_show_the_later(office, session, sam):
    """The first answer reaches Slack after the second; nobody is left with the older list."""
    _home(office, "clara")
    message = office.clara.command("/cleanup").message
    office.clara.press(message, action_id="student.open")
    office.clara.press(office.clara.view, action_id="contact.remove")
    office.slack.faults.order("response_url", Fault.DELAY, seconds=1)
    office.clara.fill(office.clara.view, {"reason": "asked"}).submit()
    office.clara.press(office.clara.view, action_id="removal.undo")
    office.settled()
    assert "Maria Rivera" in text_of(office.clara.again(message))
    assert "Maria Rivera" in text_of(office.clara.home)


def test_an_hour_after_the_list_was_opened_the_tab_still_hears_of_the_change(office, sam):
    _home(office, "clara")
    office.clara.press(office.clara.command("/cleanup").message, action_id="student.open")
    office.clara.press(office.clara.view, action_id="contact.edit")
    office.later(hours=1)
    office.tick()
    office.clara.fill(office.clara.view, {"phone": "(312) 555-7177"}).submit()
    office.settled()
    assert "waiting for the next mass message" in text_of(office.clara.home)
