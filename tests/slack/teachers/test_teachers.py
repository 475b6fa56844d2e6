"""*Ask the teacher* in Slack: the message, its dialogs, and the card on which the office decides."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from support import people, screens
from support.edits import change
from support.snapshots import draw
from support.surfaces import clerk

from bot.db.models.edits import Edit
from bot.db.models.messages import PhoneNumber
from bot.db.models.roster import ClassStudent, Contact
from bot.db.models.teacher_questions import TeacherMessage, TeacherQuestion
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.models import text_of

MONDAY = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)


@pytest.fixture
def sam(session, office):
    """Sam's mother Maria is blocked; Ana has Sam in her homeroom. It is a Monday morning."""
    office.advance(seconds=(MONDAY - datetime.now(UTC)).total_seconds())
    sam = people.student(session, at=office.district.lincoln)
    people.list_contact(session, people.contact(session, sam, phone="+13125550142"))
    people.school_class(session, office.district.ana, office.district.lincoln, sam)
    session.commit()
    return sam


def open_sam(person):
    screens.open_student(person, person.command("/cleanup", "sam").message)


def ask(office):
    open_sam(office.clara)
    assert office.clara.press(office.clara.view, action_id="student.ask_teacher").ok
    office.advance(minutes=11)
    assert office.tick().failed == ()
    return office.ana.last()


def answer(office, number="(312) 555-9901", note="It is the aunt's"):
    message = ask(office)
    assert office.ana.press(message, action_id="teacher.have_number").ok
    assert office.ana.fill(office.ana.view, {"phone": number, "note": note}).submit().ok
    assert office.tick().failed == ()
    return office.clara.last()


def edits(session):
    session.rollback()
    return [(edit.made_by, edit.value) for edit in session.scalars(select(Edit).order_by(Edit.id))]


def test_button_says_who_is_asked(office, sam):
    open_sam(office.clara)
    assert office.clara.press(office.clara.view, action_id="student.ask_teacher").ok
    assert "Ana García gets a message today" in text_of(office.clara.view)
    assert "no answer yet" in text_of(office.clara.view)
    assert "student.ask_teacher" not in screens.action_ids(office.clara.view)


def test_teacher_gets_one_message_without_a_number(office, sam, snapshot):
    message = ask(office)
    assert draw(message) == snapshot
    assert "0142" not in str(message.blocks)
    assert "Sam" not in message.text
    count = len(office.ana.messages())
    office.advance(minutes=30)
    office.tick()
    assert len(office.ana.messages()) == count


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.HTTP_500, Fault.INTERNAL_ERROR])
def test_lost_answer_does_not_send_a_message_twice(office, session, sam, fault):
    open_sam(office.clara)
    assert office.clara.press(office.clara.view, action_id="student.ask_teacher").ok
    count = len(office.ana.messages())
    office.advance(minutes=11)
    office.slack.faults.inject("chat.postMessage", fault, applied=True)
    for _ in range(3):
        office.tick()
        office.advance(minutes=10)
    assert len(office.ana.messages()) == count + 1
    session.rollback()
    assert session.scalars(select(TeacherMessage.state)).one() == "failed"


def test_failed_message_brings_the_button_back(office, session, sam):
    open_sam(office.clara)
    assert office.clara.press(office.clara.view, action_id="student.ask_teacher").ok
    office.advance(minutes=11)
    office.slack.faults.inject("chat.postMessage", Fault.REFUSED, error="user_not_found")
    office.tick()
    open_sam(office.clara)
    assert "The message to Ana García of" in text_of(office.clara.view)
    assert office.clara.press(office.clara.view, action_id="student.ask_teacher").ok
    assert "no answer yet" in text_of(office.clara.view)


def test_number_is_approved_in_one_click(office, session, sam, snapshot):
    card = answer(office)
    assert draw(card) == snapshot
    assert "The office checks the number" in text_of(office.ana.last())
    assert office.clara.press(card, action_id="teacher.use_number.0").ok
    assert edits(session) == [(office.clara.id, "+13125559901")]
    office.tick()
    (decided,) = [message for message in office.clara.messages() if "A teacher answered" in message.text]
    assert "The number was entered" in text_of(decided)
    assert "aunt" not in text_of(decided)
    assert screens.action_ids(decided) == set()


