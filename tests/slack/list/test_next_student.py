"""`/cleanup next`: one student at a time, in the order of the list, without those that a colleague takes care of."""

import re
from random import Random

import pytest
from sqlalchemy import select, update
from support import people, screens
from support.snapshots import draw

from bot.db.models.messages import ListEntry
from bot.domain.sms_status import SmsStatus
from bot.sandbox.slack.models import text_of

DONE = "Nothing is left to do here"


@pytest.fixture
def students(session, office):
    """Ada, Ben, and Cleo of grades 3, 4, and 5, in the order of the list; each has one contact, who is blocked."""
    named = (("Ada", "3"), ("Ben", "4"), ("Cleo", "5"))
    found = [people.student(session, name, grade=level, at=office.district.lincoln) for name, level in named]
    for student in found:
        people.list_contact(session, people.contact(session, student, given=f"{student.given_name}'s mother"))
    session.commit()
    return found


def shown(person, typed="next"):
    return screens.student_ids(person.command("/cleanup", typed).message)


def set_entry(session, number, **values):
    """Change the entry of the student at this position."""
    contact_id = session.scalars(select(ListEntry.contact_id).order_by(ListEntry.contact_id)).all()[number]
    session.execute(update(ListEntry).where(ListEntry.contact_id == contact_id).values(**values))
    session.commit()


def pressed(person, message, **criteria):
    assert person.press(message, **criteria).ok
    return person.current(message)


def test_card_shows_the_first_student_of_the_list(office, students, snapshot):
    message = office.clara.command("/cleanup", "next").message
    assert screens.student_ids(message) == [students[0].id]
    assert draw(message) == snapshot


def test_skip_shows_the_one_after_it_to_the_end(office, students):
    message = office.clara.command("/cleanup", "next").message
    for student in students[1:]:
        message = pressed(office.clara, message, text="Skip")
        assert screens.student_ids(message) == [student.id]
    message = pressed(office.clara, message, text="Skip")
    assert "That was the last one" in text_of(message)
    assert screens.student_ids(pressed(office.clara, message, text="Start again")) == [students[0].id]


@pytest.mark.parametrize("typed", ["next grade 5", "NEXT 5th blocked", "next student Cleo"])
def test_filter_narrows_it(office, students, typed):
    assert shown(office.clara, typed) == [students[2].id]


def test_claim_of_a_colleague_and_a_fixed_contact_are_left_out(office, students, session):
    set_entry(session, 0, claimed_by=office.dana.id, claimed_at=office.now())
    set_entry(session, 1, updated_at=office.now())
    assert shown(office.clara) == [students[2].id]
    assert shown(office.dana) == [students[0].id]
    set_entry(session, 2, claimed_by=office.dana.id, claimed_at=office.now())
    assert DONE in text_of(office.clara.command("/cleanup", "next").message)


def test_own_call_waits_for_the_family(office, students, session):
    call = {"call_outcome": "voicemail", "called_by": office.clara.id, "called_on": office.now().date()}
    set_entry(session, 0, claimed_by=office.clara.id, claimed_at=office.now(), **call)
    assert shown(office.clara) == [students[1].id]
    set_entry(session, 0, claimed_by=None, claimed_at=None)
    assert shown(office.clara) == [students[0].id]


def test_siblings_are_one_call(office, students, session):
    eva = people.contact(session, *students[:2], given="Eva", phone="+13125550170")
    people.list_contact(session, eva, SmsStatus.LANDLINE)
    session.execute(update(ListEntry).where(ListEntry.contact_id != eva.id).values(claimed_by=office.dana.id))
    session.commit()
    message = office.clara.command("/cleanup", "next").message
    assert screens.student_ids(message) == [students[0].id]
    assert "That was the last one" in text_of(pressed(office.clara, message, text="Skip"))


def test_taking_a_contact_keeps_it_on_the_card(office, students, session):
    message = pressed(office.clara, office.clara.command("/cleanup", "next").message, text="Skip")
    message = pressed(office.clara, message, text="I'll take it")
    assert screens.student_ids(message) == [students[1].id]
    assert f"<@{office.clara.id}>" in str(message.blocks)
    assert "next.take" not in screens.action_ids(message)
    assert shown(office.clara, "mine") == [students[1].id]
    assert shown(office.dana) == [students[0].id]


def test_after_a_fix_the_card_shows_the_next_student(office, students):
    message = pressed(office.clara, office.clara.command("/cleanup", "next").message, text="Skip")
    assert office.clara.press(message, action_id="student.open").ok
    assert office.clara.fill(office.clara.view, {"phone": "(312) 555-0199"}).submit().ok
    message = office.clara.current(message)
    assert screens.student_ids(message) == [students[2].id]
    assert "Undo" in screens.labels(message)


