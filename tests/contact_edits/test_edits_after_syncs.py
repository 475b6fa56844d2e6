"""What staff did to a contact, after the real nightly sync has been over it: Maria is Sam's mother in every bundle."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from support import edits, people
from support import sis_bundles as bundles

from bot.access.rights import AccessLevel
from bot.contact_edits.conflicts import resolve_conflict
from bot.contact_edits.locking import VersionConflict
from bot.contact_edits.remove import undo_removal
from bot.contact_edits.undo import undo_edit
from bot.db.models import views
from bot.db.models.messages import ListEntry
from bot.db.models.roster import Contact, Staff
from bot.sis.oneroster_csv import Export
from bot.sync.run import run_sync

NIGHT = timedelta(hours=11)


@pytest.fixture
def synced(session, tmp_path):
    """Sync the district, with what Maria's row says of her, one night later each time."""
    nights = iter(people.NOW + NIGHT * number for number in range(1, 9))
    engine = session.get_bind()

    def sync(**maria):
        tables = bundles.a_district()
        bundles.users_by_id(tables)["maria"] |= maria
        session.commit()
        folder = bundles.write(tables, tmp_path / "bundle")
        run_sync(engine, Export(folder), now=next(nights), region="US", hold_percent=100)
        session.expire_all()

    sync()
    return sync


@pytest.fixture
def maria(session, synced):
    return session.scalars(select(Contact).where(Contact.sourced_id == "maria")).one()


@pytest.fixture
def dana(session, synced):
    one = session.scalars(select(Staff).where(Staff.sourced_id == "dana")).one()
    return people.actor_of(one, level=AccessLevel.DISTRICT)


def is_reached(session, one):
    read = views.effective_contacts.c
    return session.scalar(select(read.contact_id).where(read.contact_id == one.id).limit(1)) is not None


def test_a_removed_contact_stays_removed_whatever_the_sis_says_of_it(session, synced, maria, dana):
    removal = edits.remove(session, maria, None, actor=dana)
    synced()
    synced(phone="(312) 555-0199", givenName="Mary")
    assert not is_reached(session, maria)
    undo_removal(session, removal.id, actor=dana, now=people.NOW)
    assert edits.effective(session, maria)[0] == "+13125550199"


def test_edit_survives_syncs_until_one_has_its_value(session, synced, maria, dana):
    edits.change(session, maria, phone="(312) 555-0199", actor=dana)
    synced()
    assert edits.in_force(session, maria) == [("phone", "+13125550199", "pending")]
    synced(phone="312 555 0199")
    assert edits.states(session, maria) == [("phone", "+13125550199", "absorbed")]
    assert edits.effective(session, maria)[0] == "+13125550199"


def test_a_third_number_from_the_sis_is_a_conflict_that_one_choice_settles(session, synced, maria, dana):
    made = edits.change(session, maria, phone="(312) 555-0199", actor=dana).edit_ids[0]
    synced(phone="(312) 555-0177")
    assert edits.in_force(session, maria) == [("phone", "+13125550199", "conflict")]
    resolve_conflict(session, made, keep="ours", actor=dana, now=people.NOW)
    synced(phone="(312) 555-0177")
    assert edits.in_force(session, maria) == [("phone", "+13125550199", "pending")]
    synced(phone="(312) 555-0166")
    resolve_conflict(session, made, keep="sis", actor=dana, now=people.NOW)
    assert edits.effective(session, maria)[0] == "+13125550166"


def test_undo_goes_back_to_what_the_sis_says_by_now(session, synced, maria, dana):
    made = edits.change(session, maria, phone="(312) 555-0199", actor=dana).edit_ids[0]
    synced(phone="(312) 555-0177")
    undo_edit(session, made, actor=dana, now=people.NOW)
    assert edits.effective(session, maria)[0] == "+13125550177"


def test_editor_is_told_that_a_sync_changed_the_contact_meanwhile(session, synced, maria, dana):
    edits.change(session, maria, method="call", actor=dana)
    seen = edits.version_of(session, maria)
    synced(phone="(312) 555-0177")
    with pytest.raises(VersionConflict) as late:
        edits.change(session, maria, phone="(312) 555-0199", actor=dana, version=seen)
    assert late.value.by == "sync"


def test_contact_switched_to_calls_still_waits_after_sis_changes_its_number(session, synced, maria, dana):
    people.list_contact(session, maria)
    edits.change(session, maria, method="call", actor=dana)
    synced(phone="(312) 555-0177")
    synced()
    assert session.get_one(ListEntry, maria.id).updated_by == dana.user_id
