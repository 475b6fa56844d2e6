"""The Home tab: what happened since the last visit, the filter that stays, and redraws after a change."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from support import edits, people, screens
from support.snapshots import draw
from support.statements import captured_statements

from bot.access.rights import AccessLevel
from bot.db.models.messages import CallOutcome, ListChange, ListEntry, MassMessage
from bot.db.models.slack import HomeTab
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.models import text_of

NEWS = "Since your last visit"
PENDING = "Waiting for the next message"
# Only the query of a list has it.
LIST_QUERY = "WITH listed AS"


@pytest.fixture
def sam(session, office):
    """Sam Rivera, grade 5 at Lincoln; Maria's number is blocked."""
    sam = people.student(session, at=office.district.lincoln)
    people.school_class(session, office.district.ana, office.district.lincoln, sam)
    people.list_contact(session, people.contact(session, sam))
    session.commit()
    return sam


@pytest.fixture
def two_pages(session, office, sam):
    """Eleven classmates, so that the list has two pages."""
    for number in range(11):
        mate = people.student(session, f"Kim{number}", "Young", at=office.district.lincoln)
        people.list_contact(session, people.contact(session, mate, family="Young"))
    session.commit()


def settle_message(session, office, *moves):
    """Add a mass message that is final now; each move, (student, move, fixed by), is of a new contact."""
    title = f"Picture day {office.now()}"
    session.add(MassMessage(id=title, title=title, sent_at=office.now(), settled_at=office.now()))
    session.flush()
    for student, move, fixed_by in moves:
        contact = people.contact(session, student)
        session.add(ListChange(mass_message_id=title, contact_id=contact.id, move=move, fixed_by=fixed_by))
    session.commit()


def visit(office, name):
    """Open the Home tab, and return its text."""
    assert office.people[name].open_home().ok
    return text_of(office.people[name].home)


def fix_number(office, message):
    """Fix a number in the student dialog, opened from a message, with the Home tab in another window."""
    clara = office.clara
    screens.open_student(clara, message)
    assert clara.press(clara.view, action_id="contact.edit", block_id="contact.1").ok
    assert clara.fill(clara.view, {"phone": "(312) 555-7177"}).submit().ok


def test_tab_shows_the_own_list(office, sam, snapshot):
    visit(office, "clara")
    assert screens.student_ids(office.clara.home) == [sam.id]
    assert draw(office.clara.home) == snapshot


def test_first_visit_welcomes(office, sam):
    welcome = visit(office, "clara")
    assert "Welcome" in welcome
    assert office.clara.press(office.clara.home, action_id="home.how_it_works").ok
    assert office.clara.view.body["callback_id"] == "help.dialog"
    office.clara.press(office.clara.home, action_id="list.show.no_adult")
    assert "Welcome" in text_of(office.clara.home)
    assert screens.student_ids(office.clara.home) == [sam.id]
    office.advance(days=1)
    assert "Welcome" not in visit(office, "clara")


def test_own_work_comes_before_the_list(office, session, sam, snapshot):
    visit(office, "clara")
    kim = people.student(session, "Kim", "Young", at=office.district.lincoln)
    lars = people.list_contact(session, people.contact(session, kim, given="Lars", family="Young"), "inactive")
    entry = session.get(ListEntry, lars.id)
    entry.claimed_by, entry.claimed_at = office.clara.id, office.now()
    session.commit()
    fix_number(office, office.clara.command("/cleanup", "sam").message)
    office.advance(days=1)
    text = visit(office, "clara")
    assert text.index("You take care of 1 contact") < text.index("Lars Young (Kim Young)") < text.index("Cleanup list")
    assert "1 contact that you fixed waits" in text
    assert "Your work" not in visit(office, "ana")
    assert draw(office.clara.home) == snapshot


def claim(session, office, student, given):
    """List a contact that Clara takes care of, and return the entry."""
    contact = people.list_contact(session, people.contact(session, student, given=given))
    entry = session.get(ListEntry, contact.id)
    entry.claimed_by, entry.claimed_at = office.clara.id, office.now()
    return entry


def call_back(entry, office, *, by, on):
    entry.call_outcome, entry.called_by = CallOutcome.CALL_BACK, by.id
    entry.called_on, entry.call_back_on = office.now().date(), on