def test_list_begins_anew_where_the_skipped_student_was_fixed(office, students, session):
    message = office.clara.command("/cleanup", "next").message
    skipped = pressed(office.clara, message, text="Skip")
    set_entry(session, 0, updated_at=office.now())
    set_entry(session, 1, updated_at=office.now())
    message = office.clara.command("/cleanup", screens.values(skipped, "command.run.0")[0]).message
    assert screens.student_ids(message) == [students[2].id]


@pytest.fixture
def siblings(session, office, students):
    """Finn, Nora, and Liam of grade 6 have one mother, and Nora a father; Max has another adult who can be texted."""
    at = office.district.lincoln
    finn, nora, liam, max_ = (
        people.student(session, name, grade="6", at=at) for name in ("Finn", "Nora", "Liam", "Max")
    )
    people.list_contact(session, people.contact(session, finn, nora, liam, given="Colleen", phone="+13125557169"))
    people.list_contact(session, people.contact(session, nora, given="Bob"))
    people.list_contact(session, people.contact(session, max_, given="Mia"))
    people.contact(session, max_, given="Ned")
    session.commit()
    return finn, nora, liam, max_


def test_it_begins_with_the_fix_that_helps_most_students(office, siblings, snapshot):
    message = office.clara.command("/cleanup", "next").message
    assert screens.student_ids(message) == [siblings[0].id]
    assert draw(message) == snapshot


def test_fix_says_what_to_do_where_the_row_says_to_wait(office, session):
    student = people.student(session, at=office.district.lincoln)
    people.list_contact(session, people.contact(session, student), SmsStatus.TURNED_OFF)
    session.commit()
    said = text_of(office.clara.command("/cleanup", "next").message)
    assert "🎯 *Maria Rivera* · Check the number with the family, or ask for another one." in said


def test_walk_shows_each_student_and_contact_once(office, students, siblings):
    finn, nora, _liam, max_ = siblings
    message, walk, contacts = office.clara.command("/cleanup", "next").message, [], []
    while "Skip" in screens.labels(message):
        walk += screens.student_ids(message)
        contacts += [
            name for name in ("Colleen", "Bob", "Mia", "Ada's", "Ben's", "Cleo's") if f"{name} " in rows_of(message)
        ]
        message = pressed(office.clara, message, text="Skip")
    assert walk == [finn.id, *(student.id for student in students), nora.id, max_.id]
    assert sorted(contacts) == sorted(set(contacts))
    assert "That was the last one" in text_of(message)
    assert screens.student_ids(pressed(office.clara, message, text="Start again")) == [finn.id]


@pytest.mark.parametrize("seed", range(3))
def test_walk_of_a_tangled_list_shows_each_contact_once(office, session, seed):
    random = Random(seed)  # noqa: S311
    at = office.district.lincoln
    kids = [people.student(session, f"Kid{number}", grade=random.choice("123"), at=at) for number in range(9)]
    statuses = [SmsStatus.BLOCKED, SmsStatus.LANDLINE, SmsStatus.INACTIVE, SmsStatus.OPT_OUT]
    for number in range(12):
        adult = people.contact(session, *random.sample(kids, random.randint(1, 3)), given=f"Adult{number:02}")
        if number < 10:  # The others can be texted.
            people.list_contact(session, adult, random.choice(statuses))
    session.commit()
    message, walk, contacts = office.clara.command("/cleanup", "next").message, [], []
    while "Skip" in screens.labels(message):
        walk += screens.student_ids(message)
        contacts += re.findall(r"Adult\d\d", rows_of(message))
        message = pressed(office.clara, message, text="Skip")
    assert len(walk) == len(set(walk))
    assert sorted(contacts) == [f"Adult{number:02}" for number in range(10)]


def rows_of(message):
    return "\n".join(block["text"]["text"] for block in message.blocks if "accessory" in block)


def test_list_goes_on_behind_a_hundred_skipped_fixes(office, students, siblings):
    skipped = ",".join(str(10_000 + number) for number in range(100))
    assert shown(office.clara, f"next skip {skipped} grade 3") == [students[0].id]
    assert "after" in screens.values(office.clara.last(), "command.run.0")[0]


def test_list_has_a_button_to_it_and_it_leads_back(office, students):
    message = pressed(office.clara, office.clara.command("/cleanup", "grade 4").message, text="Next to fix")
    assert screens.student_ids(message) == [students[1].id]
    assert screens.student_ids(pressed(office.clara, message, text="Show the list")) == [students[1].id]


def test_reader_sees_only_their_own_students(office, students, session):
    people.school_class(session, office.district.ana, office.district.lincoln, students[1])
    session.commit()
    assert shown(office.ana) == [students[1].id]


def test_word_that_is_not_understood_is_named(office, students):
    message = office.clara.command("/cleanup", "next grade 99").message
    assert "None of your schools has a grade 99" in text_of(message)
    assert screens.student_ids(message) == [students[0].id]
