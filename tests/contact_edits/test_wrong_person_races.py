"""*Wrong person* and a proof of the number at the same moment, on two connections, and from a program that knows no proofs."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from support import edits, people
from support import mass_messages as messages
from support.desk import NOW, OLD, Desk
from support.errors import refused

from bot.contact_edits.locking import VersionConflict
from bot.contact_edits.wrong_person import mark_wrong_person
from bot.db.models.edits import Audit
from bot.mass_messages.wrong_person import park_numbers

A_MOMENT = timedelta(milliseconds=5)
# The statement of the program before migration 0062.
PARKED_BY_OLDER_PROGRAM = """
INSERT INTO phone_numbers AS n (phone, status, since, wrong_person_at, wrong_person_by)
VALUES (:phone, 'wrong_person', :now, :now, 'U1')
ON CONFLICT (phone) DO UPDATE SET status = excluded.status, since = excluded.since, doubted = NULL,
    wrong_person_at = excluded.wrong_person_at, wrong_person_by = excluded.wrong_person_by
WHERE n.wrong_person_at IS NULL
"""


@pytest.fixture
def office(session):
    """Sam's mother Maria has two records with one number, of which both clerks have the dialog open."""
    desk = Desk(session)
    desk.record = people.contact(session, desk.sam, given="Maria0", phone=OLD)
    session.commit()
    return desk


def mark(engine, contact_id, version, office_ids, *, now):
    """Press *Wrong person* on a connection of its own."""
    actor, student_id = office_ids
    with Session(engine) as session:
        try:
            mark_wrong_person(session, contact_id, version=version, actor=actor, student_id=student_id, now=now)
            session.commit()
        except Exception as problem:  # noqa: BLE001 - the test asserts on it.
            return problem


def mark_during_a_text(office, session, engine, contact, *, now):
    """The text with the code has its locks, and is committed while *Wrong person* waits for them. Return what came of the latter."""
    code, version = office.issue(), edits.version_of(session, contact)
    contact_id, of_clerk = contact.id, (office.actors[1], office.sam.id)
    session.commit()
    assert office.text(code, OLD)
    with ThreadPoolExecutor(1) as pool:
        marked = pool.submit(mark, engine, contact_id, version, of_clerk, now=now)
        with engine.connect() as other:
            while not other.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                time.sleep(0.01)
        session.commit()
        return marked.result(timeout=10)


def test_wrong_person_after_the_proof_of_the_contact_is_shown_it(office, session, engine):
    assert isinstance(mark_during_a_text(office, session, engine, office.maria, now=NOW), VersionConflict)
    assert office.number(OLD).wrong_person_at is None


def test_wrong_person_after_the_proof_of_another_record_claims_nothing(office, session, engine):
    """It was pressed before the text arrived, and got its lock after it."""
    problem = mark_during_a_text(office, session, engine, office.record, now=NOW - A_MOMENT)
    with refused("wrong_person.changed"):
        raise problem
    assert office.number(OLD).wrong_person_at is None
    assert "wrong_person.recorded" not in session.scalars(select(Audit.action)).all()


def test_proof_that_waits_for_wrong_person_ends_it(office, session, engine):
    """The text was received before, and got its lock after it: the phone is there, so the number is theirs."""
    code = office.issue(now=NOW - timedelta(minutes=1))
    session.commit()
    with Session(engine) as other, ThreadPoolExecutor(1) as pool:
        of_contact = {"version": edits.version_of(other, office.maria), "student_id": office.sam.id}
        mark_wrong_person(other, office.maria.id, **of_contact, actor=office.actors[1], now=NOW)
        taken = pool.submit(office.text, code, OLD, now=NOW - A_MOMENT)
        while not other.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            time.sleep(0.01)
        other.commit()
        assert taken.result(timeout=10)
    session.commit()
    assert office.number(OLD).wrong_person_at is None
    assert messages.the_list(session) == {}


def test_older_program_that_parks_the_number_again_ends_the_proofs(office, session):
    """Otherwise the number would be texted for the contact who proved it before, after a report that it is someone else's."""
    assert office.text(office.issue(), OLD)
    session.execute(text(PARKED_BY_OLDER_PROGRAM), {"phone": OLD, "now": NOW + timedelta(hours=1)})
    status = session.scalars(text("SELECT sms_status FROM effective_contacts")).all()
    assert status == ["wrong_person", "wrong_person"]
    assert session.scalars(text("SELECT proved_at FROM tried_numbers")).all() == [None]


def test_report_from_before_the_proof_leaves_it(office, session):
    petra = people.contact(session, people.student(session, "Kim", at=office.lincoln), given="Petra", phone=OLD)
    session.commit()
    assert office.text(office.issue(), OLD)
    assert park_numbers(session, {OLD: NOW - timedelta(days=1)}, by="twilio", now=NOW) == [OLD]
    assert messages.the_list(session) == {petra.id: "wrong_person"}
