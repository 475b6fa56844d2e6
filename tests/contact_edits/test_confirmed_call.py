"""Calls in which the family confirmed the number: what they prove, and what the undo gives back."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from support import edits, people
from support import mass_messages as messages
from support.desk import NOW, OLD, OTHER, Desk
from support.errors import refused

from bot.cleanup_list.calls import load_due
from bot.cleanup_list.student import load_student
from bot.contact_edits.confirmed_call import log_call, undo_call
from bot.contact_edits.locking import VersionConflict, lock_contact
from bot.db.models.edits import Audit, TriedNumber
from bot.db.models.messages import CallOutcome, ListEntry
from bot.db.models.roster import Contact
from bot.mass_messages.opt_outs import apply_opt_out
from bot.mass_messages.wrong_person import park_numbers

LATER = NOW + timedelta(days=1)


@pytest.fixture
def office(session):
    """Sam's mother Maria is listed as blocked."""
    desk = Desk(session)
    people.list_contact(session, desk.maria)
    session.commit()
    return desk


def confirm(office, *, now=NOW, back_on=None, actor=0, outcome=CallOutcome.CONFIRMED, version=None):
    session = office.session
    version = version or session.scalar(select(Contact.version).where(Contact.id == office.maria.id))
    of_call = {"student_id": office.sam.id, "version": version, "outcome": outcome, "back_on": back_on}
    return log_call(session, office.maria.id, **of_call, actor=office.actors[actor], now=now)


def card(office):
    office.session.flush()
    return load_student(office.session, office.sam.id, actor=office.actors[0]).contact(office.maria.id)


def actions(session):
    return session.scalars(select(Audit.action).order_by(Audit.id)).all()


def test_confirmed_number_is_verified_and_the_contact_stays_on_the_list(office, session):
    assert not confirm(office)
    maria = card(office)
    assert (maria.on_list, maria.status, maria.call.outcome) == (True, "blocked", CallOutcome.CONFIRMED)
    assert (maria.verified.proof, maria.verified.by) == ("call", office.actors[0].user_id)
    assert maria.claimed_by == office.actors[0].user_id
    assert actions(session) == ["call.logged", "number.confirmed"]


def test_program_before_reads_no_unknown_outcome(office, session):
    """It shows no call, or one to call back; where it logs another one, that one counts."""
    confirm(office)
    assert session.scalar(select(ListEntry.call_outcome)) is None
    confirm(office, back_on=people.TODAY)
    assert session.scalar(select(ListEntry.call_outcome)) == "call_back"
    assert [due.call.outcome for due in load_due(session, actor=office.actors[0], limit=9)] == ["confirmed"]
    session.execute(text("UPDATE cleanup_list SET call_outcome = 'voicemail'"))
    assert card(office).call.outcome == "voicemail"


@pytest.mark.parametrize("how", ["undone", "replaced"])
def test_no_earlier_proof_is_null_for_sql_too(office, session, how):
    confirm(office)
    if how == "undone":
        undo_call(session, office.maria.id, actor=office.actors[0], now=LATER)
    else:
        confirm(office, outcome=CallOutcome.VOICEMAIL, now=LATER)
    session.flush()
    assert session.scalar(select(ListEntry.contact_id).where(ListEntry.earlier_proof.is_(None))) == office.maria.id


def test_undo_gives_back_what_proved_the_number_before(office, session):
    assert office.text(office.issue(), OLD)
    confirm(office, now=LATER)
    undo_call(session, office.maria.id, actor=office.actors[0], now=LATER)
    maria = card(office)
    assert (maria.call, maria.claimed_by) == (None, None)
    assert (maria.verified.proof, maria.verified.at) == ("counter", NOW)
    assert session.scalars(select(TriedNumber.proved_at)).all() == [NOW]
    assert actions(session)[-2:] == ["call.undone", "number.unconfirmed"]


def test_undo_of_the_first_proof_leaves_none(office, session):
    confirm(office)
    undo_call(session, office.maria.id, actor=office.actors[0], now=LATER)
    assert card(office).verified is None
    assert session.scalars(select(TriedNumber.proved_at)).all() == [None]


