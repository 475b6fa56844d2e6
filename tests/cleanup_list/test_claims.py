"""*I'll take it*: a claim says who takes care of a contact, until the contact leaves the list or the claim expires."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from support import edits, people
from support import mass_messages as messages
from support.errors import refused

from bot.access.rights import AccessLevel
from bot.cleanup_list.claims import CLAIM_DURATION, claim_contact, expire_claims, release_contact
from bot.db.models.edits import Audit
from bot.db.models.messages import ListEntry

NOW = people.NOW


@pytest.fixture
def lincoln(session):
    return people.school(session)


@pytest.fixture
def clara(session, lincoln):
    return people.actor_of(people.staff(session, "Clara", at=lincoln), level=AccessLevel.SCHOOLS, at=(lincoln,))


@pytest.fixture
def ben(session, lincoln):
    ben = people.staff(session, "Ben", at=lincoln)
    return people.actor_of(ben, level=AccessLevel.SCHOOLS, at=(lincoln,), user_id="U0BEN")


@pytest.fixture
def maria(session, lincoln):
    return people.list_contact(session, people.contact(session, people.student(session, at=lincoln)))


def entry(session, contact):
    session.flush()
    return session.get(ListEntry, contact.id, populate_existing=True)


def audit_actions(session, contact):
    of_contact = select(Audit.action, Audit.actor).where(Audit.subject_id == contact.id)
    return [tuple(row) for row in session.execute(of_contact.order_by(Audit.id))]


def test_claim_is_stored_and_audited(session, clara, maria):
    claim_contact(session, maria.id, actor=clara, now=NOW)
    assert (entry(session, maria).claimed_by, entry(session, maria).claimed_at) == (clara.user_id, NOW)
    assert audit_actions(session, maria) == [("claim.taken", clara.user_id)]


def test_colleague_cannot_claim_until_release_or_expiry(session, clara, ben, maria):
    claim_contact(session, maria.id, actor=clara, now=NOW)
    with refused("claim.taken"):
        claim_contact(session, maria.id, actor=ben, now=NOW + CLAIM_DURATION)
    claim_contact(session, maria.id, actor=ben, now=NOW + CLAIM_DURATION + timedelta(seconds=1))
    assert entry(session, maria).claimed_by == ben.user_id
    release_contact(session, maria.id, actor=clara, now=NOW)
    release_contact(session, maria.id, actor=clara, now=NOW)
    assert entry(session, maria).claimed_by is None
    assert audit_actions(session, maria)[1:] == [("claim.taken", ben.user_id), ("claim.freed", clara.user_id)]


def test_claiming_again_extends_the_claim(session, clara, maria):
    claim_contact(session, maria.id, actor=clara, now=NOW)
    claim_contact(session, maria.id, actor=clara, now=NOW + timedelta(days=2))
    assert expire_claims(session, now=NOW + timedelta(days=4)) == 0
    assert expire_claims(session, now=NOW + timedelta(days=6)) == 1
    assert entry(session, maria).claimed_by is None


def test_contact_waiting_for_the_next_message_cannot_be_claimed(session, clara, maria):
    edits.change(session, maria, phone="+13125550199", actor=clara)
    with refused("claim.updated"):
        claim_contact(session, maria.id, actor=clara, now=NOW)


def test_contact_not_on_the_list_cannot_be_claimed(session, clara, lincoln):
    other = people.contact(session, people.student(session, "Lea", at=lincoln))
    with refused("claim.not_listed"):
        claim_contact(session, other.id, actor=clara, now=NOW)


@pytest.mark.parametrize("act", [claim_contact, release_contact])
def test_claims_need_the_right_to_edit_and_to_see(session, clara, maria, act):
    with refused("access.no_editor"):
        act(session, maria.id, actor=replace(clara, may_edit=False), now=NOW)
    elsewhere = people.school(session, "Roosevelt Elementary")
    with refused("access.no_contact"):
        act(session, maria.id, actor=replace(clara, school_ids=(elsewhere.id,)), now=NOW)
    assert audit_actions(session, maria) == []


def test_claim_survives_a_new_status_and_ends_with_the_entry(session, clara, maria):
    claim_contact(session, maria.id, actor=clara, now=NOW)
    messages.send(session, {maria: "inactive"}, now=NOW + timedelta(hours=1))
    assert (entry(session, maria).status, entry(session, maria).claimed_by) == ("inactive", clara.user_id)
    messages.send(session, {maria: "delivered"}, now=NOW + timedelta(hours=2))
    assert entry(session, maria) is None
