"""Families who left are erased after a period; what they said about their numbers outlives them."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update
from support import edits, people
from support import mass_messages as messages

from bot.db.advisory_locks import SYNC_LOCK, advisory_lock
from bot.db.models.edits import Audit, Edit
from bot.db.models.erased_numbers import ErasedNumber
from bot.db.models.messages import Delivery, PhoneNumber
from bot.db.models.name_words import NameWord
from bot.db.models.roster import Contact, Student, StudentContact
from bot.mass_messages.opt_outs import apply_opt_in, apply_opt_out
from bot.mass_messages.wrong_person import park_numbers
from bot.operations.families import erase_left_families

YEAR = timedelta(days=400)


@dataclass
class Home:
    """Sam and Maria, Sam's parent, and Tess, a student without a contact, who stays."""

    sam: Student
    maria: Contact
    tess: Student


@pytest.fixture
def home(session, district):
    sam, tess = (people.student(session, given=given, at=district.lincoln) for given in ("Sam", "Tess"))
    home = Home(sam, people.contact(session, sam, given="Maria"), tess)
    session.commit()
    return home


def leave(session, *rows, active=False):
    for row in rows:
        session.execute(update(type(row)).where(type(row).id == row.id).values(active=active))
    session.commit()


def erase(engine, now):
    return erase_left_families(engine, engine, now - YEAR, now=now)


def count(session, model):
    session.rollback()
    return session.scalar(select(func.count()).select_from(model))


def test_family_is_erased_a_year_after_we_saw_that_it_left(engine, session, home, now):
    messages.send(session, {home.maria: "blocked"}, now=now)
    session.commit()
    leave(session, home.sam, home.maria)
    assert erase(engine, now) == 0
    assert erase(engine, now + YEAR - timedelta(days=1)) == 0
    erase(engine, now + YEAR + timedelta(days=1))
    assert [count(session, model) for model in (Contact, Delivery, PhoneNumber, ErasedNumber)] == [0] * 4
    assert session.scalars(select(Student.id)).all() == [home.tess.id]
    assert messages.the_list(session) == {}
    assert sorted(session.scalars(select(NameWord.word))) == ["rivera", "tess"]


def test_family_that_came_back_begins_anew(engine, session, home, now):
    leave(session, home.sam, home.maria)
    erase(engine, now)
    leave(session, home.sam, home.maria, active=True)
    erase(engine, now + timedelta(days=1))
    leave(session, home.sam, home.maria)
    erase(engine, now + timedelta(days=2))
    erase(engine, now + YEAR + timedelta(days=1))
    assert (count(session, Student), count(session, Contact)) == (2, 1)


def test_nothing_is_erased_while_a_sync_runs(engine, session, home, now):
    leave(session, home.sam, home.maria)
    erase(engine, now)
    with advisory_lock(engine, SYNC_LOCK):
        assert erase(engine, now + 2 * YEAR) == 0
    assert count(session, Contact) == 1


def test_parent_of_a_younger_student_stays(engine, session, home, now):
    session.add(StudentContact(student_id=home.tess.id, contact_id=home.maria.id))
    session.commit()
    leave(session, home.sam)
    erase(engine, now)
    erase(engine, now + 2 * YEAR)
    assert session.scalars(select(Student.id)).all() == [home.tess.id]
    assert session.scalars(select(Contact.id)).all() == [home.maria.id]


def test_history_loses_its_values_and_keeps_who_did_what(engine, session, clara, home, now):
    edits.change(session, home.maria, actor=clara, phone="+13125557777")
    session.commit()
    leave(session, home.sam, home.maria)
    erase(engine, now)
    erase(engine, now + 2 * YEAR)
    row = session.scalars(select(Audit).execution_options(populate_existing=True)).one()
    assert (row.action, row.actor, row.before, row.after) == ("phone.changed", clara.user_id, None, None)
    assert count(session, Edit) == 0


