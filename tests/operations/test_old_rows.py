"""What is deleted when, and what must stay: the reason of a status, open work, and everything younger than its period."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from support import mass_messages as messages
from support import people

from bot.db.audit import Subject, record
from bot.db.models.edits import Audit, Edit, TriedNumber
from bot.db.models.messages import Delivery, ListChange, MassMessage, OptOutText, PhoneNumber, Receipt
from bot.db.models.roster import SyncRun, SyncState
from bot.mass_messages.opt_outs import record_opt_out
from bot.mass_messages.receipts import record_receipts
from bot.operations import old_rows
from bot.operations.old_rows import Periods, delete_old_data
from bot.providers.receipt import OptOutMessage

DAYS = timedelta(days=1)
PERIODS = Periods(
    messages=400 * DAYS,
    waiting_receipts=30 * DAYS,
    audit=1096 * DAYS,
    families=400 * DAYS,
    scores=1826 * DAYS,
    reachable=120 * DAYS,
)


@pytest.fixture
def family(session, district):
    sam = people.student(session, at=district.lincoln)
    contacts = [people.contact(session, sam, given=given) for given in ("Maria", "Otto")]
    session.commit()
    return contacts


def count(session, model, *conditions):
    session.rollback()
    return session.scalar(select(func.count()).select_from(model).where(*conditions))


def delete(engine, now):
    return delete_old_data(engine, PERIODS, now=now)


def test_old_message_goes_with_its_deliveries_receipts_and_changes(engine, session, family, now):
    maria, otto = family
    messages.send(session, {maria: "blocked", otto: "delivered"}, now=now - 402 * DAYS)
    messages.send(session, {maria: "delivered", otto: "delivered"}, now=now - 399 * DAYS)
    session.commit()
    assert delete(engine, now) > 0
    assert count(session, MassMessage) == 1
    assert (count(session, Delivery), count(session, Receipt), count(session, ListChange)) == (2, 2, 1)
    assert delete(engine, now) == 0


def test_delivery_that_decided_a_status_is_kept_with_its_message(engine, session, family, now):
    maria, otto = family
    messages.send(session, {maria: "blocked", otto: "delivered"}, now=now - 402 * DAYS)
    session.commit()
    delete(engine, now)
    assert count(session, MassMessage) == 1
    assert session.scalars(select(Delivery.phone)).all() == [maria.sis_phone]
    assert messages.the_list(session) == {maria.id: "blocked"}


def test_message_that_is_not_final_is_kept(engine, session, family, now):
    messages.send(session, dict.fromkeys(family), now=now - 402 * DAYS, settled=False)
    session.commit()
    delete(engine, now)
    assert count(session, Delivery) == 2


def test_batches_delete_everything(engine, session, family, now, monkeypatch):
    monkeypatch.setattr(old_rows, "_BATCH", 1)
    for days in (500, 501, 502):
        messages.send(session, dict.fromkeys(family, "delivered"), now=now - days * DAYS)
    session.commit()
    delete(engine, now)
    assert count(session, MassMessage) == 0


def test_receipts_of_texts_that_no_one_registers_end_after_a_month(engine, session, district, now):
    for days in (29, 31):
        record_receipts(session, [messages.a_receipt(f"unknown-{days}")], now=now - days * DAYS)
    session.commit()
    delete(engine, now)
    assert session.scalars(select(Receipt.provider_id)).all() == ["unknown-29"]


def test_opt_out_texts_go_and_the_opt_out_stays(engine, session, family, now):
    maria, _ = family
    stop = OptOutMessage("twilio", "SM1", maria.sis_phone, opted_out=True)
    record_opt_out(session, stop, now=now - 401 * DAYS)
    session.commit()
    delete(engine, now)
    assert count(session, OptOutText) == 0
    assert count(session, PhoneNumber, PhoneNumber.opted_out_at.is_not(None)) == 1


def test_last_complete_sync_is_kept(engine, session, now):
    for days, state in ((900, SyncState.DONE), (800, SyncState.DONE), (700, SyncState.FAILED)):
        at = now - days * DAYS
        session.add(SyncRun(source="bundle", started_at=at, finished_at=at, state=state))
    session.commit()
    delete(engine, now)
    assert session.scalars(select(SyncRun.state).order_by(SyncRun.id)).all() == [SyncState.DONE, SyncState.FAILED]


def test_history_ends_after_three_years(engine, session, family, now):
    for days in (1095, 1097):
        record(session, Subject("contact", family[0].id), actor="U1", action="phone.shown", now=now - days * DAYS)
    session.commit()
    delete(engine, now)
    assert count(session, Audit) == 1


def test_second_process_does_nothing_meanwhile(engine, session, family, now):
    messages.send(session, dict.fromkeys(family, "delivered"), now=now - 500 * DAYS)
    session.commit()
    with old_rows.advisory_lock(engine, "retention"):
        assert delete(engine, now) == 0
    assert count(session, MassMessage) == 1


@pytest.mark.parametrize(
    ("typed", "proved_at", "is_kept"),
    [
        ("+13125559901", None, False),
        ("+13125559901", 1097 * DAYS, False),
        ("+13125559901", 1095 * DAYS, True),
        ("+13125550142", 1097 * DAYS, True),
        ("+13125559902", None, True),
    ],
)
def test_number_that_a_contact_had_goes_with_the_changes(engine, session, family, now, *, typed, proved_at, is_kept):
    """The first number is in no change anymore, the second in the SIS, and the third in a change that waits for the SIS."""
    maria, _otto = family
    maria.sis_phone = "+13125550142"
    session.add(TriedNumber(contact_id=maria.id, phone=typed, proved_at=proved_at and now - proved_at))
    changed = {"field": "phone", "value": "+13125559902", "made_by": "UCLARA", "made_at": now - 1097 * DAYS}
    session.add(Edit(contact_id=maria.id, **changed))
    session.commit()
    delete(engine, now)
    assert count(session, TriedNumber) == is_kept
