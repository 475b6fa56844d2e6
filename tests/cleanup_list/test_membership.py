"""Who joins, changes on, and leaves the list when a mass message is final, and on opt-outs."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from support import mass_messages as messages
from support import people
from support.mass_messages import DAY, a_shaky_receipt, changes, send, the_list

from bot.db.models.edits import Edit, Removal
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.mass_messages.opt_outs import apply_opt_in, apply_opt_out
from bot.mass_messages.settle import settle_message


@pytest.fixture
def sam(session):
    return people.student(session)


@pytest.fixture
def maria(session, sam):
    return people.contact(session, sam)


def edit(session, contact, *, field="phone", value, now):
    """Edit a listed contact as `contact_edits` does."""
    base = contact.sis_phone if field == "phone" else contact.sis_method
    row = Edit(contact_id=contact.id, field=field, base=base, value=value, made_by="UCLARA", made_at=now)
    session.add(row)
    entry = update(ListEntry).where(ListEntry.contact_id == contact.id)
    session.execute(entry.values(updated_at=now, updated_by="UCLARA"))
    session.flush()


def entry_of(session, contact):
    session.expire_all()
    return session.get(ListEntry, contact.id)


def send_to(session, contact, phone, outcome, *, now):
    """Send a message to another number of a contact than the SIS has."""
    delivery = messages.a_delivery(contact, to=phone)
    message = messages.a_message(delivery, sent_at=now)
    messages.register(session, message, now=now)
    messages.report(session, delivery["provider_id"], outcome, now=now)
    settle_message(session, message["id"], now=now)
    return message["id"]


@pytest.mark.parametrize("status", ["landline", "turned_off", "unconfirmed", "blocked", "inactive", "opt_out"])
def test_failed_contact_joins_with_the_status(session, now, maria, status):
    message_id, _ = send(session, {maria: status}, now=now)
    assert the_list(session) == {maria.id: status}
    assert changes(session, message_id) == {maria.id: ("joined", None, status, None)}
    assert (entry_of(session, maria).phone, entry_of(session, maria).since) == (maria.sis_phone, now)


def test_list_changes_only_when_the_message_is_final(session, now, maria):
    send(session, {maria: "blocked"}, now=now, settled=False)
    assert the_list(session) == {}


def test_sender_fault_neither_lists_nor_removes_a_contact(session, now, maria):
    send(session, {maria: "not_contact_problem"}, now=now)
    assert the_list(session) == {}
    send(session, {maria: "turned_off"}, now=now + DAY)
    send(session, {maria: "not_contact_problem"}, now=now + 2 * DAY)
    assert the_list(session) == {maria.id: "turned_off"}


def test_delivered_contact_leaves(session, now, maria):
    send(session, {maria: "turned_off"}, now=now)
    message_id, _ = send(session, {maria: "delivered"}, now=now + DAY)
    assert the_list(session) == {}
    assert changes(session, message_id) == {maria.id: ("left", "turned_off", None, None)}


def test_another_failure_changes_status_and_time(session, now, maria):
    send(session, {maria: "turned_off"}, now=now)
    message_id, _ = send(session, {maria: "inactive"}, now=now + DAY)
    assert changes(session, message_id) == {maria.id: ("changed", "turned_off", "inactive", None)}
    assert entry_of(session, maria).since == now + DAY


def test_same_failure_keeps_the_first_time(session, now, maria):
    send(session, {maria: "turned_off"}, now=now)
    message_id, _ = send(session, {maria: "turned_off"}, now=now + DAY)
    assert changes(session, message_id) == {}
    assert entry_of(session, maria).since == now


def test_contacts_with_one_number_share_its_status(session, now, maria, sam):
    partner = people.contact(session, sam, given="José", phone=maria.sis_phone)
    send(session, {maria: "blocked"}, now=now)
    assert the_list(session) == {maria.id: "blocked", partner.id: "blocked"}
    send(session, {partner: "delivered"}, now=now + DAY)
    assert the_list(session) == {}


def test_shared_number_delivered_once_is_delivered(session, now, maria, sam):
    partner = people.contact(session, sam, given="José", phone=maria.sis_phone)
    send(session, {maria: "delivered", partner: "turned_off"}, now=now)
    assert the_list(session) == {}


def test_only_active_unremoved_text_contacts_are_listed(session, now, maria, sam):
    by_call = people.contact(session, sam, method="call")
    without_student = people.contact(session)
    of_graduate = people.contact(session, people.student(session, active=False))
    removed = people.contact(session, sam)
    session.add(Removal(contact_id=removed.id, student_id=sam.id, reason="moved", made_by="U1", made_at=now))
    session.flush()
    everyone = [maria, by_call, without_student, of_graduate, removed]
    send(session, dict.fromkeys(everyone, "inactive"), now=now)
    assert the_list(session) == {maria.id: "inactive"}


def test_text_contact_without_a_number_is_listed(session, now, maria, sam):
    missing = people.contact(session, sam, phone=None)
    send(session, {maria: "delivered"}, now=now)
    assert the_list(session) == {missing.id: "no_number"}


@pytest.mark.parametrize("change", ["method", "removed", "inactive"])
def test_contact_who_stopped_getting_texts_leaves_at_the_next_message(session, now, maria, sam, change):
    send(session, {maria: "blocked"}, now=now)
    if change == "method":
        edit(session, maria, field="method", value="call", now=now)
    elif change == "removed":
        session.add(Removal(contact_id=maria.id, student_id=None, reason="gone", made_by="U1", made_at=now))
    else:
        sam.active = False
    session.flush()
    assert the_list(session) == {maria.id: "blocked"}
    message_id, _ = send(session, {people.contact(session): "delivered"}, now=now + DAY)
    assert the_list(session) == {}
    assert changes(session, message_id) == {maria.id: ("left", "blocked", None, None)}


def test_delivered_edit_leaves_and_credits_the_editor(session, now, maria):
    send(session, {maria: "inactive"}, now=now)
    edit(session, maria, value="+13125550999", now=now)
    message_id = send_to(session, maria, "+13125550999", "delivered", now=now + DAY)
    assert the_list(session) == {}
    assert changes(session, message_id) == {maria.id: ("left", "inactive", None, "UCLARA")}


def test_failed_edit_stays_with_its_own_status_unmarked(session, now, maria):
    send(session, {maria: "inactive"}, now=now)
    edit(session, maria, value="+13125550999", now=now)
    send_to(session, maria, "+13125550999", "landline", now=now + DAY)
    found = entry_of(session, maria)
    assert (found.status, found.phone, found.updated_at, found.updated_by) == ("landline", "+13125550999", None, None)


def test_edit_with_the_same_failure_is_no_move_but_unmarked(session, now, maria):
    send(session, {maria: "inactive"}, now=now)
    edit(session, maria, value="+13125550999", now=now)
    message_id = send_to(session, maria, "+13125550999", "inactive", now=now + DAY)
    assert changes(session, message_id) == {}
    assert entry_of(session, maria).updated_at is None


@pytest.mark.parametrize("outcome", ["delivered", "landline"])
def test_edited_entry_waits_while_only_its_old_number_is_texted(session, now, maria, outcome):
    send(session, {maria: "inactive"}, now=now)
    edit(session, maria, value="+13125550999", now=now)
    send(session, {maria: outcome}, now=now + DAY)
    found = entry_of(session, maria)
    assert (found.status, found.updated_by) == ("inactive", "UCLARA")


def test_edited_entry_waits_after_a_sender_fault(session, now, maria):
    send(session, {maria: "inactive"}, now=now)
    edit(session, maria, value="+13125550999", now=now)
    send_to(session, maria, "+13125550999", "not_contact_problem", now=now + DAY)
    assert entry_of(session, maria).updated_by == "UCLARA"


def test_number_changed_by_the_sis_waits_for_its_first_message(session, now, maria):
    send(session, {maria: "inactive"}, now=now)
    maria.sis_phone = "+13125550999"
    session.flush()
    send(session, {people.contact(session): "delivered"}, now=now + DAY)
    assert the_list(session) == {maria.id: "inactive"}
    send(session, {maria: "delivered"}, now=now + 2 * DAY)
    assert the_list(session) == {}


def test_late_receipt_does_not_move_a_contact_edited_since(session, now, maria):
    neighbor = people.contact(session, people.student(session))
    message_id, ids = send(session, {maria: None, neighbor: "delivered"}, now=now)
    edit(session, maria, field="method", value="call", now=now + DAY)
    messages.report(session, ids[maria], "landline", now=now + 2 * DAY)
    assert entry_of(session, maria).updated_by == "UCLARA"
    assert changes(session, message_id) == {maria.id: ("joined", None, "unconfirmed", None)}


def test_shaky_evidence_is_unconfirmed_first_and_red_the_second_time(session, now, maria):
    send(session, {maria: a_shaky_receipt}, now=now)
    assert the_list(session) == {maria.id: "unconfirmed"}
    assert messages.number(session, maria.sis_phone).doubted == "inactive"
    message_id, _ = send(session, {maria: a_shaky_receipt}, now=now + DAY)
    assert changes(session, message_id) == {maria.id: ("changed", "unconfirmed", "inactive", None)}
    assert messages.number(session, maria.sis_phone).doubted is None


def test_delivery_between_shaky_reports_restarts_the_count(session, now, maria):
    for day, outcome in enumerate([a_shaky_receipt, "delivered", a_shaky_receipt]):
        send(session, {maria: outcome}, now=now + day * DAY)
    assert the_list(session) == {maria.id: "unconfirmed"}


def test_shaky_reports_in_one_message_count_once(session, now, maria, sam):
    partner = people.contact(session, sam, phone=maria.sis_phone)
    send(session, {maria: a_shaky_receipt, partner: a_shaky_receipt}, now=now)
    assert set(the_list(session).values()) == {"unconfirmed"}


def test_only_start_lifts_an_opt_out(session, now, maria):
    apply_opt_out(session, maria.sis_phone, by="twilio", now=now)
    send(session, {maria: "delivered"}, now=now + DAY)
    send(session, {maria: "landline"}, now=now + 2 * DAY)
    assert the_list(session) == {maria.id: "opt_out"}
    apply_opt_in(session, maria.sis_phone, now=now + 3 * DAY)
    assert the_list(session) == {maria.id: "landline"}


def test_start_removes_a_contact_whose_last_text_arrived(session, now, maria):
    send(session, {maria: "delivered"}, now=now)
    apply_opt_out(session, maria.sis_phone, by="twilio", now=now)
    apply_opt_in(session, maria.sis_phone, now=now)
    assert the_list(session) == {}
    assert messages.number(session, maria.sis_phone).status is None


def test_first_source_of_an_opt_out_is_kept(session, now, maria):
    apply_opt_out(session, maria.sis_phone, by="UCLARA", now=now)
    apply_opt_out(session, maria.sis_phone, by="twilio", now=now + DAY)
    number = messages.number(session, maria.sis_phone)
    assert (number.opted_out_by, number.opted_out_at) == ("UCLARA", now)


def test_opt_out_of_an_unused_number_lists_its_next_contact(session, now, maria, sam):
    apply_opt_out(session, "+13125550777", by="twilio", now=now)
    assert the_list(session) == {}
    newcomer = people.contact(session, sam, phone="+13125550777")
    send(session, {maria: "delivered"}, now=now + timedelta(hours=1))
    assert the_list(session) == {newcomer.id: "opt_out"}


def test_opt_out_of_a_typed_number_counts_at_once_if_it_was_texted(session, now, maria):
    send(session, {maria: "inactive"}, now=now)
    edit(session, maria, value="+13125550999", now=now)
    apply_opt_out(session, "+13125550999", by="twilio", now=now)
    assert the_list(session) == {maria.id: "inactive"}
    apply_opt_in(session, "+13125550999", now=now)
    send_to(session, maria, "+13125550999", "blocked", now=now + DAY)
    apply_opt_out(session, "+13125550999", by="twilio", now=now + 2 * DAY)
    assert the_list(session) == {maria.id: "opt_out"}


def test_opt_in_of_the_edited_number_leaves_the_entry_waiting(session, now, maria):
    send(session, {maria: "inactive"}, now=now)
    edit(session, maria, value="+13125550999", now=now)
    apply_opt_in(session, "+13125550999", now=now)
    assert entry_of(session, maria).updated_by == "UCLARA"


def test_delivered_numbers_are_not_stored(session, now, maria):
    send(session, {maria: "delivered"}, now=now)
    assert session.scalars(select(PhoneNumber)).all() == []
