"""*What helps most*: the first fixes, with *Fix* and *I'll take it*, and where they are offered."""

import pytest
from support import people, screens
from support.snapshots import draw

from bot.domain.sms_status import SmsStatus
from bot.sandbox.slack.models import text_of


@pytest.fixture
def families(session, office):
    """Finn and Nora have Colleen, who is blocked, and Ada has a mother with a landline."""
    at = office.district.lincoln
    finn, nora, ada = (
        people.student(session, name, family, grade=grade, at=at)
        for name, family, grade in (("Finn", "O'Connor", "2"), ("Nora", "O'Connor", "4"), ("Ada", "Rivera", "3"))
    )
    colleen = people.contact(session, finn, nora, given="Colleen", family="O'Connor", phone="+13125557169")
    mother = people.contact(session, ada, given="Ana", phone="+13125557170")
    people.list_contact(session, colleen)
    people.list_contact(session, mother, SmsStatus.LANDLINE)
    session.commit()
    return finn, nora, ada


def most(person, text=""):
    return person.command("/cleanup", f"most {text}").message


def test_card_has_the_fixes_in_the_order_of_what_they_give(office, families, snapshot):
    message = most(office.clara)
    finn, _nora, ada = families
    assert screens.student_ids(message) == [finn.id, ada.id]
    assert draw(message) == snapshot


@pytest.mark.parametrize(
    "typed", ["MOST grade 3", "what helps most grade 3", "What helps the most? grade 3", "priorities grade 3"]
)
def test_it_is_understood_in_the_words_of_people(office, families, typed):
    message = office.clara.command("/cleanup", typed).message
    assert screens.student_ids(message) == [families[2].id]
    assert "This fix gives 1 student an adult" in text_of(message)


def test_fix_leaves_the_card_with_what_is_left(office, families):
    message = most(office.clara)
    assert office.clara.press(message, action_id="student.open", value=screens.row_value(message, families[0].id)).ok
    assert office.clara.fill(office.clara.view, {"phone": "(312) 555-0199"}).submit().ok
    message = office.clara.current(message)
    assert screens.student_ids(message) == [families[2].id]
    assert "Undo" in screens.labels(message)


def test_taking_a_fix_shows_it_to_colleagues_as_taken(office, families):
    message = most(office.clara)
    assert office.clara.press(message, action_id="fix.take", value=screens.values(message, "fix.take")[0]).ok
    message = office.clara.current(message)
    assert f"<@{office.clara.id}>" in text_of(message)
    assert len(screens.values(message, "fix.take")) == 1
    assert screens.student_ids(most(office.dana)) == [families[2].id]


def test_fix_that_a_colleague_took_meanwhile_is_refused(office, families):
    message, later = most(office.clara), most(office.dana)
    assert office.dana.press(later, action_id="fix.take", value=screens.values(later, "fix.take")[0]).ok
    office.clara.press(message, action_id="fix.take", value=screens.values(message, "fix.take")[0])
    assert "A colleague is already taking care" in text_of(office.clara.last())


@pytest.mark.parametrize("settings_changed", [{"editor_roles": "districtAdministrator"}])
def test_person_who_may_only_look_has_no_button_to_take(office, families):
    assert screens.values(most(office.clara), "fix.take") == []


def test_nothing_to_do_is_good_news_only_where_each_student_has_an_adult(office, families, session):
    assert "none of your students is in" in text_of(most(office.clara, "grade 7"))
    assert "You have no students here" in text_of(most(office.tom))
    max_ = people.student(session, "Max", grade="8", at=office.district.lincoln)
    people.list_contact(session, people.contact(session, max_))
    people.contact(session, max_, given="Ned")
    kim = people.student(session, "Kim", grade="7", at=office.district.lincoln)
    people.list_contact(session, people.contact(session, kim), SmsStatus.OPT_OUT)
    session.commit()
    assert "✅ Each student" in text_of(most(office.clara, "grade 8"))
    text = text_of(most(office.clara, "grade 7"))
    assert "1 student has no adult who can be texted" in text
    assert "✅" not in text


def test_list_with_students_without_an_adult_leads_to_it_and_back(office, families):
    message = office.clara.command("/cleanup", "").message
    assert office.clara.press(message, text="Helps most").ok
    message = office.clara.current(message)
    assert text_of(message).startswith("What helps most")
    assert office.clara.press(message, text="Show the list").ok
    assert text_of(office.clara.current(message)).startswith("Cleanup list")


def test_fix_is_taken_in_the_dialog_over_the_home_tab(office, families):
    assert office.clara.open_home().ok
    assert office.clara.press(office.clara.home, text="Helps most").ok
    value = screens.values(office.clara.view, "fix.take")[0]
    assert office.clara.press(office.clara.view, action_id="fix.take", value=value).ok
    assert f"<@{office.clara.id}>" in text_of(office.clara.view)


def test_teacher_sees_only_their_own_students(office, families, session):
    people.school_class(session, office.district.ana, office.district.lincoln, families[1])
    session.commit()
    message = most(office.ana)
    assert screens.student_ids(message) == [families[1].id]
    assert "Finn" not in text_of(message)


def test_card_of_long_names_fits(office, session):
    for number in range(12):
        long = {"given": f"{'W*' * 40} {number}", "family": "Y&" * 60}
        child = people.student(session, **long, at=office.district.lincoln)
        people.list_contact(session, people.contact(session, child, **long, relationship="z" * 100))
    session.commit()
    assert screens.student_ids(most(office.clara))