def test_number_of_an_old_card_overwrites_no_newer_one(office, session, sam):
    card = answer(office)
    maria = session.scalars(select(Contact)).one()
    change(session, maria, phone="+13125559903", actor=clerk(office))
    session.commit()
    office.clara.press(card, action_id="teacher.use_number.0")
    assert [value for _, value in edits(session)] == ["+13125559903"]
    assert "Someone changed this contact" in text_of(office.clara.last())
    current = office.clara.current(card)
    assert "teacher.use_number.0" not in screens.action_ids(current)
    assert "No button for Maria Rivera" in text_of(current)


def test_contact_who_opts_out_is_not_given_the_number(office, session, sam):
    card = answer(office)
    session.get(PhoneNumber, "+13125550142").opted_out_at = office.now()
    session.commit()
    office.clara.press(card, action_id="teacher.use_number.0")
    assert edits(session) == []
    assert "opted out" in text_of(office.clara.last())


def test_button_of_an_older_version_is_refused(office, session, sam):
    card = answer(office)
    for element in card.blocks[-2]["elements"]:
        element["value"] = " ".join(element["value"].split()[:2])
    office.clara.press_stale(card, action_id="teacher.use_number.0")
    assert edits(session) == []
    assert "older version" in text_of(office.clara.last())


@pytest.mark.parametrize("enrolled", [True, False])
def test_old_card_loses_what_was_typed(office, session, sam, enrolled):
    card = answer(office)
    sam.active = enrolled
    session.commit()
    office.advance(days=31)
    for _ in range(2):
        assert office.tick().failed == ()
        office.advance(minutes=3)
    words = text_of(office.clara.current(card))
    assert "aunt" not in words
    assert "9901" not in words
    assert ("Sam" in words) is enrolled


def test_answer_is_set_aside(office, session, sam):
    card = answer(office)
    assert office.clara.press(card, action_id="teacher.set_aside").ok
    assert edits(session) == []
    assert "Set aside" in text_of(office.clara.current(card))


def test_somebody_else_to_try_goes_to_the_office(office, sam):
    message = ask(office)
    assert office.ana.press(message, action_id="teacher.try_other").ok
    assert office.ana.fill(office.ana.view, {"note": "The brother is in grade 9"}).submit().ok
    office.tick()
    card = office.clara.last()
    assert "The brother is in grade 9" in text_of(card)
    assert screens.labels(card) == ["Done"]


def test_no_idea_asks_no_one(office, sam):
    message = ask(office)
    count = len(office.clara.messages())
    assert office.ana.press(message, action_id="teacher.no_idea").ok
    assert office.tick().failed == ()
    assert len(office.clara.messages()) == count
    assert screens.action_ids(office.ana.current(message)) == set()
    open_sam(office.clara)
    assert ": no idea." in text_of(office.clara.view)


def test_wrong_number_is_refused_under_its_field(office, session, sam):
    message = ask(office)
    assert office.ana.press(message, action_id="teacher.have_number").ok
    outcome = office.ana.fill(office.ana.view, {"phone": "(312) 555-0100"}).submit()
    assert "phone" in outcome.errors
    session.rollback()
    assert session.scalars(select(TeacherQuestion.answer)).one() is None


def test_teacher_who_lost_the_class_is_refused(office, session, sam):
    message = ask(office)
    assert office.ana.press(message, action_id="teacher.have_number").ok
    for enrollment in session.scalars(select(ClassStudent)):
        enrollment.active = False
    session.commit()
    office.ana.fill(office.ana.view, {"phone": "(312) 555-9901"}).submit()
    session.rollback()
    assert session.scalars(select(TeacherQuestion.answer)).one() is None


@pytest.mark.parametrize("settings_changed", [{"ask_teachers": "off"}])
def test_button_is_absent_where_the_district_asks_no_teachers(office, sam):
    open_sam(office.clara)
    assert "student.ask_teacher" not in screens.action_ids(office.clara.view)


@pytest.mark.parametrize("settings_changed", [{"ask_teachers": "daily"}])
def test_daily_question_needs_no_button(office, sam):
    assert office.tick().failed == ()
    office.advance(minutes=11)
    assert office.tick().failed == ()
    assert "no adult we can text" in office.ana.last().text