def test_undo_leaves_what_another_record_of_the_contact_proved_before(office, session):
    people.contact(session, office.sam, given="Zoe", phone=OLD)
    record = people.contact(session, office.sam, given="Maria0", phone=OTHER)
    edits.change(session, office.maria, phone=OTHER, actor=office.actors[1])
    assert office.text(office.issue(record), OLD)
    edits.change(session, office.maria, phone=OLD, actor=office.actors[1])
    confirm(office, now=LATER)
    undo_call(session, office.maria.id, actor=office.actors[0], now=LATER)
    proofs = session.execute(select(TriedNumber.contact_id, TriedNumber.proved_at)).all()
    assert dict(proofs) == {office.maria.id: None, record.id: NOW}


def test_undo_after_an_edit_takes_the_proof_of_the_earlier_number_back(office, session):
    confirm(office)
    edits.change(session, office.maria, phone=OTHER, actor=office.actors[1])
    undo_call(session, office.maria.id, actor=office.actors[0], now=LATER)
    assert office.number(OLD).verified_at is None
    assert session.scalars(select(TriedNumber.proved_at)).all() == [None]


def test_undo_leaves_what_a_colleague_verified_since(office, session):
    confirm(office)
    assert office.text(office.issue(now=LATER), OLD, now=LATER)
    undo_call(session, office.maria.id, actor=office.actors[0], now=LATER)
    assert card(office).verified.proof == "counter"
    confirm(office, now=LATER)
    confirm(office, now=LATER, actor=1)
    with refused("call.not_yours"):
        undo_call(session, office.maria.id, actor=office.actors[0], now=LATER)


def test_undo_counts_as_a_change_of_the_person_who_undid(office, session):
    ana, clara = office.actors[1], office.actors[0]
    confirm(office)
    edits.change(session, office.maria, method="call", actor=ana)
    version = session.scalar(select(Contact.version).where(Contact.id == office.maria.id))
    undo_call(session, office.maria.id, actor=clara, now=LATER + timedelta(hours=1))
    with pytest.raises(VersionConflict) as conflict:
        lock_contact(session, office.maria.id, version=version)
    assert conflict.value.by == clara.user_id


def test_undo_lists_the_contact_as_parked_by_a_report_from_before_the_call(office, session):
    """The report was not for a contact who confirmed the number since, only for the other one."""
    zoe = people.contact(session, office.sam, given="Zoe", phone=OLD)
    messages.send(session, {office.maria: "blocked"}, now=NOW - timedelta(days=3))
    confirm(office, now=LATER)
    park_numbers(session, {OLD: NOW}, by="twilio", now=LATER)
    session.commit()
    assert messages.the_list(session) == {office.maria.id: "blocked", zoe.id: "wrong_person"}
    undo_call(session, office.maria.id, actor=office.actors[0], now=LATER)
    assert messages.the_list(session) == {office.maria.id: "wrong_person", zoe.id: "wrong_person"}


def test_next_call_keeps_the_proof(office, session):
    confirm(office)
    confirm(office, now=LATER, outcome=CallOutcome.VOICEMAIL)
    undo_call(session, office.maria.id, actor=office.actors[0], now=LATER)
    assert card(office).verified.proof == "call"


def test_stop_stays(office, session):
    apply_opt_out(session, OLD, by="twilio", now=NOW)
    confirm(office)
    assert office.number(OLD).opted_out_at
    assert messages.the_list(session) == {office.maria.id: "opt_out"}


def test_wrong_person_ends_and_is_not_undone(office, session):
    session.execute(text("DELETE FROM cleanup_list"))
    session.execute(text("DELETE FROM phone_numbers"))
    park_numbers(session, {OLD: NOW}, by="twilio", now=NOW)
    assert messages.the_list(session) == {office.maria.id: "wrong_person"}
    assert confirm(office)
    assert office.number(OLD).wrong_person_at is None
    assert messages.the_list(session) == {}


def test_second_press_changes_nothing(office, session):
    version = session.scalar(select(Contact.version).where(Contact.id == office.maria.id))
    for _ in range(2):
        assert not confirm(office, version=version)
    assert actions(session) == ["call.logged", "number.confirmed"]
    with pytest.raises(VersionConflict):
        confirm(office, version=version, actor=1)


def test_number_that_changed_meanwhile_is_not_confirmed(office, session):
    version = session.scalar(select(Contact.version).where(Contact.id == office.maria.id))
    edits.change(session, office.maria, phone=OTHER, actor=office.actors[1])
    with pytest.raises(VersionConflict):
        confirm(office, version=version)
