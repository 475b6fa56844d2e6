"""A filter that means nobody is told apart from a list that is empty because everybody can be texted."""

import pytest
from support import people

from bot.db.models.messages import MassMessage
from bot.sandbox.slack.reading import text_of


@pytest.fixture(autouse=True)
def all_well(session, office):
    """Sam, grade 5, in Ana's class at Lincoln, and Lee, grade 10, at Roosevelt: both got the last message."""
    sam = people.student(session, at=office.district.lincoln)
    lee = people.student(session, "Lee", "Novak", grade="10", at=office.district.roosevelt)
    people.school_class(session, office.district.ana, office.district.lincoln, sam)
    people.school_class(session, office.district.tom, office.district.roosevelt, lee)
    for one in (sam, lee):
        people.contact(session, one)
    at = office.now()
    session.add(MassMessage(id="early", title="Early dismissal", sent_at=at, settled_at=at))
    session.commit()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("school Hogwarts", "none of your students is at a school named *Hogwarts*."),
        ("ms smith", "none of your students has a teacher named *smith*."),
        ("grade 13", "none of your students is in *grade 13*."),
        ("grades 6-8", "none of your students is in *grades 6–8*."),
        ("grade 10", "none of your students is in *grade 10*."),
        ("school Roosevelt", "none of your students is at a school named *Roosevelt*."),
        ("ms smith school Hogwarts", "is at a school named *Hogwarts*, none has a teacher named *smith*."),
    ],
)
def test_a_school_a_teacher_or_a_grade_of_none_of_ones_students_is_no_good_news(office, typed, said):
    message = office.clara.command("/cleanup", typed).message
    assert said in text_of(message)
    assert said in message.text
    assert "can be texted" not in text_of(message) + message.text


@pytest.mark.parametrize("typed", ["grade 5 ms garcia", 'school "incoln"', "teacher garcia", "grade 4-6"])
def test_a_filter_that_means_somebody_stays_good_news(office, typed):
    assert "✅ Nobody here. Every contact that matches" in text_of(office.clara.command("/cleanup", typed).message)


def test_what_holds_of_nobody_all_at_once_is_no_good_news(office):
    said = text_of(office.dana.command("/cleanup", "grade 5 school Roosevelt").message)
    assert "none of your students is all of that at once." in said
    assert "✅" not in said


@pytest.mark.parametrize(
    ("typed", "meant"), [('school "Lincon"', "School Lincoln"), ('teacher "Garzia"', "Teacher Ana")]
)
def test_what_was_nearly_typed_is_offered(office, typed, meant):
    message = office.clara.command("/cleanup", typed).message
    assert f"Did you mean: {meant}" in message.text
    office.clara.press(message, action_id="list.show.near.0")
    assert "✅ Nobody here." in text_of(office.clara.again(message))


def _grades(message):
    menus = [one for block in message.blocks for one in block.get("elements", []) if "options" in one]
    chosen = [one for one in menus if one["action_id"] == "list.show.grade"]
    return [option["text"]["text"] for one in chosen for option in one["options"]]


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
def test_the_menu_offers_the_grades_that_there_are(office, session, name, typed, grades):
    people.student(session, "Mia", grade="3", at=office.district.lincoln)
    session.commit()
    assert _grades(office.who[name].command("/cleanup", typed).message)[1:] == grades
