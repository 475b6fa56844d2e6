"""When scores are counted, and what a day that is counted again shows."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from support import edits, people
from support import mass_messages as messages

from bot.access.rights import AccessLevel
from bot.db.advisory_locks import advisory_lock
from bot.db.models.messages import Delivery
from bot.db.models.roster import SyncRun
from bot.db.models.scores import ReachabilityScore
from bot.operations.old_rows import Periods, delete_old_data
from bot.reachability.history import load_history
from bot.reachability.record import record_if_due, record_scores
from bot.reachability.score import Group, GroupKind

DAY = timedelta(days=1)
ZONE = ZoneInfo("America/Chicago")
DISTRICT = Group(GroupKind.DISTRICT)
PERIODS = {
    **dict.fromkeys(("messages", "waiting_receipts", "audit", "families"), 400 * DAY),
    "scores": 1826 * DAY,
    "reachable": 120 * DAY,
}
SETTINGS = {"zone": ZONE, "reachable_days": 120}


@pytest.fixture
def maria(session, district):
    sam = people.student(session, at=district.lincoln)
    contact = people.contact(session, sam)
    session.commit()
    return contact


def score(session, day=people.TODAY):
    session.rollback()
    history = load_history(session, DISTRICT, since=day)
    return next((each.score for each in history if each.day == day), None)


def counted(session, day=people.TODAY):
    record_scores(session, day, **SETTINGS)
    session.commit()
    return score(session, day)


def test_scores_are_counted_once_a_day(engine, session, maria, now):
    assert record_if_due(engine, now=now, **SETTINGS) > 0
    assert record_if_due(engine, now=now + timedelta(hours=1), **SETTINGS) == 0
    assert record_if_due(engine, now=now + DAY, **SETTINGS) > 0


def test_day_begins_at_midnight_of_the_district(engine, session, maria, now):
    late = now.replace(hour=5, minute=59)  # One minute before midnight in Chicago, on the day before.
    record_if_due(engine, now=late, **SETTINGS)
    assert score(session) is None
    assert score(session, people.TODAY - DAY).students == 1


def test_scores_are_counted_again_after_a_message_is_final(engine, session, maria, now):
    record_if_due(engine, now=now, **SETTINGS)
    assert score(session).delivered == 0
    messages.send(session, {maria: "delivered"}, now=now - timedelta(minutes=1))
    session.commit()
    assert record_if_due(engine, now=now, **SETTINGS) > 0
    assert score(session).delivered == 1
    assert record_if_due(engine, now=now, **SETTINGS) == 0


def test_scores_are_counted_again_after_a_sync(engine, session, maria, now):
    record_if_due(engine, now=now, **SETTINGS)
    session.add(SyncRun(source="bundle", started_at=now, finished_at=now, state="done"))
    session.commit()
    assert record_if_due(engine, now=now, **SETTINGS) > 0


def test_second_process_does_nothing_meanwhile(engine, session, maria, now):
    with advisory_lock(engine, "reachability scores"):
        assert record_if_due(engine, now=now, **SETTINGS) == 0


def test_delivery_counts_for_the_days_of_the_setting(session, maria, now):
    messages.send(session, {maria: "delivered"}, now=now - 119 * DAY)
    assert counted(session).delivered == 1
    assert counted(session, people.TODAY + DAY).delivered == 0


def test_delivery_to_a_former_number_does_not_count(session, district, maria, now):
    messages.send(session, {maria: "delivered"}, now=now - DAY)
    edits.change(session, maria, phone="+13125550142", actor=people.actor_of(district.dana, level=AccessLevel.DISTRICT))
    assert (counted(session).delivered, counted(session).textable) == (0, 1)


def test_delivery_does_not_count_after_an_opt_out(session, maria, now):
    messages.send(session, {maria: "delivered"}, now=now - DAY)
    messages.send(session, {maria: "opt_out"}, now=now)
    result = counted(session)
    assert (result.delivered, result.textable, result.unreachable, result.to_fix) == (0, 0, 1, 1)


def test_fixed_contact_is_confirmed_by_the_message_that_reaches_it(session, district, maria, now):
    messages.send(session, {maria: "blocked"}, now=now - DAY)
    edits.change(
        session,
        maria,
        phone="+13125550142",
        actor=people.actor_of(district.dana, level=AccessLevel.DISTRICT),
        now=now - timedelta(hours=2),
    )
    result = counted(session)
    assert (result.to_fix, result.fixed, result.confirmed) == (0, 1, 0)
    delivery = messages.a_delivery(maria, to="+13125550142")
    messages.register(session, messages.a_message(delivery, sent_at=now, message_id="m2"), now=now)
    messages.report(session, delivery["provider_id"], now=now)
    messages.settle_message(session, "m2", now=now)
    result = counted(session)
    assert (result.to_fix, result.fixed, result.confirmed, result.delivered) == (0, 0, 1, 1)


def test_past_day_counts_the_deliveries_known_then(session, maria, now):
    messages.send(session, {maria: "delivered"}, now=now - DAY)
    assert counted(session, people.TODAY - 2 * DAY).delivered == 0
    assert counted(session, people.TODAY - DAY).delivered == 1


def test_last_delivery_of_a_deleted_message_still_counts(engine, session, maria, now):
    for days in (100, 90):
        messages.send(session, {maria: "delivered"}, now=now - days * DAY)
    session.commit()
    short = Periods(**PERIODS | {"messages": 30 * DAY})
    delete_old_data(engine, short, now=now)
    session.rollback()
    assert len(session.scalars(select(Delivery)).all()) == 1
    assert counted(session).delivered == 1
    delete_old_data(engine, short, now=now + 31 * DAY)
    session.rollback()
    assert session.scalars(select(Delivery)).all() == []


def test_old_scores_are_deleted(engine, session, maria, now):
    for days in (0, 1827):
        record_scores(session, people.TODAY - days * DAY, **SETTINGS)
    session.commit()
    delete_old_data(engine, Periods(**PERIODS), now=now)
    session.rollback()
    assert set(session.scalars(select(ReachabilityScore.day))) == {people.TODAY}
