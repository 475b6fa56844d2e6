from datetime import timedelta
from threading import Barrier, Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from support import mass_messages as messages
from support import people
from support.mass_messages import DAY, a_delivery, a_message, a_receipt, outcome_of, register, report, send, the_list

from bot.cleanup_list import number_status
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


def stop(contact, key="SMin1", *, opted_out=True):
    return OptOutMessage("twilio", key, contact.sis_phone, opted_out)


def test_receipt_is_stored_and_applied_to_its_delivery(session, now, maria):
    _, ids = send(session, {maria: None}, now=now, settled=False)
    assert report(session, ids[maria], now=now) == ReceiptCounts(stored=1)
    assert outcome_of(session, ids[maria]) == "delivered"


def test_repeated_receipt_counts_once(session, now, maria):
    _, ids = send(session, {maria: None}, now=now, settled=False)
    report(session, ids[maria], now=now)
    assert report(session, ids[maria], now=now) == ReceiptCounts(repeated=1)
    both = [a_receipt("SM-twice"), a_receipt("SM-twice")]
    assert record_receipts(session, both, now=now) == ReceiptCounts(stored=1, repeated=1, waiting=1)


def test_delivered_is_never_overridden(session, now, maria):
    _, ids = send(session, {maria: "delivered"}, now=now, settled=False)
    report(session, ids[maria], "inactive", now=now)
    assert outcome_of(session, ids[maria]) == "delivered"


SURELY, PERHAPS = {"code": "21211"}, {"code": "30005", "shaky": True}
WITH_A_REASON, WITHOUT = {"code": "60001", "reasonless": False}, {"code": "30004", "reasonless": True}


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(
    ("outcome", "reports"), [("inactive", [SURELY, PERHAPS]), ("blocked", [WITH_A_REASON, WITHOUT])]
)
def test_surer_of_two_equal_outcomes_counts_in_any_order(session, now, outcome, reports, is_first):
    contact = people.contact(session, people.student(session))
    _, ids = send(session, {contact: None}, now=now, settled=False)
    for fields in reports if is_first else reversed(reports):
        record_receipts(session, [a_receipt(ids[contact], outcome, event_key=fields["code"], **fields)], now=now)
    assert session.scalar(select(Delivery.code)) == reports[0]["code"]


def test_delivered_overrides_a_failure(session, now, maria):
    _, ids = send(session, {maria: "turned_off"}, now=now, settled=False)
    report(session, ids[maria], now=now)
    delivery = session.scalar(select(Delivery))
    assert (delivery.outcome, delivery.code) == ("delivered", None)


def test_pending_receipt_does_not_override_a_failure(session, now, maria):
    _, ids = send(session, {maria: "turned_off"}, now=now, settled=False)
    report(session, ids[maria], "pending", now=now)
    assert outcome_of(session, ids[maria]) == "turned_off"


def test_early_receipt_waits_until_its_message_is_registered(session, now, maria):
    assert report(session, "SMearly", "turned_off", now=now) == ReceiptCounts(stored=1, waiting=1)
    message = a_message(a_delivery(maria, provider_id="SMearly"), sent_at=now)
    assert register(session, message, now=now) == RegisterCounts(added=1, already=0, matched_receipts=1)
    assert outcome_of(session, "SMearly") == "turned_off"
    assert session.scalar(select(Receipt.applied_at)) == now


def test_waiting_receipts_are_retried_for_a_month(session, now):
    report(session, "SMother", now=now)
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


@pytest.fixture
def neighbor(session):
    """A contact whose receipt proves that receipts of a message arrive."""
    return people.contact(session, people.student(session))


def test_late_receipt_changes_the_list_at_once(session, now, maria, neighbor):
    message_id, ids = send(session, {maria: None, neighbor: "delivered"}, now=now)
    assert the_list(session) == {maria.id: "unconfirmed"}
    report(session, ids[maria], "landline", now=now + 2 * DAY)
    assert the_list(session) == {maria.id: "landline"}
    report(session, ids[maria], now=now + 3 * DAY)
    assert the_list(session) == {}
    assert messages.changes(session, message_id) == {}
    session.expire_all()
    assert session.get(MassMessage, message_id).learned_at == now + 3 * DAY


def test_late_report_of_our_own_fault_removes_from_list(session, now, maria, neighbor):
    _, ids = send(session, {maria: None, neighbor: "delivered"}, now=now)
    report(session, ids[maria], "not_contact_problem", now=now + 2 * DAY)
    assert the_list(session) == {}


def test_late_receipt_of_older_message_does_not_override_newer(session, now, maria, neighbor):
    _, old = send(session, {maria: None, neighbor: "delivered"}, now=now)
    send(session, {maria: "delivered"}, now=now + DAY)
    assert the_list(session) == {}
    report(session, old[maria], "inactive", now=now + 2 * DAY)
    assert the_list(session) == {}
    assert messages.number(session, maria.sis_phone).status is None