def test_promised_call_is_shown_on_its_day(office, session, sam, snapshot):
    tomorrow = office.now().astimezone(office.settings.zone).date() + timedelta(days=1)
    call_back(claim(session, office, sam, "Lars"), office, by=office.clara, on=tomorrow)
    call_back(claim(session, office, sam, "Otto"), office, by=office.ana, on=tomorrow)
    session.commit()
    assert "Coming back today" not in visit(office, "clara")
    office.advance(days=1)
    text = visit(office, "clara")
    assert "Coming back today: 1 contact to call." in text
    assert text.index("Lars Rivera (Sam Rivera)") < text.index("Otto Rivera (Sam Rivera)")
    assert draw(office.clara.home) == snapshot


def test_all_claimed_contacts_open_from_the_tab(office, session, sam):
    for number in range(4):
        claim(session, office, sam, f"Pat{number}")
    session.commit()
    visit(office, "clara")
    assert office.clara.press(office.clara.home, text="Show claimed").ok
    assert "Claimed by me" in text_of(office.clara.home)


def test_pending_changes_are_named_once(office, sam):
    visit(office, "clara")
    fix_number(office, office.clara.command("/cleanup").message)
    assert visit(office, "clara").count("not yet in the student information system") == 1


def test_all_own_changes_open_in_a_dialog(office, session, sam):
    clara = people.actor_of(office.district.clara, level=AccessLevel.DISTRICT, user_id=office.clara.id)
    for number in range(4):
        parent = people.contact(session, sam, given=f"Pat{number}")
        edits.change(session, parent, phone=f"(312) 555-71{number}0", actor=clara)
    session.commit()
    assert "4 changes of yours are not yet in the student information system" in visit(office, "clara")
    assert office.clara.press(office.clara.home, text="Pending changes").ok
    assert "4 changes are pending" in text_of(office.clara.view)


def test_tab_of_a_guest_says_whom_to_ask(office, sam, snapshot):
    visit(office, "gus")
    assert draw(office.gus.home) == snapshot


@pytest.mark.parametrize(("method", "fault"), [("users.info", Fault.HTTP_500), ("views.publish", Fault.INTERNAL_ERROR)])
def test_tab_that_failed_says_so(office, sam, method, fault):
    visit(office, "clara")
    office.advance(minutes=11)
    office.slack.faults.inject(method, fault)
    assert "could not be loaded" in visit(office, "clara")
    assert "reference" in text_of(office.clara.home)
    assert screens.student_ids(office.clara.home) == []
    assert "could not be loaded" not in visit(office, "clara")


def test_tab_says_that_the_database_failed(office, session, sam):
    session.execute(text("ALTER TABLE home_tabs RENAME TO gone"))
    session.commit()
    try:
        assert "could not be loaded" in visit(office, "clara")
    finally:
        session.execute(text("ALTER TABLE gone RENAME TO home_tabs"))
        session.commit()


def test_first_visit_has_no_news(office, session, sam):
    settle_message(session, office, (sam, "joined", None))
    assert NEWS not in visit(office, "clara")


def test_next_visit_counts_who_joined_and_left(office, session, sam, snapshot):
    visit(office, "clara")
    office.advance(days=1)
    moves = [(sam, "joined", None), (sam, "left", office.clara.id), (sam, "left", None), (sam, "changed", None)]
    settle_message(session, office, *moves)
    office.advance(hours=1)
    assert NEWS in visit(office, "clara")
    assert next(line for line in draw(office.clara.home).splitlines() if NEWS in line) == snapshot
    assert screens.student_ids(office.clara.home) == [sam.id]


def test_news_stays_during_one_visit_and_is_gone_the_next_day(office, session, sam):
    visit(office, "clara")
    office.advance(days=1)
    settle_message(session, office, (sam, "joined", None))
    office.advance(minutes=10)
    assert "1 contact joined" in visit(office, "clara")
    office.advance(minutes=30)
    assert "1 contact joined" in visit(office, "clara")
    office.advance(days=1)
    assert NEWS not in visit(office, "clara")


def test_news_is_about_own_students_only(office, session, sam):
    visit(office, "tom")
    office.advance(days=1)
    settle_message(session, office, (sam, "joined", None))
    assert NEWS not in visit(office, "tom")


def test_chosen_filter_stays_without_its_page(office, session, two_pages):
    visit(office, "clara")
    office.clara.choose(office.clara.home, "All red", action_id="list.show.status")
    office.clara.press(office.clara.home, action_id="list.show.next")
    assert "list.show.previous" in screens.action_ids(office.clara.home)
    assert "\nAll red\n" in visit(office, "clara")
    assert "list.show.previous" not in screens.action_ids(office.clara.home)


