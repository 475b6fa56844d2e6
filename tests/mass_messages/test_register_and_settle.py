from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session
from support import mass_messages as messages
from support import people
from support.lock_waits import wait_for_blocked_connections
from support.mass_messages import DAY, a_delivery, a_message, a_receipt, outcome_of, register, send, the_list

from bot.db.models.messages import Delivery, MassMessage
from bot.errors import UserError
from bot.mass_messages.payload import RowsRefused
from bot.mass_messages.receipts import apply_waiting_receipts
from bot.mass_messages.register import RegisterCounts
from bot.mass_messages.settle import due_messages, settle_message
from bot.providers import twilio


def families(session, how_many):
    return [people.contact(session, people.student(session)) for _ in range(how_many)]


def test_message_is_registered_with_its_deliveries(session, now):
    one, two = families(session, 2)
    counts = register(session, a_message(a_delivery(one), a_delivery(two), sent_at=now, message_id="m"), now=now)
    assert counts == RegisterCounts(added=2, already=0, matched_receipts=0)
    stored = session.get(MassMessage, "m")
    assert (stored.title, stored.sent_at, stored.settles_at) == ("Early dismissal today", now, now + DAY)


def test_same_id_again_adds_only_new_deliveries(session, now):
    one, two, three = families(session, 3)
    first, second = a_delivery(one), a_delivery(two)
    register(session, a_message(first, second, sent_at=now, message_id="m"), now=now)
    counts = register(session, a_message(second, a_delivery(three), sent_at=now, message_id="m"), now=now)
    assert counts == RegisterCounts(added=1, already=1, matched_receipts=0)
    assert session.scalar(select(func.count()).select_from(Delivery)) == 3


def test_two_spellings_of_a_number_are_one_delivery(session, now):
    maria = people.contact(session, people.student(session), phone="+13125550142")
    message = a_message(a_delivery(maria), a_delivery(maria, to="(312) 555-0142"), sent_at=now)
    assert register(session, message, now=now).added == 1
    assert session.scalar(select(Delivery.phone)) == "+13125550142"


def test_provider_id_may_be_added_later(session, now):
    (maria,) = families(session, 1)
    early = a_message(a_delivery(maria, provider=None, provider_id=None), sent_at=now, message_id="m")
    register(session, early, now=now)
    messages.report(session, "SMlate", now=now)
    late = a_message(a_delivery(maria, provider_id="SMlate"), sent_at=now, message_id="m")
    assert register(session, late, now=now) == RegisterCounts(added=0, already=1, matched_receipts=1)
    assert outcome_of(session, "SMlate") == "delivered"


def test_thousands_of_deliveries_are_registered_at_once(session, now):
    rows = [
        {"contact": f"C{n}", "to": f"+1312555{n:04d}", "provider": "twilio", "provider_id": f"SM{n}"}
        for n in range(5_000)
    ]
    assert register(session, a_message(*rows, sent_at=now), now=now).added == 5_000


WRONG = {
    "id": {"id": " "},
    "title": {"title": None},
    "sender": {"sender": 7},
    "sent_at": {"sent_at": "yesterday"},
    "deliveries": {"deliveries": "all"},
    "deliveries[0]": {"deliveries": ["+13125550142"]},
    "deliveries[1].to": {"to": "555-9876"},
    "deliveries[1].contact": {"contact": ""},
    "deliveries[1].provider": {"provider": None},
    "deliveries[1].provider_id": {"provider_id": "SM\x00"},
}


@pytest.mark.parametrize(("field", "wrong"), WRONG.items(), ids=WRONG)
def test_error_names_field_and_row(session, now, field, wrong):
    one, two = families(session, 2)
    in_row = field.startswith("deliveries[1]")
    message = a_message(a_delivery(one), a_delivery(two, **wrong if in_row else {}), sent_at=now)
    with pytest.raises(UserError) as refused:
        register(session, message if in_row else message | wrong, now=now)
    assert refused.value.field == field
    assert "9876" not in refused.value.sentence
    assert session.scalar(select(func.count()).select_from(MassMessage)) == 0


