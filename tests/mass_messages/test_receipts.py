from datetime import timedelta
from threading import Barrier, Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from support import mass_messages as messages
from support import people
from support.mass_messages import DAY, a_delivery, a_message, a_receipt, outcome_of, registered, sent, the_list, told

from bot.cleanup_list import evidence
from bot.db.models.edits import Audit
from bot.db.models.messages import Delivery, MassMessage, Receipt
from bot.db.session import transaction
from bot.mass_messages.receipts import ReceiptCounts, apply_waiting_receipts, record_receipts
from bot.mass_messages.register import RegisterCounts
from bot.mass_messages.settle import settle_message
from bot.providers.receipt import OptOutMessage


@pytest.fixture
def maria(session):
    return people.contact(session, people.student(session))


def stop(one, key="SMin1", *, opted_out=True):
    return OptOutMessage("twilio", key, one.sis_phone, opted_out)


def test_a_receipt_is_stored_and_applied_to_its_delivery(session, now, maria):
    _, ids = sent(session, {maria: None}, now=now, settled=False)
    assert told(session, ids[maria], now=now) == ReceiptCounts(stored=1)
    assert outcome_of(session, ids[maria]) == "delivered"


def test_the_same_receipt_counts_once(session, now, maria):
    _, ids = sent(session, {maria: None}, now=now, settled=False)
    told(session, ids[maria], now=now)
    assert told(session, ids[maria], now=now) == ReceiptCounts(again=1)
    both = [a_receipt("SM-twice"), a_receipt("SM-twice")]
    assert record_receipts(session, both, now=now) == ReceiptCounts(stored=1, again=1, waiting=1)


def test_delivered_is_final_for_ever(session, now, maria):
    _, ids = sent(session, {maria: "delivered"}, now=now, settled=False)
    told(session, ids[maria], "inactive", now=now)
    assert outcome_of(session, ids[maria]) == "delivered"


SURELY, PERHAPS = {"code": "21211"}, {"code": "30005", "shaky": True}
WITH_A_REASON, WITHOUT = {"code": "60001", "reasonless": False}, {"code": "30004", "reasonless": True}


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(("outcome", "said"), [("inactive", [SURELY, PERHAPS]), ("blocked", [WITH_A_REASON, WITHOUT])])
def test_of_two_that_say_the_same_the_surer_counts_whichever_came_first(session, now, outcome, said, is_first):
    one = people.contact(session, people.student(session))
    _, ids = sent(session, {one: None}, now=now, settled=False)
    for report in said if is_first else reversed(said):
        record_receipts(session, [a_receipt(ids[one], outcome, event_key=report["code"], **report)], now=now)
    assert session.scalar(select(Delivery.code)) == said[0]["code"]


def test_a_failure_gives_way_to_delivered(session, now, maria):
    _, ids = sent(session, {maria: "turned_off"}, now=now, settled=False)
    told(session, ids[maria], now=now)
    delivery = session.scalar(select(Delivery))
    assert (delivery.outcome, delivery.code) == ("delivered", None)


def test_a_receipt_that_is_still_on_its_way_never_goes_backwards(session, now, maria):
    _, ids = sent(session, {maria: "turned_off"}, now=now, settled=False)
    told(session, ids[maria], "pending", now=now)
    assert outcome_of(session, ids[maria]) == "turned_off"


def test_a_receipt_of_an_unknown_message_waits_until_the_message_is_registered(session, now, maria):
    assert told(session, "SMearly", "turned_off", now=now) == ReceiptCounts(stored=1, waiting=1)
    message = a_message(a_delivery(maria, provider_id="SMearly"), sent_at=now)
    assert registered(session, message, now=now) == RegisterCounts(added=1, already=0, matched_receipts=1)
    assert outcome_of(session, "SMearly") == "turned_off"
    assert session.scalar(select(Receipt.applied_at)) == now


def test_the_clock_looks_for_waiting_receipts_for_a_month(session, now):
    told(session, "SMother", now=now)
    assert apply_waiting_receipts(session, now=now) == 0
    session.add(MassMessage(id="m", title="Snow day", sent_at=now))
    session.flush()
    session.add(
        Delivery(
            mass_message_id="m",
            contact_sourced_id="C",
            phone="+13125550142",
            provider="twilio",
            provider_id="SMother",
        )
    )
    session.flush()
    assert apply_waiting_receipts(session, now=now + timedelta(days=31)) == 0
    assert apply_waiting_receipts(session, now=now + timedelta(days=29)) == 1


def test_a_receipt_that_comes_after_settling_still_counts_at_once(session, now, maria):
    message_id, ids = sent(session, {maria: None}, now=now)
    assert the_list(session) == {maria.id: "unconfirmed"}
    told(session, ids[maria], "landline", now=now + 2 * DAY)
    assert the_list(session) == {maria.id: "landline"}
    told(session, ids[maria], now=now + 3 * DAY)
    assert the_list(session) == {}
    assert messages.changes(session, message_id) == {}
    session.expire_all()
    assert session.get(MassMessage, message_id).learned_at == now + 3 * DAY


def test_our_own_fault_that_comes_late_takes_a_silent_contact_off_again(session, now, maria):
    _, ids = sent(session, {maria: None}, now=now)
    told(session, ids[maria], "not_contact_problem", now=now + 2 * DAY)
    assert the_list(session) == {}


