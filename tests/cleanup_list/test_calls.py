"""Logged calls: they claim the contact, and bring it back on the promised day."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from support import edits, people
from support.errors import refused

from bot.access.rights import AccessLevel
from bot.cleanup_list.calls import LastCall, describe, load_due, log_call, undo_call
from bot.cleanup_list.claims import claim_contact, expire_claims
from bot.db.models.edits import Audit
from bot.db.models.messages import CallOutcome, ListEntry

NOW, TODAY = people.NOW, people.TODAY
CHICAGO = ZoneInfo("America/Chicago")
TUESDAY = date(2026, 11, 24)


@pytest.fixture
def lincoln(session):
    return people.school(session)


@pytest.fixture
def clara(session, lincoln):
    return people.actor_of(people.staff(session, "Clara", at=lincoln), level=AccessLevel.SCHOOLS, at=(lincoln,))


@pytest.fixture
def sam(session, lincoln):
    return people.student(session, at=lincoln)


@pytest.fixture
def maria(session, sam):
    return people.list_contact(session, people.contact(session, sam))


def call(session, contact, student, outcome, *, actor, back_on=None, now=NOW):
    log_call(session, contact.id, student_id=student.id, outcome=outcome, back_on=back_on, actor=actor, now=now)
    session.flush()
    return session.get(ListEntry, contact.id, populate_existing=True)


def test_call_is_stored_claims_the_contact_and_is_in_the_history(session, clara, sam, maria):
    entry = call(session, maria, sam, CallOutcome.VOICEMAIL, actor=clara)
    assert (entry.call_outcome, entry.called_by, entry.called_on) == ("voicemail", clara.user_id, TODAY)
    assert (entry.claimed_by, entry.claimed_at) == (clara.user_id, NOW)
    assert session.execute(select(Audit.action, Audit.after)).all() == [("call.logged", "left voicemail")]


def test_day_to_call_back_is_kept_with_another_outcome(session, clara, sam, maria):
    assert call(session, maria, sam, CallOutcome.VOICEMAIL, actor=clara, back_on=TUESDAY).call_back_on == TUESDAY
    assert session.scalars(select(Audit.after)).all() == ["left voicemail, will call back on Nov 24"]
    assert call(session, maria, sam, CallOutcome.NO_ANSWER, actor=clara).call_back_on is None


def test_own_call_is_undone_with_its_claim_and_a_colleagues_is_not(session, clara, lincoln, sam, maria):
    ana = people.actor_of(people.staff(session, "Ana", at=lincoln), level=AccessLevel.SCHOOLS, at=(lincoln,))
    call(session, maria, sam, CallOutcome.VOICEMAIL, actor=clara)
    with refused("call.not_yours"):
        undo_call(session, maria.id, actor=ana, now=NOW)
    undo_call(session, maria.id, actor=clara, now=NOW)
    session.flush()
    entry = session.get(ListEntry, maria.id, populate_existing=True)
    assert (entry.call_outcome, entry.called_by, entry.claimed_by) == (None, None, None)
    assert session.scalars(select(Audit.action).order_by(Audit.id)).all() == ["call.logged", "call.undone"]


def test_second_undo_says_that_no_call_is_left(session, clara, sam, maria):
    call(session, maria, sam, CallOutcome.VOICEMAIL, actor=clara)
    undo_call(session, maria.id, actor=clara, now=NOW)
    with refused("call.none"):
        undo_call(session, maria.id, actor=clara, now=NOW)


def test_call_about_a_contact_who_waits_claims_nothing(session, clara, sam, maria):
    edits.change(session, maria, phone="+13125557001", actor=clara)
    assert call(session, maria, sam, CallOutcome.ASKED, actor=clara).claimed_by is None


@pytest.mark.parametrize(
    ("day", "code"),
    [(None, "call.no_day"), (TODAY - timedelta(days=1), "call.past_day"), (TODAY + timedelta(days=61), "call.far_day")],
)
def test_call_back_needs_a_day_that_comes(session, clara, sam, maria, *, day, code):
    with refused(code):
        call(session, maria, sam, CallOutcome.CALL_BACK, actor=clara, back_on=day)


def test_contact_off_the_list_is_refused(session, clara, sam):
    with refused("claim.not_listed"):
        call(session, people.contact(session, sam), sam, CallOutcome.ASKED, actor=clara)


def test_claim_ends_on_the_promised_day_and_the_contact_is_due(session, clara, sam, maria):
    call(session, maria, sam, CallOutcome.CALL_BACK, actor=clara, back_on=TUESDAY)
    just_before = datetime(2026, 11, 23, 23, 59, tzinfo=CHICAGO)
    assert expire_claims(session, now=just_before, zone=CHICAGO) == 0
    assert load_due(session, actor=clara, limit=20) == []
    assert expire_claims(session, now=just_before + timedelta(minutes=2), zone=CHICAGO) == 1
    due = load_due(session, actor=replace(clara, today=TUESDAY), limit=20)
    assert [(row.contact_id, row.student_id, row.call.back_on) for row in due] == [(maria.id, sam.id, TUESDAY)]


def test_claim_taken_on_the_promised_day_stays(session, clara, sam, maria):
    call(session, maria, sam, CallOutcome.CALL_BACK, actor=clara, back_on=TUESDAY)
    claim_contact(session, maria.id, actor=clara, now=datetime(2026, 11, 24, 9, tzinfo=CHICAGO))
    assert expire_claims(session, now=datetime(2026, 11, 25, 9, tzinfo=CHICAGO), zone=CHICAGO) == 0


def test_changed_contact_is_not_due(session, clara, sam, maria):
    call(session, maria, sam, CallOutcome.CALL_BACK, actor=clara, back_on=TODAY)
    assert len(load_due(session, actor=clara, limit=20)) == 1
    edits.change(session, maria, phone="+13125557001", actor=clara)
    assert load_due(session, actor=clara, limit=20) == []


def test_only_own_calls_are_due_and_those_of_hidden_students_never(session, clara, lincoln, sam, maria):
    ben = people.actor_of(people.staff(session, "Ben", at=lincoln), level=AccessLevel.SCHOOLS, at=(lincoln,))
    otto = people.list_contact(session, people.contact(session, sam, given="Otto"))
    call(session, maria, sam, CallOutcome.CALL_BACK, actor=ben, back_on=TODAY)
    call(session, otto, sam, CallOutcome.CALL_BACK, actor=clara, back_on=TODAY)
    assert [row.contact_name for row in load_due(session, actor=clara, limit=20)] == ["Otto Rivera"]
    elsewhere = people.school(session, "Roosevelt High")
    assert load_due(session, actor=replace(clara, school_ids=(elsewhere.id,)), limit=20) == []


@pytest.mark.parametrize(
    ("outcome", "on", "back_on", "words"),
    [
        (CallOutcome.VOICEMAIL, TODAY, None, "Clara left voicemail today"),
        (CallOutcome.NO_ANSWER, TODAY - timedelta(days=6), None, "Clara got no answer Tue"),
        (CallOutcome.ASKED, TODAY - timedelta(days=7), None, "Clara asked for the new number Nov 16"),
        (CallOutcome.VOICEMAIL, date(2025, 11, 23), None, "Clara left voicemail Nov 23, 2025"),
        (CallOutcome.CALL_BACK, TODAY, TUESDAY, "Clara will call back Tue"),
        (CallOutcome.VOICEMAIL, TODAY, TUESDAY, "Clara left voicemail today, will call back Tue"),
        (CallOutcome.VOICEMAIL, TODAY, TODAY, "*Call back today* (Clara)"),
        (CallOutcome.CALL_BACK, TODAY, TODAY, "*Call back today* (Clara)"),
        (CallOutcome.CALL_BACK, TODAY, TODAY - timedelta(days=3), "*Call back*: was due Fri (Clara)"),
    ],
)
def test_call_is_described_in_a_few_words(outcome, on, back_on, words):
    assert describe(LastCall(outcome, "U1", on, back_on, TODAY), who="Clara") == words
