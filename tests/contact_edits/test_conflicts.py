"""Two who disagree about a contact: staff and the SIS, or two people who save at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select
from support import edits, people
from support.errors import refused

from bot.access.rights import AccessLevel
from bot.contact_edits.conflicts import resolve_conflict
from bot.contact_edits.locking import VersionConflict
from bot.contact_edits.remove import undo_removal
from bot.contact_edits.undo import undo_edit
from bot.db.models.edits import Edit, Removal
from bot.db.models.messages import ListEntry
from bot.db.session import transaction
from bot.errors import UserError

OURS, THEIRS, LATER = "+13125559901", "+13125559902", people.NOW + timedelta(minutes=5)


@pytest.fixture
def dana(session):
    return people.actor_of(people.create_district(session).dana, level=AccessLevel.DISTRICT)


@pytest.fixture
def ana(session, dana):
    one = people.staff(session, "Ann", "Other", role="districtAdministrator")
    return people.actor_of(one, level=AccessLevel.DISTRICT)


@pytest.fixture
def maria(session, dana):
    sam = people.student(session)
    return people.list_contact(session, people.contact(session, sam, phone="+13125550142"))


@pytest.fixture
def disputed(session, maria, dana):
    """The id of Maria's edit: Dana entered one number, and then the SIS came up with another."""
    edit_id = edits.change(session, maria, phone=OURS, actor=dana).edit_ids[0]
    edits.sync_phone(session, maria, THEIRS)
    return edit_id


def settle(session, edit_id, keep, actor):
    resolve_conflict(session, edit_id, keep=keep, actor=actor, now=LATER)


def edit_now(session, edit_id):
    session.flush()
    return session.get_one(Edit, edit_id, populate_existing=True)


def test_our_value_is_shown_until_a_person_chooses(session, maria, disputed):
    assert edit_now(session, disputed).state == "conflict"
    assert edits.effective(session, maria)[0] == OURS


def test_kept_ours_is_pending_against_what_the_sis_says_now(session, maria, disputed, dana):
    settle(session, disputed, "ours", dana)
    edit = edit_now(session, disputed)
    assert (edit.state, edit.base, edit.value, edit.sis_value, edit.sis_at) == ("pending", THEIRS, OURS, None, None)
    assert edits.effective(session, maria)[0] == OURS
    edits.sync_phone(session, maria, THEIRS)
    assert edit_now(session, disputed).state == "pending"


def test_taken_from_the_sis_is_what_everyone_reads_and_cannot_be_undone(session, maria, disputed, dana):
    settle(session, disputed, "sis", dana)
    assert edits.effective(session, maria)[0] == THEIRS
    assert edits.in_force(session, maria) == []
    with refused("undo.changed_since"):
        undo_edit(session, disputed, actor=dana, now=LATER)


@pytest.mark.parametrize("choices", [("ours", "ours"), ("ours", "sis"), ("sis", "ours"), ("sis", "sis")])
def test_choosing_twice_is_refused(session, maria, disputed, dana, choices):
    settle(session, disputed, choices[0], dana)
    stood = edits.effective(session, maria)
    with refused("conflict.settled"):
        settle(session, disputed, choices[1], dana)
    assert edits.effective(session, maria) == stood


def test_where_the_sis_agrees_by_now_there_is_nothing_to_choose(session, maria, disputed, dana):
    edits.sync_phone(session, maria, OURS)
    with refused("conflict.settled"):
        settle(session, disputed, "ours", dana)


def test_an_edit_made_over_a_conflict_settles_it_and_undo_brings_it_back(session, maria, disputed, dana):
    newer = edits.change(session, maria, phone="+13125559903", actor=dana, now=LATER).edit_ids[0]
    assert edits.in_force(session, maria) == [("phone", "+13125559903", "pending")]
    undo_edit(session, newer, actor=dana, now=LATER)
    edit = edit_now(session, disputed)
    assert (edit.state, edit.sis_value) == ("conflict", THEIRS)


def test_undo_does_not_revive_an_edit_that_the_sis_has_by_now(session, maria, dana):
    edits.change(session, maria, phone=OURS, actor=dana)
    newer = edits.change(session, maria, phone="+13125559903", actor=dana, now=LATER).edit_ids[0]
    edits.sync_phone(session, maria, OURS)
    undo_edit(session, newer, actor=dana, now=LATER)
    assert edits.states(session, maria) == [("phone", OURS, "absorbed"), ("phone", "+13125559903", "undone")]
    assert edits.effective(session, maria)[0] == OURS


