"""*I'll take it*: who takes care of a contact, seen by colleagues, until it is done or three days have gone by."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from support import edits, people
from support import mass_messages as messages

from bot.access import Reach
from bot.cleanup_list.claims import CLAIM_DURATION, claim_contact, expire_claims, release_contact
from bot.db.models.edits import Audit
from bot.db.models.messages import ListEntry
from bot.errors import UserError

NOW = people.NOW


@pytest.fixture
def lincoln(session):
    return people.school(session)


@pytest.fixture
def clara(session, lincoln):
    return people.acting(people.staff(session, "Clara", at=lincoln), reach=Reach.SCHOOLS, at=(lincoln,))


@pytest.fixture
def ben(session, lincoln):
    one = people.acting(people.staff(session, "Ben", at=lincoln), reach=Reach.SCHOOLS, at=(lincoln,))
    return replace(one, user_id="U0BEN")


@pytest.fixture
def maria(session, lincoln):
    return people.listed(session, people.contact(session, people.student(session, at=lincoln)))


def entry(session, contact):
    session.flush()
    return session.get(ListEntry, contact.id, populate_existing=True)


def history(session, contact):
    of_contact = select(Audit.action, Audit.actor).where(Audit.subject_id == contact.id)
    return [tuple(row) for row in session.execute(of_contact.order_by(Audit.id))]


def test_who_takes_a_contact_is_noted_with_the_act(session, clara, maria):
    claim_contact(session, maria.id, actor=clara, now=NOW)
    assert (entry(session, maria).claimed_by, entry(session, maria).claimed_at) == (clara.user_id, NOW)
    assert history(session, maria) == [("claim.taken", clara.user_id)]


def test_a_colleague_is_told_no_until_it_is_freed_or_has_lapsed(session, clara, ben, maria):
    claim_contact(session, maria.id, actor=clara, now=NOW)
    with pytest.raises(UserError, match="A colleague was faster"):
        claim_contact(session, maria.id, actor=ben, now=NOW + CLAIM_DURATION)
    claim_contact(session, maria.id, actor=ben, now=NOW + CLAIM_DURATION + timedelta(seconds=1))
    assert entry(session, maria).claimed_by == ben.user_id
    release_contact(session, maria.id, actor=clara, now=NOW)
    release_contact(session, maria.id, actor=clara, now=NOW)
    assert entry(session, maria).claimed_by is None
    assert history(session, maria)[1:] == [("claim.taken", ben.user_id), ("claim.freed", clara.user_id)]


def test_taken_again_by_the_same_person_it_lasts_anew(session, clara, maria):
    claim_contact(session, maria.id, actor=clara, now=NOW)
    claim_contact(session, maria.id, actor=clara, now=NOW + timedelta(days=2))
    assert expire_claims(session, now=NOW + timedelta(days=4)) == 0
    assert expire_claims(session, now=NOW + timedelta(days=6)) == 1
    assert entry(session, maria).claimed_by is None


def test_what_only_waits_for_the_next_message_is_nothing_to_take(session, clara, maria):
    edits.change(session, maria, phone="+13125550199", actor=clara)
    with pytest.raises(UserError, match="waits for the next mass message"):
        claim_contact(session, maria.id, actor=clara, now=NOW)


def test_nobody_takes_who_is_not_on_the_list(session, clara, lincoln):
    other = people.contact(session, people.student(session, "Lea", at=lincoln))
    with pytest.raises(UserError, match="not on the cleanup list"):
        claim_contact(session, other.id, actor=clara, now=NOW)


@pytest.mark.parametrize("act", [claim_contact, release_contact])
def test_neither_whoever_may_only_look_nor_whoever_may_not_see(session, clara, maria, act):
    with pytest.raises(UserError, match="other roles"):
        act(session, maria.id, actor=replace(clara, may_edit=False), now=NOW)
    elsewhere = people.school(session, "Roosevelt Elementary")
    with pytest.raises(UserError, match="not on your list"):
        act(session, maria.id, actor=replace(clara, school_ids=(elsewhere.id,)), now=NOW)
    assert history(session, maria) == []


def test_a_claim_stays_while_the_status_changes_and_ends_with_the_entry(session, clara, maria):
    claim_contact(session, maria.id, actor=clara, now=NOW)
    messages.sent(session, {maria: "inactive"}, now=NOW + timedelta(hours=1))
    assert (entry(session, maria).status, entry(session, maria).claimed_by) == ("inactive", clara.user_id)
    messages.sent(session, {maria: "delivered"}, now=NOW + timedelta(hours=2))
    assert entry(session, maria) is None
