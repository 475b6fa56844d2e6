"""Whom a name means: a colleague who is mentioned, one of several teachers, somebody whose name was typed with a slip."""

import pytest
from sqlalchemy import select
from support import people

from bot.db.models.edits import Removal
from bot.db.models.roster import Contact
from bot.sandbox.slack.reading import text_of


@pytest.fixture
def sophia(session, office):
    """Sophia Müller-Ibarra, grade 5 at Lincoln in Ana's class; her father Stephen's number is blocked."""
    sophia = people.student(session, "Sophia", "Müller-Ibarra", at=office.district.lincoln)
    people.school_class(session, office.district.ana, office.district.lincoln, sophia)
    people.listed(session, people.contact(session, sophia, given="Stephen", family="Ibarra"))
    session.commit()
    return sophia


@pytest.fixture
def liam(session, office):
    """Liam Novak at Roosevelt, whom another Ana García teaches; his mother's number is blocked."""
    liam = people.student(session, "Liam", "Novak", grade="10", at=office.district.roosevelt)
    other = people.staff(session, email="ana.garcia2@district.example", at=office.district.roosevelt)
    people.school_class(session, other, office.district.roosevelt, liam)
    people.listed(session, people.contact(session, liam, given="Petra", family="Novak"))
    session.commit()
    return liam


@pytest.fixture
def matt(session, office):
    """Matt Lone at Lincoln, whom nobody teaches; his father's number is blocked."""
    matt = people.student(session, "Matt", "Lone", at=office.district.lincoln)
    people.listed(session, people.contact(session, matt, given="Carl", family="Lone"))
    session.commit()
    return matt


def test_a_list_by_name_says_that_others_of_that_name_are_not_on_it(office, session):
    sam = people.student(session, at=office.district.lincoln)
    people.listed(session, people.contact(session, sam))
    session.commit()
    assert "Only students on the list are shown, not others of that name." in text_of(
        office.clara.command("/cleanup", "sam").message
    )
    assert "not others of that name" not in text_of(office.clara.command("/cleanup", "grade 5").message)


def test_a_teacher_who_is_mentioned_means_their_students(office, sophia, matt):
    said = text_of(office.clara.command("/cleanup", "@Ana blocked").message)
    assert "Blocked · Teacher Ana García" in said
    assert "Sophia" in said
    assert "Matt Lone" not in said


@pytest.mark.parametrize("colleague", ["tom", "gus", "nora", "clara"])
def test_a_colleague_who_teaches_none_of_ones_students_is_not_understood(office, sophia, colleague):
    said = text_of(office.clara.command("/cleanup", f"@{colleague} blocked").message)
    assert f"I did not understand “@{colleague}”" in said


def test_a_forecast_and_a_private_digest_take_a_mention_too(office, session, sophia, matt):
    assert "Teacher Ana García" in text_of(office.clara.command("/cleanup", "forecast @ana").message)
    private = office.slack.add_channel("5a", members=[office.clara.id], private=True, with_bot=True)
    answer = office.clara.command("/cleanup", "subscribe @ana", channel=private.id)
    assert "Teacher Ana García" in text_of(answer.message)


def test_teachers_of_one_name_are_told_apart_by_school(office, sophia, liam):
    both = office.dana.command("/cleanup", "ms garcia").message
    assert "Several teachers have that name" in text_of(both)
    office.dana.press(both, action_id="list.show.teacher.1")
    said = text_of(office.dana.last())
    assert "Teacher Ana García · School Roosevelt High" in said
    assert "Liam Novak" in said
    assert "Sophia" not in said
    assert "Several teachers" not in said


def test_a_teacher_of_other_students_is_no_namesake(office, sophia, liam):
    assert "Several teachers" not in text_of(office.clara.command("/cleanup", "ms garcia").message)


def test_a_teacher_whom_the_sis_has_once_for_each_school_is_one_person(office, session, sophia):
    again = people.staff(session, email=office.district.ana.email, at=office.district.roosevelt)
    people.school_class(session, again, office.district.roosevelt)
    session.commit()
    assert "Several teachers" not in text_of(office.dana.command("/cleanup", "ms garcia").message)


@pytest.mark.parametrize(
    "typed",
    ["Sofia", "Ibbara Sophia", "muler", "Sophia Mullr-Ibara", "Steven", "student Sohpia", "grade 5 Sophai blocked"],
)
def test_a_name_with_a_slip_finds_whom_it_was_meant_for_and_says_so(office, sophia, matt, typed):
    said = text_of(office.clara.command("/cleanup", typed).message)
    assert "Nobody named" in said
    assert "Sophia Müller-Ibarra" in said
    assert "Matt Lone" not in said


def test_several_near_names_are_offered_in_the_order_of_the_alphabet(office, session, matt):
    mats = people.student(session, "Mats", "Holm", at=office.district.lincoln)
    people.listed(session, people.contact(session, mats, given="Nils", family="Holm"))
    session.commit()
    first = office.clara.command("/cleanup", "student Matz").message
    assert "Mats Holm" in text_of(first)
    office.clara.press(first, action_id="list.show.near.0")
    said = text_of(office.clara.last())
    assert "Matt Lone" in said
    assert "Mats Holm" not in said


def test_a_name_like_nobodys_stays_nobodys(office, sophia):
    said = text_of(office.clara.command("/cleanup", "student Wolfgang").message)
    assert "Nobody named *Wolfgang* is on your list. Type `/cleanup help` to see what I understand." in said
    assert "This is" not in said


def test_a_slip_finds_nobody_whom_one_may_not_see(office, sophia, liam):
    said = text_of(office.clara.command("/cleanup", "student Novac").message)
    assert "Nobody named *Novac* is on your list." in said
    assert "Novak" not in said


def test_a_name_that_somebody_elsewhere_has_may_still_be_a_slip_here(office, session, sophia):
    people.student(session, "Sofia", "Brandt", at=office.district.roosevelt)
    session.commit()
    assert "Shown instead: *sophia*" in text_of(office.clara.command("/cleanup", "student Sofia").message)


def test_a_slip_does_not_mean_a_contact_who_was_removed(office, session, sophia):
    card = office.clara.command("/cleanup", "Steven").message
    assert "Shown instead: *stephen*" in text_of(card)
    stephen = session.scalars(select(Contact).where(Contact.given_name == "Stephen")).one()
    session.add(Removal(contact_id=stephen.id, reason="x", made_by=office.clara.id, made_at=people.NOW))
    session.commit()
    said = text_of(office.clara.command("/cleanup", "Steven").message)
    assert "Nobody named *Steven* is on your list." in said
    assert "This is" not in said


def test_a_slip_in_one_name_and_a_part_of_another_find_the_person(office, sophia, matt):
    assert "Shown instead: *mul sophia*" in text_of(office.clara.command("/cleanup", "student mul Sohpia").message)


@pytest.mark.parametrize("typed", ['student "-"', 'student "\'"', 'grade 5 student "…"'])
def test_a_name_without_letters_leaves_nobody_out(office, sophia, typed):
    assert "Sophia" in text_of(office.clara.command("/cleanup", typed).message)


@pytest.mark.parametrize(("given", "family"), [("أحمد", "محمد"), ("Γιώργος", "Παππάς"), ("ガブリエル", "パク")])
def test_what_is_offered_for_a_slip_finds_somebody(office, session, sophia, given, family):
    omar = people.student(session, "Omar", "Zayed", at=office.district.lincoln)
    people.listed(session, people.contact(session, omar, given=given, family=family))
    session.commit()
    said = text_of(office.clara.command("/cleanup", f"student {given}").message)
    assert "Omar Zayed" in said or "This is" not in said
