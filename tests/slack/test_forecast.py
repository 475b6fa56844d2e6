"""What a sender reads before a mass message goes out."""

import pytest
from support import people

from bot.db.models.messages import PhoneNumber
from bot.sandbox.slack.reading import text_of


@pytest.fixture
def lincoln(session, office):
    """Sam's mother gets texts; Eva's father blocks them; Kim has no contact at all."""
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


def test_whom_it_would_reach_and_miss_and_who_is_alone(office, lincoln):
    said = text_of(forecast(office.clara))
    assert "*1 contact* would get it." in said
    assert "*1 contact* would miss it: Blocked 1." in said
    assert "1 contact gets calls or e-mail instead." in said
    assert "*2 students have no adult who would get it.*" in said
    assert said.index("Kim Rivera") < said.index("Eva Rivera")


def test_the_forecast_of_one_grade(office, lincoln):
    said = text_of(forecast(office.clara, "grade 5"))
    assert "If a mass message went out now · Grade 5" in said
    assert "Every student has an adult who would get it." in said


def test_a_student_of_the_forecast_is_opened_from_it(office, lincoln):
    message = forecast(office.clara)
    assert office.clara.press(message, action_id="student.open", value=f"{lincoln.id} forecast").ok
    assert "No contacts at all" in text_of(office.clara.view)


def test_after_a_change_the_forecast_is_a_forecast_again(office, lincoln):
    message = forecast(office.clara, "grade 2")
    office.clara.press(message, action_id="student.open")
    office.clara.press(office.clara.view, action_id="contact.spoken_stop")
    assert office.clara.fill(office.clara.view, {}).submit().ok
    office.settled()
    said = text_of(office.clara.again(message))
    assert "If a mass message went out now · Grade 2" in said
    assert "would miss it: Opt-Out 1." in said


def test_every_student_of_a_forecast_is_on_one_of_its_pages(office, session, lincoln):
    for number in range(10):
        people.student(session, f"Kid{number}", grade="1", at=office.district.lincoln)
    session.commit()
    first = forecast(office.clara, "grade 1")
    assert "*11 students have no adult who would get it.*" in text_of(first)
    assert "Page 1 of 2." in text_of(first)
    assert office.clara.press(first, action_id="command.run.0").ok
    second = office.clara.again(first)
    assert "Page 2 of 2." in text_of(second)
    assert [name in text_of(first) for name in ("Kid0", "Kid9", "Kim")] == [True, True, False]
    assert [name in text_of(second) for name in ("Kid0", "Kid9", "Kim")] == [False, False, True]
    assert office.clara.press(second, action_id="command.run.0").ok
    assert "Kid0" in text_of(office.clara.again(first))


def test_a_page_beyond_the_last_of_a_forecast_is_the_last(office, lincoln):
    said = text_of(forecast(office.clara, "page 9"))
    assert "Kim Rivera" in said
    assert "Page" not in said


def test_a_teacher_reads_of_their_own_students(office, lincoln):
    assert "Kim" not in text_of(forecast(office.ana))


def test_what_a_mass_message_cannot_know_is_said_to_be_left_out(office, lincoln):
    assert "left out" in text_of(forecast(office.clara, "blocked"))
    assert "I did not understand" in text_of(forecast(office.clara, "grade 99"))


@pytest.mark.parametrize("typed", ["school Hogwarts", "grade 12", "grade 1 ms garcia"])
def test_a_forecast_of_none_of_ones_students_is_no_good_news(office, lincoln, typed):
    message = forecast(office.clara, typed)
    for said in (text_of(message), message.text):
        assert "Nobody here: none of your students" in said
        assert "would get it" not in said