def test_choosing_is_written_down_with_numbers_masked(session, maria, disputed, dana):
    settle(session, disputed, "sis", dana)
    assert edits.audit_log(session)[-1] == ("conflict.took_sis", dana.user_id, "••• 9901", "••• 9902")


def test_the_number_that_failed_taken_from_the_sis_is_not_waiting_for_a_message(session, maria, dana):
    edit_id = edits.change(session, maria, phone=OURS, actor=dana).edit_ids[0]
    entry = session.get_one(ListEntry, maria.id)
    entry.phone = THEIRS
    edits.sync_phone(session, maria, THEIRS)
    settle(session, edit_id, "sis", dana)
    assert (entry.updated_at, entry.updated_by) == (None, None)


ROUNDS = 20


def at_once(engine, *acts):
    """Do each act on a connection of its own, all starting together; what each gave, or the refusal."""
    barrier = threading.Barrier(len(acts))

    def run(act):
        try:
            with transaction(engine) as mine:
                mine.connection()
                barrier.wait(timeout=10)
                return act(mine)
        except UserError as no:
            return no

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_of_two_who_save_at_the_same_moment_one_wins_and_the_other_is_told(session, maria, dana, ana):
    for number in range(ROUNDS):
        seen = edits.version_of(session, maria)
        session.commit()
        saving = {"version": seen, "now": people.NOW + timedelta(minutes=number)}
        results = at_once(
            session.get_bind(),
            lambda mine, v=saving, n=number: (
                edits.change(mine, maria, phone=f"+131255581{n:02}", actor=dana, **v),
                dana,
            ),
            lambda mine, v=saving, n=number: (
                edits.change(mine, maria, phone=f"+131255582{n:02}", actor=ana, **v),
                ana,
            ),
        )
        (late,) = [one for one in results if isinstance(one, VersionConflict)]
        ((won, winner),) = [one for one in results if one is not late]
        assert late.by == winner.user_id
        assert edits.in_force(session, maria) == [("phone", won.phone, "pending")]
    assert len(edits.audit_log(session)) == ROUNDS


def test_of_two_who_remove_at_the_same_moment_one_does(session, maria, dana, ana):
    seen = edits.version_of(session, maria)
    session.commit()
    results = at_once(
        session.get_bind(),
        lambda mine: edits.remove(mine, maria, None, actor=dana, version=seen),
        lambda mine: edits.remove(mine, maria, None, actor=ana, version=seen),
    )
    assert [isinstance(one, UserError) for one in results].count(True) == 1
    assert len(session.scalars(select(Removal)).all()) == 1


def test_of_two_who_bring_back_at_the_same_moment_one_does(session, maria, dana, ana):
    removal = edits.remove(session, maria, None, actor=dana)
    session.commit()
    results = at_once(
        session.get_bind(),
        lambda mine: undo_removal(mine, removal.id, actor=dana, now=LATER),
        lambda mine: undo_removal(mine, removal.id, actor=ana, now=LATER),
    )
    assert [isinstance(one, UserError) for one in results].count(True) == 1
    assert [row[0] for row in edits.audit_log(session)] == ["contact.removed", "contact.brought_back"]


def test_of_two_who_undo_at_the_same_moment_one_does_and_nothing_older_comes_undone(session, maria, dana, ana):
    edits.change(session, maria, phone=THEIRS, actor=dana)
    newer = edits.change(session, maria, phone=OURS, actor=dana, now=LATER).edit_ids[0]
    session.commit()
    results = at_once(
        session.get_bind(),
        lambda mine: undo_edit(mine, newer, actor=dana, now=LATER),
        lambda mine: undo_edit(mine, newer, actor=ana, now=LATER),
    )
    assert [isinstance(one, UserError) for one in results].count(True) == 1
    assert edits.in_force(session, maria) == [("phone", THEIRS, "pending")]


def test_of_two_who_choose_differently_at_the_same_moment_one_does(session, maria, disputed, dana, ana):
    session.commit()
    results = at_once(
        session.get_bind(),
        lambda mine: settle(mine, disputed, "ours", dana),
        lambda mine: settle(mine, disputed, "sis", ana),
    )
    assert [isinstance(one, UserError) for one in results].count(True) == 1
    kept = results.index(None) == 0
    assert edits.effective(session, maria)[0] == (OURS if kept else THEIRS)
    assert edits.audit_log(session)[-1][0] == ("conflict.kept_ours" if kept else "conflict.took_sis")
