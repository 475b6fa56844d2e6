"""The rows of the list: siblings are one call, and every student of a page can be found on it."""

import pytest
from support import people, screens

from bot.sandbox.slack.models import text_of


@pytest.fixture
def lincoln(office):
    return office.district.lincoln


def family(session, *grades, at, **named):
    """List one mother of students with these grades at Lincoln, and return the students."""
    given = ("Finn", "Nora", "Liam", "Mary", "Jude", "Ruth")
    children = [
        people.student(session, name, "O'Connor", grade=grade, at=at)
        for name, grade in zip(given, grades, strict=False)
    ]
    mother = people.contact(session, *children, given="Colleen", family="O'Connor")
    people.list_contact(session, mother, **named)
    session.commit()
    return children


def test_contact_of_siblings_stands_under_the_first(office, session, lincoln):
    finn, _ = family(session, "4", "5", at=lincoln)
    message = office.clara.command("/cleanup").message
    assert screens.student_ids(message) == [finn.id]
    said = text_of(message)
    assert said.count("Colleen O'Connor") == 1
    assert "also Nora (Gr 5)" in said
    assert "*1 contact*, 2 students" in said
    assert "Listed with a contact of a student further up: *Nora O'Connor* (Gr 5, see Finn O'Connor)." in said


def test_sibling_is_found_by_name(office, session, lincoln):
    _, nora = family(session, "4", "5", at=lincoln)
    message = office.clara.command("/cleanup", "nora").message
    assert screens.student_ids(message) == [nora.id]
    assert "also Finn (Gr 4)" in text_of(message)


def test_sibling_outside_the_filter_is_named_and_does_not_take_the_row(office, session, lincoln):
    _, nora = family(session, "4", "5", at=lincoln)
    message = office.clara.command("/cleanup", "grade 5").message
    assert screens.student_ids(message) == [nora.id]
    assert "also Finn (Gr 4)" in text_of(message)


def test_sibling_whom_the_reader_may_not_see_is_not_named(office, session, lincoln):
    (finn,) = family(session, "4", at=lincoln)
    nora = people.student(session, "Nora", "O'Connor", grade="K", at=office.district.roosevelt)
    mother = session.query(people.Contact).one()
    session.add(people.StudentContact(student_id=nora.id, contact_id=mother.id, relationship="parent"))
    session.commit()
    message = office.clara.command("/cleanup").message
    assert screens.student_ids(message) == [finn.id]
    assert "Nora" not in text_of(message)
    assert "also Finn" in text_of(office.dana.command("/cleanup").message)


def test_own_contact_of_a_sibling_stands_in_a_row(office, session, lincoln):
    finn, nora = family(session, "4", "5", at=lincoln)
    people.list_contact(session, people.contact(session, nora, given="Sean", family="Byrne"))
    session.commit()
    message = office.clara.command("/cleanup").message
    assert screens.student_ids(message) == [finn.id, nora.id]
    assert text_of(message).count("Colleen") == text_of(message).count("Sean") == 1


def test_sibling_on_a_later_page_names_the_first(office, session, lincoln):
    family(session, "1", "12", at=lincoln)
    for _ in range(9):
        people.list_contact(session, people.contact(session, people.student(session, grade="5", at=lincoln)))
    session.commit()
    second = office.clara.command("/cleanup", "page 2").message
    assert screens.student_ids(second) == []
    assert "*Nora O'Connor* (Gr 12, see Finn O'Connor)" in text_of(second)


def test_many_siblings_are_counted(office, session, lincoln):
    family(session, "1", "2", "3", "4", "5", "6", at=lincoln)
    said = text_of(office.clara.command("/cleanup").message)
    assert "also Jude (Gr 5), Liam (Gr 3), Mary (Gr 4), 2 more" in said


def test_contact_named_after_the_family_of_the_student_only(office, session, lincoln):
    """A child with another family name is named in full."""
    (finn,) = family(session, "1", at=lincoln)
    ben = people.student(session, "Ben", "Byrne", grade="2", at=lincoln)
    mother = session.query(people.Contact).one()
    session.add(people.StudentContact(student_id=ben.id, contact_id=mother.id, relationship="parent"))
    session.commit()
    message = office.clara.command("/cleanup").message
    assert screens.student_ids(message) == [finn.id]
    assert "also Ben Byrne (Gr 2)" in text_of(message)


def test_family_name_of_several_words_is_left_out_whole(office, session, lincoln):
    lieke, thijs = (
        people.student(session, given, "van der Berg", grade=grade, at=lincoln)
        for given, grade in (("Lieke", "5"), ("Thijs", "2"))
    )
    people.list_contact(session, people.contact(session, lieke, thijs, given="Lotte", family="Dijkstra"))
    session.commit()
    assert "also Thijs (Gr 2)" in text_of(office.clara.command("/cleanup", "grade 5").message)