def test_fix_on_a_later_page_redraws_that_page(office, two_pages):
    visit(office, "clara")
    office.clara.press(office.clara.home, action_id="list.show.next")
    value = screens.values(office.clara.home, "student.open")[0]
    screens.open_student(office.clara, office.clara.home, value=value)
    office.clara.press(office.clara.view, action_id="claim.take")
    assert "list.show.previous" in screens.action_ids(office.clara.home)
    assert f"🙋 <@{office.clara.id}>" in text_of(office.clara.home)


def test_simultaneous_first_visits_are_one(office, session, sam, caplog):
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: office.clara.open_home(), range(4)))
    assert all(outcome.ok for outcome in outcomes)
    assert session.scalars(select(HomeTab.user_id)).all() == [office.clara.id]
    assert screens.student_ids(office.clara.home) == [sam.id]
    assert "reference" not in caplog.text


def test_change_made_from_a_message_shows_on_the_tab(office, sam, snapshot):
    visit(office, "clara")
    fix_number(office, office.clara.command("/cleanup").message)
    assert PENDING in text_of(office.clara.home)
    assert draw(office.clara.home) == snapshot


def test_change_draws_the_list_and_the_tab_once_each(office, sam):
    visit(office, "clara")
    message = office.clara.command("/cleanup").message
    with captured_statements() as statements:
        fix_number(office, message)
    assert sum(LIST_QUERY in statement for statement in statements) == 2


def test_person_who_never_opened_the_tab_gets_none(office, sam):
    fix_number(office, office.clara.command("/cleanup").message)
    assert office.clara.id not in office.slack.homes


def test_redraw_after_a_change_is_not_a_visit(office, session, sam):
    visit(office, "clara")
    office.advance(days=1)
    settle_message(session, office, (sam, "joined", None))
    fix_number(office, office.clara.command("/cleanup").message)
    office.advance(days=1)
    assert "1 contact joined" in visit(office, "clara")


def test_changes_of_colleagues_are_not_own_changes(office, sam):
    fix_number(office, office.clara.command("/cleanup").message)
    assert "Your work" not in visit(office, "ana")
    assert "Your work" in visit(office, "clara")


def test_help_opens_from_the_tab(office, sam):
    visit(office, "clara")
    assert office.clara.press(office.clara.home, action_id="home.help").ok
    assert office.clara.view.body["callback_id"] == "help.dialog"


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("ana", "Students of your own classes."),
        ("clara", "Students of Lincoln Elementary."),
        ("dana", "Every student of the district."),
    ],
)
def test_tab_says_whose_students_it_shows(office, sam, name, scope):
    assert scope in visit(office, name)
    assert [block["type"] for block in office.people[name].home.blocks[:2]] == ["header", "context"]


def test_clerk_who_teaches_may_look_at_own_classes_alone(office, session, sam):
    lea = people.student(session, "Lea", "Novak", at=office.district.lincoln)
    people.list_contact(session, people.contact(session, lea, family="Novak"))
    people.school_class(session, office.district.clara, office.district.lincoln, lea, title="Choir", homeroom=False)
    session.commit()
    visit(office, "clara")
    assert set(screens.student_ids(office.clara.home)) == {sam.id, lea.id}
    office.clara.press(office.clara.home, action_id="list.show.mine")
    assert screens.student_ids(office.clara.home) == [lea.id]
    office.clara.press(office.clara.home, action_id="list.show.all_mine")
    assert set(screens.student_ids(office.clara.home)) == {sam.id, lea.id}


def test_of_two_simultaneous_changes_the_later_one_shows(office, sam):
    """The first redraw reaches Slack after the second one."""
    visit(office, "clara")
    message = office.clara.command("/cleanup").message
    screens.open_student(office.clara, message)
    screens.choose_more(office.clara, "contact.remove")
    office.slack.faults.inject("response_url", Fault.DELAY, seconds=1)
    office.clara.fill(office.clara.view, {"reason": "asked"}).submit()
    office.clara.press(office.clara.view, block_id="student.done", action_id="removal.undo")
    assert screens.student_ids(office.clara.current(message)) == [sam.id]
    assert screens.student_ids(office.clara.home) == [sam.id]


def test_tab_is_redrawn_though_the_list_behind_expired(office, sam):
    visit(office, "clara")
    screens.open_student(office.clara, office.clara.command("/cleanup").message)
    office.clara.press(office.clara.view, action_id="contact.edit")
    office.advance(hours=1)
    office.tick()
    office.clara.fill(office.clara.view, {"phone": "(312) 555-7177"}).submit()
    assert PENDING in text_of(office.clara.home)
