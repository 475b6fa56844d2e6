"""When a number was verified last, and how, as the student dialog reads it."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from support import edits, people
from support import mass_messages as messages

from bot.access.rights import AccessLevel
from bot.cleanup_list.last_verified import Proof
from bot.cleanup_list.student import load_student
from bot.db.models.messages import PhoneNumber
from bot.db.models.roster import StudentContact

NOW = people.NOW
LATER = NOW + timedelta(days=3)


@pytest.fixture
def clara(session):
    district = people.create_district(session)
    return people.actor_of(district.clara, level=AccessLevel.SCHOOLS, at=(district.lincoln,))


@pytest.fixture
def maria(session, clara):
    at = session.get_one(people.School, clara.school_ids[0])
    return people.contact(session, people.student(session, at=at))


def verified(session, contact, clara):
    session.expire_all()
    link = session.scalars(select(StudentContact).where(StudentContact.contact_id == contact.id)).one()
    return load_student(session, link.student_id, actor=clara).contacts[0].verified


def verify(session, contact, *, at=NOW, how=None):
    session.merge(PhoneNumber(phone=contact.sis_phone, verified_at=at, verified_how=how, verified_by="UCLARA"))
    session.flush()


def test_number_without_any_proof_has_none(session, maria, clara):
    assert verified(session, maria, clara) is None


def test_delivered_text_is_a_proof(session, maria, clara):
    messages.send(session, {maria: "delivered"}, now=NOW)
    assert verified(session, maria, clara).proof is Proof.DELIVERED
    assert verified(session, maria, clara).at == NOW


def test_text_that_did_not_arrive_is_none(session, maria, clara):
    messages.send(session, {maria: "turned_off"}, now=NOW)
    assert verified(session, maria, clara) is None


@pytest.mark.parametrize(("how", "proof"), [("counter", Proof.COUNTER), ("call", Proof.CALL), (None, Proof.COLLEAGUE)])
def test_colleague_is_a_proof(session, maria, clara, how, proof):
    verify(session, maria, how=how)
    assert (verified(session, maria, clara).proof, verified(session, maria, clara).by) == (proof, "UCLARA")


@pytest.mark.parametrize(("called_at", "proof"), [(NOW - timedelta(days=1), Proof.DELIVERED), (LATER, Proof.CALL)])
def test_newest_proof_counts(session, maria, clara, called_at, proof):
    messages.send(session, {maria: "delivered"}, now=NOW)
    verify(session, maria, at=called_at, how="call")
    assert verified(session, maria, clara).proof is proof


def test_entered_number_counts_after_the_sis_has_it(session, maria, clara):
    edits.change(session, maria, phone="+13125559901", actor=clara)
    edits.sync_phone(session, maria, "+13125559901")
    assert verified(session, maria, clara).proof is Proof.ENTERED


def test_typed_number_of_a_stranger_shows_no_proof_of_theirs(session, maria, clara):
    session.add(PhoneNumber(phone="+13125559901", verified_at=LATER, verified_how="counter"))
    edits.change(session, maria, phone="+13125559901", actor=clara)
    assert verified(session, maria, clara).proof is Proof.ENTERED
