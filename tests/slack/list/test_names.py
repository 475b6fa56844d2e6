"""Names in a filter: a mentioned colleague, one of several teachers with the name, and a misspelled name."""

import pytest
from sqlalchemy import select
from support import people, screens
from support.snapshots import draw

from bot.db.models.edits import Removal
from bot.db.models.roster import Contact
from bot.sandbox.slack.models import text_of


@pytest.fixture
def sophia(session, office):
    """Sophia Müller-Ibarra, grade 5 at Lincoln in Ana's class; her father Stephen's number is blocked."""
    sophia = people.student(session, "Sophia", "Müller-Ibarra", at=office.district.lincoln)
    people.school_class(session, office.district.ana, office.district.lincoln, sophia)
    people.list_contact(session, people.contact(session, sophia, given="Stephen", family="Ibarra"))
    session.commit()
    return sophia


@pytest.fixture
def liam(session, office):
    """Liam Novak at Roosevelt, taught by another Ana García; his mother's number is blocked."""
    liam = people.student(session, "Liam", "Novak", grade="10", at=office.district.roosevelt)
    other = people.staff(session, email="ana.garcia2@district.example", at=office.district.roosevelt)
    people.school_class(session, other, office.district.roosevelt, liam)
    people.list_contact(session, people.contact(session, liam, given="Petra", family="Novak"))
    session.commit()
    return liam


@pytest.fixture
def matt(session, office):
    """Matt Lone at Lincoln, without a teacher; his father's number is blocked."""
    matt = people.student(session, "Matt", "Lone", at=office.district.lincoln)
    people.list_contact(session, people.contact(session, matt, given="Carl", family="Lone"))
    session.commit()
    return matt


def found(person, typed):
    """Return the ids of the students on the list for what was typed."""
    return screens.student_ids(person.command("/cleanup", typed).message)


def test_list_by_name_says_that_it_shows_listed_students_only(office, sophia):
    notice = "Only students on the list are shown"
    assert notice in text_of(office.clara.command("/cleanup", "sophia").message)
    assert notice not in text_of(office.clara.command("/cleanup", "grade 5").message)


@pytest.mark.parametrize(
    "typed",
    ["@Ana", "Ana.Garcia@District.example", "<mailto:ana.garcia@district.example|Ana.Garcia@district.example>"],
)
def test_mentioned_teacher_means_their_students(office, sophia, matt, typed):
    message = office.clara.command("/cleanup", f"{typed} blocked").message
    assert text_of(message).startswith("Blocked · Teacher Ana García\n")
    assert screens.student_ids(message) == [sophia.id]


@pytest.mark.parametrize("colleague", ["tom", "gus", "nora", "clara"])
def test_mentioned_colleague_without_own_students_is_not_understood(office, sophia, colleague):
    message = office.clara.command("/cleanup", f"@{colleague} blocked").message
    assert f"I did not understand “@{colleague}”" in text_of(message)


def test_forecast_and_private_digest_accept_a_mention(office, session, sophia, matt, every_group_counts):
    assert "Teacher Ana García" in text_of(office.clara.command("/cleanup", "forecast @ana").message)
    private = office.slack.add_channel("5a", members=[office.clara.id], private=True, with_bot=True)
    answer = office.clara.command("/cleanup", "subscribe @ana", channel=private.id)
    assert "Teacher Ana García" in text_of(answer.message)


def test_teachers_with_one_name_are_offered_by_school(office, sophia, liam, snapshot):
    message = office.dana.command("/cleanup", "ms garcia").message
    assert draw(message) == snapshot
    office.dana.press(message, action_id="list.show.teacher.1")
    narrowed = office.dana.last()
    assert text_of(narrowed).startswith("Teacher Ana García · School Roosevelt High\n")
    assert screens.student_ids(narrowed) == [liam.id]
    assert "list.show.teacher.1" not in screens.action_ids(narrowed)


def test_teacher_of_hidden_students_is_not_offered(office, sophia, liam):
    message = office.clara.command("/cleanup", "ms garcia").message
    assert "list.show.teacher.0" not in screens.action_ids(message)


def test_teacher_with_two_sis_records_is_one_person(office, session, sophia):
    again = people.staff(session, email=office.district.ana.email, at=office.district.roosevelt)
    people.school_class(session, again, office.district.roosevelt)
    session.commit()
    message = office.dana.command("/cleanup", "ms garcia").message
    assert "list.show.teacher.0" not in screens.action_ids(message)


