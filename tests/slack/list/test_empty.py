"""Empty lists: a filter that no student meets is told apart from a list on which every contact can be texted."""

import pytest
from support import people, screens
from support.snapshots import draw, normalized

from bot.db.models.messages import MassMessage
from bot.db.models.roster import Student
from bot.sandbox.slack.models import text_of
from bot.sandbox.slack.people import Person

# Only good news has it.
GOOD = "✅"


@pytest.fixture
def sam(session, office):
    """Sam, grade 5, in Ana's class at Lincoln, and Lee, grade 10, in Tom's at Roosevelt; no contact is on the list."""
    sam = people.student(session, at=office.district.lincoln)
    lee = people.student(session, "Lee", "Novak", grade="10", at=office.district.roosevelt)
    people.school_class(session, office.district.ana, office.district.lincoln, sam)
    people.school_class(session, office.district.tom, office.district.roosevelt, lee)
    for student in (sam, lee):
        people.contact(session, student)
    session.commit()
    return sam


@pytest.fixture
def delivered(session, office, sam):
    """Both got the last mass message."""
    at = office.now()
    session.add(MassMessage(id="early", title="Early dismissal", sent_at=at, settled_at=at))
    session.commit()


def test_before_the_first_message_an_empty_list_is_no_news(office, sam, snapshot):
    assert draw(office.clara.command("/cleanup").message) == snapshot


@pytest.mark.parametrize(
    "typed", ["", "grade 5", "no adult", "landline"], ids=["whole list", "filter", "no adult", "status"]
)
def test_empty_list_is_good_news_and_names_the_last_message(office, delivered, typed, snapshot):
    message = office.clara.command("/cleanup", typed).message
    assert draw(message) == snapshot
    assert GOOD in message.text
    assert "“Early dismissal” of <date>" in normalized(message.text)


@pytest.mark.parametrize("typed", ["wrong number", "opt-out"])
def test_status_that_lists_at_once_does_not_depend_on_the_last_message(office, delivered, typed, snapshot):
    message = office.clara.command("/cleanup", typed).message
    assert draw(message) == snapshot
    assert "as far as" not in message.text


UNMET = [
    ("clara", "school Hogwarts"),
    ("clara", "ms smith"),
    ("clara", "grade 13"),
    ("clara", "grades 6-8"),
    ("clara", "grade 10"),
    ("clara", "school Roosevelt"),
    ("clara", "ms smith school Hogwarts"),
    ("dana", "grade 5 school Roosevelt"),
]


@pytest.mark.parametrize(("name", "typed"), UNMET)
def test_criterion_that_no_own_student_meets_is_no_good_news(office, delivered, name, typed):
    message = office.people[name].command("/cleanup", typed).message
    assert _sentence(message).replace("*", "") in message.text
    assert GOOD not in text_of(message) + message.text
    assert "can be texted" not in text_of(message) + message.text


def test_criteria_that_no_own_student_meets_are_named(office, delivered, snapshot):
    messages = (office.people[name].command("/cleanup", typed).message for name, typed in UNMET)
    assert "\n".join(map(_sentence, messages)) == snapshot


def _sentence(message):
    return next(block["text"]["text"] for block in message.blocks if block["type"] == "section")


@pytest.mark.parametrize("typed", ["grade 5 ms garcia", 'school "incoln"', "teacher garcia", "grade 4-6"])
def test_filter_that_students_meet_stays_good_news(office, delivered, typed):
    assert GOOD in text_of(office.clara.command("/cleanup", typed).message)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ('school "Lincon"', 'school "Lincoln Elementary"'),
        ('teacher "Garzia"', 'teacher "Ana García"'),
        ("grade 6", "grade 5"),
    ],
)
def test_similar_school_or_teacher_is_offered(office, delivered, typed, value):
    message = office.clara.command("/cleanup", typed).message
    assert screens.values(message, "list.show.near.0") == [value]
    office.clara.press(message, action_id="list.show.near.0")
    assert GOOD in text_of(office.clara.current(message))


@pytest.mark.parametrize(
    ("name", "typed", "grades"),
    [
        ("clara", "", ["Grade 3", "Grade 5"]),
        ("ana", "", []),
        ("dana", "", ["Grade 3", "Grade 5", "Grade 10"]),
        ("dana", "school lincoln", ["Grade 3", "Grade 5"]),
        ("dana", "school lincoln grade 10", ["Grade 3", "Grade 5"]),
    ],
)
@pytest.mark.usefixtures("delivered")
def test_menu_offers_the_grades_that_exist(office, session, name, typed, grades):
    people.student(session, "Mia", grade="3", at=office.district.lincoln)
    session.commit()
    message = office.people[name].command("/cleanup", typed).message
    assert screens.options(message, "list.show.grade")[1:] == grades


@pytest.mark.parametrize("typed", ["", "grade 5", "no adult", "Rivera", "forecast", "pending"])
@pytest.mark.parametrize("name", ["aide", "teacher", "clerk"])
def test_person_without_students_reads_that(office, session, delivered, name, typed):
    """An aide, a teacher whose classes ended, and the clerk of a school without students."""
    roles = {"aide": "aide", "teacher": "teacher", "clerk": "siteAdministrator"}
    place = people.school(session, "Lakeside")
    staff = people.staff(session, "Nia", "New", role=roles[name], at=place)
    sam = session.get_one(Student, 1)
    if name == "teacher":
        people.school_class(session, staff, office.district.lincoln, sam, ends_on=people.TODAY)
    session.commit()
    nia = Person(office.slack, office.slack.add_user("Nia", email=staff.email).id)
    message = nia.command("/cleanup", typed).message
    assert GOOD not in text_of(message) + message.text
    assert ("no class that you teach" if name != "clerk" else "Your school has no students") in text_of(message)
    nia.open_home()
    assert GOOD not in text_of(nia.home)


def test_district_without_students_waits_for_the_first_sync(office):
    message = office.dana.command("/cleanup").message
    assert "first sync" in text_of(message)
