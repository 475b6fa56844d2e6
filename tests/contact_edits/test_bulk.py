"""Bulk changes below Slack: the lease of the process that does one, and the contacts of a draft."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from support import people
from support.people import NOW

from bot.contact_edits import bulk
from bot.contact_edits.remove import RemovalReason
from bot.db.models.bulk import BulkAction, BulkContact
from bot.db.models.edits import Edit


@pytest.fixture
def contacts(session, district):
    """Three listed contacts at Lincoln."""
    students = [people.student(session, name, at=district.lincoln) for name in ("Sam", "Lea", "Kim")]
    contacts = [people.list_contact(session, people.contact(session, student)) for student in students]
    session.commit()
    return contacts


@pytest.fixture
def draft(session, contacts, clara):
    versions = {contact.id: contact.version for contact in contacts}
    return bulk.create_draft(session, versions, list_id=1, actor=clara, now=NOW)


def start(session, draft, actor, *, only=None, action=BulkAction.CALL, reason=None):
    return bulk.start_change(session, draft, action, reason, only=only, view_id="V1", actor=actor, now=NOW)


def test_process_that_lost_its_lease_changes_nothing(session, draft, clara):
    slow = start(session, draft, clara)
    session.expunge(slow)
    later = NOW + bulk.LEASE + timedelta(seconds=1)
    other = bulk.claim_change(session, now=later)
    assert other.id == slow.id
    with pytest.raises(bulk.LeaseLost):
        bulk.run_batch(session, slow, actor=clara, now=later)
    assert session.scalars(select(Edit.id)).all() == []
    assert not bulk.run_batch(session, other, actor=clara, now=later)
    assert len(session.scalars(select(Edit.id)).all()) == 3


def test_change_that_is_leased_is_not_claimed(session, draft, clara):
    start(session, draft, clara)
    assert bulk.claim_change(session, now=NOW + timedelta(minutes=1)) is None


def test_change_is_given_up_after_six_attempts(session, draft, clara):
    start(session, draft, clara)
    for attempt in range(1, 10):
        bulk.claim_change(session, now=NOW + attempt * (bulk.LEASE + timedelta(seconds=1)))
    change = bulk.load_change(session, draft, actor=clara)
    session.refresh(change)
    assert (change.state, change.attempts) == ("failed", bulk.MAX_ATTEMPTS)


def test_forged_contact_outside_the_draft_is_not_changed(session, draft, contacts, district, clara):
    stranger = people.list_contact(session, people.contact(session, people.student(session, at=district.roosevelt)))
    session.flush()
    change = start(session, draft, clara, only={contacts[0].id, stranger.id})
    bulk.run_batch(session, change, actor=clara, now=NOW)
    assert session.scalars(select(BulkContact.contact_id)).all() == [contacts[0].id]


def test_draft_is_started_once(session, draft, clara):
    assert start(session, draft, clara)
    assert start(session, draft, clara, action=BulkAction.REMOVE, reason=RemovalReason.ASKED) is None
