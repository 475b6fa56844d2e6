"""`/cleanup forecast`: what a sender reads before a mass message goes out."""

import pytest
from support import people, screens
from support.snapshots import draw

from bot.db.models.messages import PhoneNumber
from bot.sandbox.slack.models import text_of


@pytest.fixture
def kim(session, office):
    """Sam's mother gets texts, and another adult gets calls; Eva's father is blocked; Kim has no contact at all."""
    at = office.district.lincoln
    sam, eva, kim = (
        people.student(session, name, grade=grade, at=at) for name, grade in (("Sam", "5"), ("Eva", "2"), ("Kim", "1"))
    )
    people.school_class(session, office.district.ana, at, sam)
    people.contact(session, sam)
    people.contact(session, sam, given="Otto", method="call")
    blocked = people.contact(session, eva, given="Pablo")
    session.add(PhoneNumber(phone=blocked.sis_phone, status="blocked", since=people.NOW))
    session.commit()
    return kim


def forecast(person, text=""):
    return person.command("/cleanup", f"forecast {text}").message


def test_forecast_counts_contacts_and_names_students_without_an_adult(office, kim, snapshot):
    message = forecast(office.clara)
    assert screens.student_ids(message)[0] == kim.id
    assert draw(message) == snapshot


def test_forecast_of_one_grade(office, kim, snapshot):
    assert draw(forecast(office.clara, "grade 5")) == snapshot


def test_student_opens_from_the_forecast(office, kim):
    message = forecast(office.clara)
    screens.open_student(office.clara, message, value=f"{kim.id} forecast")
    assert "No contacts at all" in text_of(office.clara.view)


def test_forecast_is_redrawn_after_a_change(office, kim):
    message = forecast(office.clara, "grade 2")
    screens.open_student(office.clara, message)
    screens.choose_more(office.clara, "contact.spoken_stop")
    assert office.clara.fill(office.clara.view, {}).submit().ok
    redrawn = text_of(office.clara.current(message))
    assert redrawn.startswith("If a mass message went out now · Grade 2\n")
    assert "Opt-Out 1" in redrawn


def test_every_student_of_a_forecast_is_on_one_of_its_pages(office, session, kim):
    kids = {people.student(session, f"Kid{number}", grade="1", at=office.district.lincoln).id for number in range(10)}
    session.commit()
    first = forecast(office.clara, "grade 1")
    assert "*11 students have no adult" in text_of(first)
    assert office.clara.press(first, action_id="command.run.0").ok
    second = office.clara.current(first)
    assert set(screens.student_ids(first)) == kids
    assert screens.student_ids(second) == [kim.id]
    assert office.clara.press(second, action_id="command.run.0").ok
    assert screens.student_ids(office.clara.current(first)) == screens.student_ids(first)


def test_page_beyond_the_last_is_the_last(office, kim):
    message = forecast(office.clara, "page 9")
    assert kim.id in screens.student_ids(message)
    assert "command.run.0" not in screens.action_ids(message)


def test_teacher_sees_the_forecast_of_their_own_students(office, kim):
    message = forecast(office.ana)
    assert screens.student_ids(message) == []
    assert "Kim" not in text_of(message)


def test_words_that_cannot_narrow_a_forecast_are_left_out(office, kim):
    assert "left out" in text_of(forecast(office.clara, "blocked"))
    assert "I did not understand" in text_of(forecast(office.clara, "grade 99"))


@pytest.mark.parametrize("typed", ["school Hogwarts", "grade 12", "grade 1 ms garcia"])
def test_forecast_of_no_own_student_is_no_good_news(office, kim, typed):
    message = forecast(office.clara, typed)
    for text in (text_of(message), message.text):
        assert "none of your students" in text
        assert "would get it" not in text


def test_forecast_shows_what_can_still_be_fixed(office, session, kim, snapshot):
    at = office.district.lincoln
    finn, nora = (people.student(session, name, grade="3", at=at) for name in ("Finn", "Nora"))
    people.list_contact(session, people.contact(session, finn, nora, given="Colleen", phone="+13125557169"))
    session.commit()
    message = forecast(office.clara, "grade 3")
    assert draw(message) == snapshot
    assert office.clara.press(message, text="Helps most").ok
    assert text_of(office.clara.current(message)).startswith("What helps most · Grade 3")