def test_a_late_receipt_of_an_older_message_does_not_override_a_newer_one(session, now, maria):
    _, old = sent(session, {maria: None}, now=now)
    sent(session, {maria: "delivered"}, now=now + DAY)
    assert the_list(session) == {}
    told(session, old[maria], "inactive", now=now + 2 * DAY)
    assert the_list(session) == {}
    assert messages.number(session, maria.sis_phone).status is None


def test_an_opt_out_in_a_receipt_lists_before_the_message_settles(session, now, maria):
    message_id, _ = sent(session, {maria: "opt_out"}, now=now, settled=False)
    assert the_list(session) == {maria.id: "opt_out"}
    assert messages.changes(session, message_id) == {maria.id: ("joined", None, "opt_out", None)}
    settle_message(session, message_id, now=now)
    assert the_list(session) == {maria.id: "opt_out"}


def test_an_opt_out_of_an_unknown_message_counts_by_its_number(session, now, maria):
    record_receipts(session, [a_receipt("SMx", "opt_out", phone=maria.sis_phone)], now=now)
    assert the_list(session) == {maria.id: "opt_out"}


def test_stop_lists_at_once_and_is_written_into_the_contacts_history(session, now, maria):
    record_receipts(session, [stop(maria)], now=now)
    assert the_list(session) == {maria.id: "opt_out"}
    noted = session.scalar(select(Audit))
    assert (noted.actor, noted.action, noted.subject_id) == ("twilio", "opt_out.heard", maria.id)
    assert maria.sis_phone not in noted.after


def test_start_ends_it_and_the_same_stop_sent_again_does_not_bring_it_back(session, now, maria):
    record_receipts(session, [stop(maria)], now=now)
    record_receipts(session, [stop(maria, "SMin2", opted_out=False)], now=now)
    assert the_list(session) == {}
    record_receipts(session, [stop(maria)], now=now)
    assert the_list(session) == {}


def test_a_late_receipt_of_a_message_from_before_start_opts_nobody_out(session, now, maria):
    _, ids = sent(session, {maria: None}, now=now, settled=False)
    record_receipts(session, [stop(maria)], now=now + timedelta(hours=1))
    record_receipts(session, [stop(maria, "SMin2", opted_out=False)], now=now + timedelta(hours=2))
    told(session, ids[maria], "opt_out", now=now + timedelta(hours=3))
    assert the_list(session) == {}


def test_a_late_receipt_from_before_start_opts_nobody_out_even_while_its_message_is_unknown(session, now, maria):
    record_receipts(session, [stop(maria, opted_out=False)], now=now)
    refused = a_receipt("SM-early", "opt_out", phone=maria.sis_phone, occurred_at=now - timedelta(hours=1))
    record_receipts(session, [refused], now=now + timedelta(hours=1))
    assert the_list(session) == {}


def test_an_opt_out_that_start_has_outlived_still_takes_back_what_its_delivery_said_before(session, now, maria):
    _, ids = sent(session, {maria: "landline"}, now=now)
    record_receipts(session, [stop(maria, opted_out=False)], now=now + timedelta(hours=1))
    told(session, ids[maria], "opt_out", now=now + timedelta(hours=2))
    assert the_list(session) == {}


OUTCOMES = [
    "pending",
    "not_contact_problem",
    "unconfirmed",
    "turned_off",
    "landline",
    "blocked",
    "inactive",
    "delivered",
]
STEPS = st.lists(st.sampled_from([*OUTCOMES, "register", "settle"]), max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, again=st.randoms(use_true_random=False))
def test_receipts_in_any_order_twice_and_early_end_as_a_simple_model_says(session, now, steps, again):
    """The model: the strongest of all reports, or Unconfirmed if none was final; listed unless delivered or our fault."""
    one = people.contact(session, people.student(session))
    delivery = a_delivery(one)
    message = a_message(delivery, sent_at=now)
    reports = [step for step in steps if step in OUTCOMES]
    shuffled = [*steps, *again.sample(reports, len(reports)), "register"]
    for step in shuffled:
        if step == "register":
            registered(session, message, now=now)
        elif step == "settle":
            registered(session, message, now=now)
            settle_message(session, message["id"], now=now + DAY)
        else:
            told(session, delivery["provider_id"], step, now=now)
    settle_message(session, message["id"], now=now + DAY)

    strongest = max(reports, key=evidence.STRENGTH.index, default="pending")
    expected = "unconfirmed" if strongest == "pending" else strongest
    assert outcome_of(session, delivery["provider_id"]) == expected
    listed = None if expected in {"delivered", "not_contact_problem"} else expected
    assert the_list(session).get(one.id) == listed


def test_receipts_that_race_with_settling_are_all_heard(session, engine, now):
    """Eight threads report deliveries of one message while it settles again and again; nothing is lost or stuck."""
    contacts = [people.contact(session, people.student(session)) for _ in range(40)]
    message_id, ids = sent(session, dict.fromkeys(contacts), now=now, settled=False)
    session.commit()
    together = Barrier(9)

    def report(part):
        together.wait()
        for one in part:
            for outcome in ("pending", "turned_off", "delivered"):
                with transaction(engine) as own:
                    told(own, ids[one], outcome, now=now)

    threads = [Thread(target=report, args=(contacts[at::8],)) for at in range(8)]
    for thread in threads:
        thread.start()
    together.wait()
    for _ in range(10):
        with transaction(engine) as own:
            settle_message(own, message_id, now=now + DAY)
    for thread in threads:
        thread.join()
    with Session(engine) as own:
        assert own.scalar(select(func.count()).where(Delivery.outcome == "delivered")) == 40
        assert the_list(own) == {}