def erase_number(engine, session, home, now):
    leave(session, home.sam, home.maria)
    erase(engine, now)
    erase(engine, now + YEAR + timedelta(days=1))
    assert count(session, PhoneNumber) == 0


def state(session, phone):
    session.rollback()
    row = session.get(PhoneNumber, phone, populate_existing=True)
    return row and (row.status, row.opted_out_at is not None)


def test_stop_of_an_erased_number_counts_for_the_next_contact_with_it(engine, session, home, now):
    phone = home.maria.sis_phone
    apply_opt_out(session, phone, by="twilio", now=now)
    session.commit()
    erase_number(engine, session, home, now)
    kept = session.execute(text("SELECT row_to_json(e)::text FROM erased_numbers e")).scalar_one()
    assert phone.removeprefix("+") not in kept
    people.contact(session, home.tess, given="Otto", phone=phone)
    session.commit()
    assert state(session, phone) == ("opt_out", True)
    assert count(session, ErasedNumber) == 0


def test_stop_of_an_erased_number_counts_for_a_typed_number(engine, session, clara, home, now):
    phone = home.maria.sis_phone
    apply_opt_out(session, phone, by="twilio", now=now)
    session.commit()
    erase_number(engine, session, home, now)
    otto = people.contact(session, home.tess, given="Otto")
    edits.change(session, otto, actor=clara, phone=phone)
    session.commit()
    assert state(session, phone) == ("opt_out", True)


def test_start_of_an_erased_number_ends_its_stop(engine, session, home, now):
    phone = home.maria.sis_phone
    apply_opt_out(session, phone, by="twilio", now=now)
    session.commit()
    erase_number(engine, session, home, now)
    apply_opt_in(session, phone, now=now + 2 * YEAR)
    session.commit()
    people.contact(session, home.tess, given="Otto", phone=phone)
    session.commit()
    assert state(session, phone) == (None, False)


def test_start_outlives_the_erasure_of_its_own_row(engine, session, home, now):
    phone = home.maria.sis_phone
    apply_opt_out(session, phone, by="twilio", now=now)
    session.commit()
    erase_number(engine, session, home, now)
    apply_opt_in(session, phone, now=now + 2 * YEAR)
    session.commit()
    erase(engine, now + 3 * YEAR)
    assert (count(session, PhoneNumber), count(session, ErasedNumber)) == (0, 0)


def test_number_that_a_sibling_account_still_has_keeps_its_status(engine, session, home, now):
    people.contact(session, home.tess, given="Otto", phone=home.maria.sis_phone)
    apply_opt_out(session, home.maria.sis_phone, by="twilio", now=now)
    session.commit()
    leave(session, home.sam, home.maria)
    erase(engine, now)
    erase(engine, now + 2 * YEAR)
    assert state(session, home.maria.sis_phone) == ("opt_out", True)
    assert count(session, ErasedNumber) == 0


def lost_stop(engine, session, home, now):
    """Return a number that texted STOP and was erased."""
    phone = home.maria.sis_phone
    apply_opt_out(session, phone, by="twilio", now=now)
    session.commit()
    erase_number(engine, session, home, now)
    return phone


def test_stop_of_an_erased_number_outlives_a_later_row_without_it(engine, session, home, now):
    phone = lost_stop(engine, session, home, now)
    session.add(PhoneNumber(phone=phone, status="inactive", since=now))
    session.commit()
    erase(engine, now + 3 * YEAR)
    people.contact(session, home.tess, given="Otto", phone=phone)
    session.commit()
    assert state(session, phone) == ("opt_out", True)


def test_stop_of_an_erased_number_outlives_a_later_wrong_person(engine, session, home, now):
    phone = lost_stop(engine, session, home, now)
    park_numbers(session, {phone: now + YEAR}, by="deactivations", now=now + YEAR)
    session.commit()
    erase(engine, now + 3 * YEAR)
    people.contact(session, home.tess, given="Otto", phone=phone)
    session.commit()
    assert state(session, phone) == ("opt_out", True)
    assert session.get(PhoneNumber, phone).wrong_person_at