def test_opt_out_receipt_lists_before_the_message_settles(session, now, maria):
    message_id, _ = send(session, {maria: "opt_out"}, now=now, settled=False)
    assert the_list(session) == {maria.id: "opt_out"}
    assert messages.changes(session, message_id) == {maria.id: ("joined", None, "opt_out", None)}
    settle_message(session, message_id, now=now)
    assert the_list(session) == {maria.id: "opt_out"}


def test_opt_out_receipt_of_unknown_message_counts(session, now, maria):
    record_receipts(session, [a_receipt("SMx", "opt_out", phone=maria.sis_phone)], now=now)
    assert the_list(session) == {maria.id: "opt_out"}


def test_stop_lists_at_once_and_is_audited(session, now, maria):
    record_receipts(session, [stop(maria)], now=now)
    assert the_list(session) == {maria.id: "opt_out"}
    noted = session.scalar(select(Audit))
    assert (noted.actor, noted.action, noted.subject_id) == ("twilio", "opt_out.heard", maria.id)
    assert maria.sis_phone not in noted.after


def test_repeated_stop_does_not_undo_a_later_start(session, now, maria):
    record_receipts(session, [stop(maria)], now=now)
    record_receipts(session, [stop(maria, "SMin2", opted_out=False)], now=now)
    assert the_list(session) == {}
    record_receipts(session, [stop(maria)], now=now)
    assert the_list(session) == {}


def test_opt_out_receipt_from_before_start_is_ignored(session, now, maria):
    _, ids = send(session, {maria: None}, now=now, settled=False)
    record_receipts(session, [stop(maria)], now=now + timedelta(hours=1))
    record_receipts(session, [stop(maria, "SMin2", opted_out=False)], now=now + timedelta(hours=2))
    report(session, ids[maria], "opt_out", now=now + timedelta(hours=3))
    assert the_list(session) == {}


def test_opt_out_receipt_before_start_is_ignored_without_message(session, now, maria):
    record_receipts(session, [stop(maria, opted_out=False)], now=now)
    refused = a_receipt("SM-early", "opt_out", phone=maria.sis_phone, occurred_at=now - timedelta(hours=1))
    record_receipts(session, [refused], now=now + timedelta(hours=1))
    assert the_list(session) == {}


def test_outdated_opt_out_still_replaces_the_deliverys_outcome(session, now, maria):
    _, ids = send(session, {maria: "landline"}, now=now)
    record_receipts(session, [stop(maria, opted_out=False)], now=now + timedelta(hours=1))
    report(session, ids[maria], "opt_out", now=now + timedelta(hours=2))
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
def test_receipts_in_any_order_match_a_simple_model(session, now, steps, again):
    """The model: the strongest of all reports, or Unconfirmed if none was final; listed unless delivered or our fault."""
    contact, neighbor = (people.contact(session, people.student(session)) for _ in range(2))
    delivery, delivered = a_delivery(contact), a_delivery(neighbor)
    message = a_message(delivery, delivered, sent_at=now)
    report(session, delivered["provider_id"], now=now)
    outcomes = [step for step in steps if step in OUTCOMES]
    shuffled = [*steps, *again.sample(outcomes, len(outcomes)), "register"]
    for step in shuffled:
        if step == "register":
            register(session, message, now=now)
        elif step == "settle":
            register(session, message, now=now)
            settle_message(session, message["id"], now=now + DAY)
        else:
            report(session, delivery["provider_id"], step, now=now)
    settle_message(session, message["id"], now=now + DAY)

    strongest = max(outcomes, key=number_status.STRENGTH.index, default="pending")
    expected = "unconfirmed" if strongest == "pending" else strongest
    assert outcome_of(session, delivery["provider_id"]) == expected
    listed = None if expected in {"delivered", "not_contact_problem"} else expected
    assert the_list(session).get(contact.id) == listed


def test_receipts_racing_with_settling_are_all_applied(session, engine, now):
    """Eight threads report deliveries of one message while it settles again and again; nothing is lost or stuck."""
    contacts = [people.contact(session, people.student(session)) for _ in range(40)]
    message_id, ids = send(session, dict.fromkeys(contacts), now=now, settled=False)
    session.commit()
    together = Barrier(9)

    def report_all(part):
        together.wait()
        for contact in part:
            for outcome in ("pending", "turned_off", "delivered"):
                with transaction(engine) as own:
                    report(own, ids[contact], outcome, now=now)

    threads = [Thread(target=report_all, args=(contacts[at::8],)) for at in range(8)]
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