@pytest.mark.parametrize(
    "typed",
    ["Sofia", "Ibbara Sophia", "muler", "Sophia Mullr-Ibara", "Steven", "student Sohpia", "grade 5 Sophai blocked"],
)
def test_misspelled_name_finds_the_student_and_says_so(office, sophia, matt, typed):
    message = office.clara.command("/cleanup", typed).message
    assert screens.student_ids(message) == [sophia.id]
    assert "No one named" in text_of(message)
    assert "Shown instead" in text_of(message)


def test_several_similar_names_are_offered_in_alphabetical_order(office, session, matt, snapshot):
    mats = people.student(session, "Mats", "Holm", at=office.district.lincoln)
    people.list_contact(session, people.contact(session, mats, given="Nils", family="Holm"))
    session.commit()
    message = office.clara.command("/cleanup", "student Matz").message
    assert screens.student_ids(message) == [mats.id]
    assert draw(message) == snapshot
    office.clara.press(message, action_id="list.show.near.0")
    assert screens.student_ids(office.clara.last()) == [matt.id]


def test_name_similar_to_none_finds_no_one(office, sophia, snapshot):
    message = office.clara.command("/cleanup", "student Wolfgang").message
    assert screens.student_ids(message) == []
    assert draw(message) == snapshot


def test_misspelled_name_finds_no_hidden_student(office, sophia, liam):
    message = office.clara.command("/cleanup", "student Novac").message
    assert screens.student_ids(message) == []
    assert "Novak" not in str(message)


def test_name_of_a_hidden_student_may_be_misspelled_here(office, session, sophia):
    people.student(session, "Sofia", "Brandt", at=office.district.roosevelt)
    session.commit()
    assert found(office.clara, "student Sofia") == [sophia.id]


def test_removed_contact_is_not_similar_to_anything(office, session, sophia):
    assert found(office.clara, "Steven") == [sophia.id]
    stephen = session.scalars(select(Contact).where(Contact.given_name == "Stephen")).one()
    session.add(Removal(contact_id=stephen.id, reason="x", made_by=office.clara.id, made_at=people.NOW))
    session.commit()
    message = office.clara.command("/cleanup", "Steven").message
    assert screens.student_ids(message) == []
    assert "Shown instead" not in text_of(message)


def test_misspelled_name_and_part_of_another_find_the_student(office, sophia, matt):
    message = office.clara.command("/cleanup", "student mul Sohpia").message
    assert screens.student_ids(message) == [sophia.id]
    assert "*Mul Sophia*" in text_of(message)


@pytest.mark.parametrize("typed", ['student "-"', 'student "\'"', 'grade 5 student "…"'])
def test_name_without_letters_excludes_no_one(office, sophia, typed):
    assert found(office.clara, typed) == [sophia.id]


@pytest.mark.parametrize(("given", "family"), [("أحمد", "محمد"), ("Γιώργος", "Παππάς"), ("ガブリエル", "パク")])
def test_similar_name_in_any_script_finds_a_listed_student(office, session, sophia, given, family):
    omar = people.student(session, "Omar", "Zayed", at=office.district.lincoln)
    people.list_contact(session, people.contact(session, omar, given=given, family=family))
    session.commit()
    message = office.clara.command("/cleanup", f"student {given}").message
    assert omar.id in screens.student_ids(message) or "Shown instead" not in text_of(message)


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("bloqueado", "Blocked"),
        ("bloqueados en quinto grado", "Grade 5 · Blocked"),
        ("¿a quién nos bloquea?", "Blocked"),
    ],
)
def test_words_that_the_direct_message_understands_are_understood(office, session, typed, title):
    sam = people.student(session, at=office.district.lincoln)
    people.list_contact(session, people.contact(session, sam))
    session.commit()
    assert text_of(office.clara.command("/cleanup", typed).message).startswith(title)


def test_student_of_that_name_comes_first(office, session):
    rojo = people.student(session, "Inés", "Rojo", at=office.district.lincoln)
    people.list_contact(session, people.contact(session, rojo), "landline")
    session.commit()
    assert screens.student_ids(office.clara.command("/cleanup", "rojo").message) == [rojo.id]


def test_question_for_a_command_offers_it(office, session):
    people.student(session, at=office.district.lincoln)
    session.commit()
    message = office.clara.command("/cleanup", "¿qué sigue?").message
    assert office.clara.press(message, text="/cleanup next").ok


def test_misspelled_download_says_where_the_button_is(office, session):
    sam = people.student(session, at=office.district.lincoln)
    people.list_contact(session, people.contact(session, sam))
    session.commit()
    assert "makes an Excel or CSV file of this list" in text_of(office.clara.command("/cleanup", "dowload").message)