@pytest.mark.parametrize("written", ["2026-11-23T15:04:05", "2199-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_time_without_zone_or_out_of_range_is_refused(session, now, written):
    with pytest.raises(UserError) as refused:
        register(session, a_message(sent_at=now) | {"sent_at": written}, now=now)
    assert refused.value.field == "sent_at"


def test_two_deliveries_cannot_share_a_provider_id(session, now):
    one, two, three = families(session, 3)
    twice = a_message(a_delivery(one, provider_id="SM1"), a_delivery(two, provider_id="SM1"), sent_at=now)
    with pytest.raises(UserError, match="already") as refused:
        register(session, twice, now=now)
    assert refused.value.field == "deliveries[1].provider_id"
    register(session, a_message(a_delivery(one, provider_id="SM1"), sent_at=now), now=now)
    with pytest.raises(UserError) as refused:
        register(session, a_message(a_delivery(two), a_delivery(three, provider_id="SM1"), sent_at=now), now=now)
    assert refused.value.field == "deliveries[1].provider_id"


def test_right_rows_are_registered_and_the_others_named(session, now):
    one, two, three, four = families(session, 4)
    register(session, a_message(a_delivery(one, provider_id="SM1"), sent_at=now), now=now)
    rows = [
        a_delivery(one, to="555-9876"),
        a_delivery(two, provider_id="SM2"),
        a_delivery(three, provider_id="SM1"),
        a_delivery(four, provider_id="SM2"),
        "+13125550142",
    ]
    message = a_message(*rows, sent_at=now)
    counts = register(session, message, now=now, strict=False)
    assert (counts.added, counts.already) == (1, 0)
    assert [(refused.row, refused.field) for refused in counts.refused] == [
        (0, "deliveries[0].to"),
        (2, "deliveries[2].provider_id"),
        (3, "deliveries[3].provider_id"),
        (4, "deliveries[4]"),
    ]
    assert not any("9876" in refused.reason for refused in counts.refused)
    mended = [a_delivery(one), rows[1], *[a_delivery(each) for each in (three, four)]]
    counts = register(session, message | {"deliveries": mended}, now=now, strict=False)
    assert (counts.added, counts.already, counts.refused) == (3, 1, ())


def test_message_without_a_right_row_is_not_registered(session, now):
    one, two = families(session, 2)
    register(session, a_message(a_delivery(one, provider_id="SM1"), sent_at=now), now=now)
    for row in (a_delivery(two, to="12"), a_delivery(two, provider_id="SM1")):
        with pytest.raises(RowsRefused) as refused, session.begin_nested():
            register(session, a_message(row, sent_at=now), now=now, strict=False)
        assert len(refused.value.refused) == 1
    assert session.scalar(select(func.count()).select_from(MassMessage)) == 1


def test_message_is_due_when_every_delivery_is_final(session, now):
    one, two = families(session, 2)
    message_id, ids = send(session, {one: "delivered", two: None}, now=now, settled=False)
    assert due_messages(session, now=now) == []
    messages.report(session, ids[two], "turned_off", now=now)
    assert due_messages(session, now=now) == [message_id]


def test_message_without_deliveries_is_due_after_its_window(session, now):
    register(session, a_message(sent_at=now, message_id="m"), now=now)
    assert due_messages(session, now=now) == []
    assert due_messages(session, now=now + DAY) == ["m"]


def test_missing_receipts_become_unconfirmed_after_the_window(session, now):
    one, two = families(session, 2)
    message_id, ids = send(session, {one: "delivered", two: None}, now=now, settled=False)
    assert due_messages(session, now=now + DAY) == [message_id]
    assert settle_message(session, message_id, now=now + DAY).unconfirmed == 1
    assert outcome_of(session, ids[two]) == "unconfirmed"
    assert the_list(session) == {two.id: "unconfirmed"}
    assert due_messages(session, now=now + DAY) == []


def test_settling_early_keeps_deliveries_pending(session, now):
    one, two = families(session, 2)
    message_id, ids = send(session, {one: "turned_off", two: None}, now=now, settled=False)
    settle_message(session, message_id, now=now)
    assert the_list(session) == {one.id: "turned_off"}
    assert outcome_of(session, ids[two]) == "pending"
    assert due_messages(session, now=now + DAY) == [message_id]


def test_settling_twice_changes_nothing(session, now):
    one, two = families(session, 2)
    message_id, _ = send(session, {one: "turned_off", two: "delivered"}, now=now)
    before = (the_list(session), messages.changes(session, message_id))
    learned = settle_message(session, message_id, now=now + timedelta(hours=1))
    assert (the_list(session), messages.changes(session, message_id)) == before
    assert (learned.moves.joined, learned.moves.changed, learned.moves.left) == (0, 0, 0)


def test_deliveries_added_after_settling_get_their_own_window(session, now):
    one, two = families(session, 2)
    message_id, _ = send(session, {one: "delivered"}, now=now)
    later = now + timedelta(days=3)
    register(session, a_message(a_delivery(two), sent_at=now, message_id=message_id), now=later)
    assert due_messages(session, now=later) == []
    assert due_messages(session, now=later + DAY) == [message_id]
    settle_message(session, message_id, now=later + DAY)
    assert the_list(session) == {two.id: "unconfirmed"}


def test_rows_inserted_by_the_sender_settle_by_same_rules(session, now):
    (maria,) = families(session, 1)
    messages.report(session, "SMdirect", "turned_off", now=now)
    session.execute(
        text("INSERT INTO mass_messages (id, title, sent_at) VALUES ('m', 'Snow day', :sent_at)"), {"sent_at": now}
    )
    session.execute(
        text(
            "INSERT INTO deliveries (mass_message_id, contact_sourced_id, phone, provider, provider_id)"
            " VALUES ('m', :contact, :phone, 'twilio', 'SMdirect')"
        ),
        {"contact": maria.sourced_id, "phone": maria.sis_phone},
    )
    assert due_messages(session, now=now) == []
    assert apply_waiting_receipts(session, now=now) == 1
    assert due_messages(session, now=now) == ["m"]
    settle_message(session, "m", now=now)
    assert the_list(session) == {maria.id: "turned_off"}


def test_message_inserted_by_the_sender_gets_a_window(session, now):
    session.execute(
        text("INSERT INTO mass_messages (id, title, sent_at) VALUES ('m', 'Snow day', :sent_at)"), {"sent_at": now}
    )
    hour = timedelta(hours=1)
    assert due_messages(session, now=now, settle_after=hour) == []
    assert due_messages(session, now=now + hour, settle_after=hour) == ["m"]


def test_claimed_message_is_not_due_for_another_clock(session, engine, now):
    (maria,) = families(session, 1)
    message_id, _ = send(session, {maria: "delivered"}, now=now, settled=False)
    session.commit()
    assert due_messages(session, now=now) == [message_id]
    with Session(engine) as other:
        assert due_messages(other, now=now) == []


def refused_alike(session, *, refusals, recipients, code="30004"):
    contacts = families(session, recipients)
    known = twilio.CODES[code]
    refusal = a_receipt("x", known.outcome, code=code, reasonless=known.reasonless)

    def receipt(provider_id):
        return a_receipt(
            provider_id,
            known.outcome,
            code=code,
            reasonless=refusal.reasonless,
            event_key=f"{provider_id}:{code}",
        )

    return {contact: receipt if n < refusals else "delivered" for n, contact in enumerate(contacts)}


@pytest.mark.parametrize("code", ["30004", "30008"])
def test_many_reasonless_refusals_are_our_fault_and_list_no_one(session, now, code):
    message_id, _ = send(session, refused_alike(session, refusals=10, recipients=100, code=code), now=now)
    assert the_list(session) == {}
    assert session.get(MassMessage, message_id).sender_at_fault == {f"twilio:{code}": 10}


@pytest.mark.parametrize(("refusals", "recipients"), [(9, 20), (10, 200), (1, 1)])
def test_few_reasonless_refusals_count(session, now, refusals, recipients):
    message_id, _ = send(session, refused_alike(session, refusals=refusals, recipients=recipients), now=now)
    assert len(the_list(session)) == refusals
    assert session.get(MassMessage, message_id).sender_at_fault == {}


def test_many_failures_with_a_reason_count(session, now):
    send(session, refused_alike(session, refusals=10, recipients=20, code="30003"), now=now)
    assert len(the_list(session)) == 10


def test_late_refusal_that_trips_batch_guard_clears_the_list(session, now):
    outcomes = refused_alike(session, refusals=9, recipients=100)
    last = families(session, 1)[0]
    message_id, ids = send(session, outcomes | {last: None}, now=now)
    assert len(the_list(session)) == 10
    messages.report(session, ids[last], "blocked", now=now + DAY)
    assert the_list(session) == {}
    assert messages.changes(session, message_id) == {}


def test_concurrent_batches_of_a_message_do_not_deadlock(empty_database, session, now):
    one, two = (a_delivery(family) for family in families(session, 2))
    register(session, a_message(sent_at=now, message_id="m"), now=now)
    session.commit()

    def second_batch():
        with Session(empty_database) as other:
            counts = register(other, a_message(two, one, sent_at=now, message_id="m"), now=now)
            other.commit()
            return counts

    with ThreadPoolExecutor() as elsewhere:
        register(session, a_message(one, sent_at=now, message_id="m"), now=now)
        second = elsewhere.submit(second_batch)
        wait_for_blocked_connections(empty_database)
        register(session, a_message(two, sent_at=now, message_id="m"), now=now)
        session.commit()
        assert second.result() == RegisterCounts(added=0, already=2, matched_receipts=0)
