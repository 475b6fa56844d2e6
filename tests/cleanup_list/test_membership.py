from datetime import timedelta

import pytest
from sqlalchemy import select, update
from support import mass_messages as messages
from support import people
from support.mass_messages import DAY, a_shaky_receipt, changes, sent, the_list

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


def edited(session, one, *, field="phone", value, now):
    """What `contact_edits` does to a listed contact."""
    base = one.sis_phone if field == "phone" else one.sis_method
    edit = Edit(contact_id=one.id, field=field, base=base, value=value, made_by="UCLARA", made_at=now)
    session.add(edit)
    marked = update(ListEntry).where(ListEntry.contact_id == one.id)
    session.execute(marked.values(updated_at=now, updated_by="UCLARA"))
    session.flush()


def entry(session, one):
    session.expire_all()
    return session.get(ListEntry, one.id)


def sent_to(session, one, phone, outcome, *, now):
    """A message that goes to another number of a contact than the SIS has."""
    delivery = messages.a_delivery(one, to=phone)
    message = messages.a_message(delivery, sent_at=now)
    messages.registered(session, message, now=now)
    messages.told(session, delivery["provider_id"], outcome, now=now)
    settle_message(session, message["id"], now=now)
    return message["id"]


@pytest.mark.parametrize("status", ["landline", "turned_off", "unconfirmed", "blocked", "inactive", "opt_out"])
def test_a_contact_whom_the_text_did_not_reach_joins_with_the_status(session, now, maria, status):
    message_id, _ = sent(session, {maria: status}, now=now)
    assert the_list(session) == {maria.id: status}
    assert changes(session, message_id) == {maria.id: ("joined", None, status, None)}
    assert (entry(session, maria).phone, entry(session, maria).since) == (maria.sis_phone, now)


def test_the_list_changes_only_when_the_message_settles(session, now, maria):
    sent(session, {maria: "blocked"}, now=now, settled=False)
    assert the_list(session) == {}


def test_our_own_fault_lists_nobody_and_takes_nobody_off(session, now, maria):
    sent(session, {maria: "not_contact_problem"}, now=now)
    assert the_list(session) == {}
    sent(session, {maria: "turned_off"}, now=now + DAY)
    sent(session, {maria: "not_contact_problem"}, now=now + 2 * DAY)
    assert the_list(session) == {maria.id: "turned_off"}


def test_a_contact_whom_the_text_reached_leaves(session, now, maria):
    sent(session, {maria: "turned_off"}, now=now)
    message_id, _ = sent(session, {maria: "delivered"}, now=now + DAY)
    assert the_list(session) == {}
    assert changes(session, message_id) == {maria.id: ("left", "turned_off", None, None)}


def test_a_contact_who_fails_otherwise_changes_status_and_its_time(session, now, maria):
    sent(session, {maria: "turned_off"}, now=now)
    message_id, _ = sent(session, {maria: "inactive"}, now=now + DAY)
    assert changes(session, message_id) == {maria.id: ("changed", "turned_off", "inactive", None)}
    assert entry(session, maria).since == now + DAY


def test_a_contact_who_fails_alike_stays_since_the_first_time(session, now, maria):
    sent(session, {maria: "turned_off"}, now=now)
    message_id, _ = sent(session, {maria: "turned_off"}, now=now + DAY)
    assert changes(session, message_id) == {}
    assert entry(session, maria).since == now


def test_whoever_shares_the_number_shares_its_fate(session, now, maria, sam):
    partner = people.contact(session, sam, given="José", phone=maria.sis_phone)
    sent(session, {maria: "blocked"}, now=now)
    assert the_list(session) == {maria.id: "blocked", partner.id: "blocked"}
    sent(session, {partner: "delivered"}, now=now + DAY)
    assert the_list(session) == {}


def test_a_shared_number_that_one_text_reached_is_reached(session, now, maria, sam):
    partner = people.contact(session, sam, given="José", phone=maria.sis_phone)
    sent(session, {maria: "delivered", partner: "turned_off"}, now=now)
    assert the_list(session) == {}


def test_only_text_contacts_of_active_students_who_are_not_removed_are_listed(session, now, maria, sam):
    by_call = people.contact(session, sam, method="call")
    of_nobody = people.contact(session)
    of_graduate = people.contact(session, people.student(session, active=False))
    removed = people.contact(session, sam)
    session.add(Removal(contact_id=removed.id, student_id=sam.id, reason="moved", made_by="U1", made_at=now))
    session.flush()
    everyone = [maria, by_call, of_nobody, of_graduate, removed]
    sent(session, dict.fromkeys(everyone, "inactive"), now=now)
    assert the_list(session) == {maria.id: "inactive"}


def test_a_text_contact_without_a_number_is_listed_when_any_message_settles(session, now, maria, sam):
    missing = people.contact(session, sam, phone=None)
    sent(session, {maria: "delivered"}, now=now)
    assert the_list(session) == {missing.id: "no_number"}


@pytest.mark.parametrize("how", ["method", "removed", "inactive"])
def test_an_entry_whose_contact_takes_no_texts_any_more_leaves_at_the_next_message(session, now, maria, sam, how):
    sent(session, {maria: "blocked"}, now=now)
    if how == "method":
        edited(session, maria, field="method", value="call", now=now)
    elif how == "removed":
        session.add(Removal(contact_id=maria.id, student_id=None, reason="gone", made_by="U1", made_at=now))
    else:
        sam.active = False
    session.flush()
    assert the_list(session) == {maria.id: "blocked"}
    message_id, _ = sent(session, {people.contact(session): "delivered"}, now=now + DAY)
    assert the_list(session) == {}
    assert changes(session, message_id) == {maria.id: ("left", "blocked", None, None)}


def test_an_edited_number_that_the_next_message_reaches_leaves_and_the_fixer_is_named(session, now, maria):
    sent(session, {maria: "inactive"}, now=now)
    edited(session, maria, value="+13125550999", now=now)
    message_id = sent_to(session, maria, "+13125550999", "delivered", now=now + DAY)
    assert the_list(session) == {}
    assert changes(session, message_id) == {maria.id: ("left", "inactive", None, "UCLARA")}


def test_an_edited_number_that_fails_too_stays_with_its_own_status_and_is_marked_no_more(session, now, maria):
    sent(session, {maria: "inactive"}, now=now)
    edited(session, maria, value="+13125550999", now=now)
    sent_to(session, maria, "+13125550999", "landline", now=now + DAY)
    found = entry(session, maria)
    assert (found.status, found.phone, found.updated_at, found.updated_by) == ("landline", "+13125550999", None, None)


def test_an_edited_number_that_fails_alike_is_no_move_but_is_marked_no_more(session, now, maria):
    sent(session, {maria: "inactive"}, now=now)
    edited(session, maria, value="+13125550999", now=now)
    message_id = sent_to(session, maria, "+13125550999", "inactive", now=now + DAY)
    assert changes(session, message_id) == {}
    assert entry(session, maria).updated_at is None


@pytest.mark.parametrize("outcome", ["delivered", "landline"])
def test_an_edited_entry_waits_while_only_its_old_number_is_texted(session, now, maria, outcome):
    sent(session, {maria: "inactive"}, now=now)
    edited(session, maria, value="+13125550999", now=now)
    sent(session, {maria: outcome}, now=now + DAY)
    found = entry(session, maria)
    assert (found.status, found.updated_by) == ("inactive", "UCLARA")


def test_an_edited_entry_waits_when_its_new_number_failed_for_our_own_fault(session, now, maria):
    sent(session, {maria: "inactive"}, now=now)
    edited(session, maria, value="+13125550999", now=now)
    sent_to(session, maria, "+13125550999", "not_contact_problem", now=now + DAY)
    assert entry(session, maria).updated_by == "UCLARA"


def test_a_number_that_the_sis_changed_waits_for_its_first_message_too(session, now, maria):
    sent(session, {maria: "inactive"}, now=now)
    maria.sis_phone = "+13125550999"
    session.flush()
    sent(session, {people.contact(session): "delivered"}, now=now + DAY)
    assert the_list(session) == {maria.id: "inactive"}
    sent(session, {maria: "delivered"}, now=now + 2 * DAY)
    assert the_list(session) == {}


def test_a_late_receipt_moves_nobody_for_an_edit_made_since(session, now, maria):
    message_id, ids = sent(session, {maria: None}, now=now)
    edited(session, maria, field="method", value="call", now=now + DAY)
    messages.told(session, ids[maria], "landline", now=now + 2 * DAY)
    assert entry(session, maria).updated_by == "UCLARA"
    assert changes(session, message_id) == {maria.id: ("joined", None, "unconfirmed", None)}


def test_shaky_evidence_is_unconfirmed_first_and_red_at_the_second_message(session, now, maria):
    sent(session, {maria: a_shaky_receipt}, now=now)
    assert the_list(session) == {maria.id: "unconfirmed"}
    assert messages.number(session, maria.sis_phone).doubted == "inactive"
    message_id, _ = sent(session, {maria: a_shaky_receipt}, now=now + DAY)
    assert changes(session, message_id) == {maria.id: ("changed", "unconfirmed", "inactive", None)}
    assert messages.number(session, maria.sis_phone).doubted is None


def test_a_delivery_between_two_shaky_reports_starts_the_count_again(session, now, maria):
    for day, outcome in enumerate([a_shaky_receipt, "delivered", a_shaky_receipt]):
        sent(session, {maria: outcome}, now=now + day * DAY)
    assert the_list(session) == {maria.id: "unconfirmed"}


def test_two_shaky_reports_in_one_message_are_one(session, now, maria, sam):
    partner = people.contact(session, sam, phone=maria.sis_phone)
    sent(session, {maria: a_shaky_receipt, partner: a_shaky_receipt}, now=now)
    assert set(the_list(session).values()) == {"unconfirmed"}


def test_nothing_but_start_ends_an_opt_out(session, now, maria):
    apply_opt_out(session, maria.sis_phone, by="twilio", now=now)
    sent(session, {maria: "delivered"}, now=now + DAY)
    sent(session, {maria: "landline"}, now=now + 2 * DAY)
    assert the_list(session) == {maria.id: "opt_out"}
    apply_opt_in(session, maria.sis_phone, now=now + 3 * DAY)
    assert the_list(session) == {maria.id: "landline"}


def test_start_takes_a_contact_off_whose_last_text_arrived(session, now, maria):
    sent(session, {maria: "delivered"}, now=now)
    apply_opt_out(session, maria.sis_phone, by="twilio", now=now)
    apply_opt_in(session, maria.sis_phone, now=now)
    assert the_list(session) == {}
    assert messages.number(session, maria.sis_phone).status is None


def test_the_first_who_told_us_of_an_opt_out_stays_named(session, now, maria):
    apply_opt_out(session, maria.sis_phone, by="UCLARA", now=now)
    apply_opt_out(session, maria.sis_phone, by="twilio", now=now + DAY)
    known = messages.number(session, maria.sis_phone)
    assert (known.opted_out_by, known.opted_out_at) == ("UCLARA", now)


def test_an_opt_out_of_a_number_that_nobody_has_lists_nobody_until_somebody_has_it(session, now, maria, sam):
    apply_opt_out(session, "+13125550777", by="twilio", now=now)
    assert the_list(session) == {}
    newcomer = people.contact(session, sam, phone="+13125550777")
    sent(session, {maria: "delivered"}, now=now + timedelta(hours=1))
    assert the_list(session) == {newcomer.id: "opt_out"}


def test_an_edit_to_a_number_that_said_stop_waits_for_nothing(session, now, maria):
    sent(session, {maria: "inactive"}, now=now)
    edited(session, maria, value="+13125550999", now=now)
    apply_opt_out(session, "+13125550999", by="twilio", now=now)
    assert the_list(session) == {maria.id: "opt_out"}


def test_start_of_another_number_does_not_end_the_waiting_of_an_edited_entry(session, now, maria):
    sent(session, {maria: "inactive"}, now=now)
    edited(session, maria, value="+13125550999", now=now)
    apply_opt_in(session, "+13125550999", now=now)
    assert entry(session, maria).updated_by == "UCLARA"


def test_numbers_that_were_always_reached_take_no_room(session, now, maria):
    sent(session, {maria: "delivered"}, now=now)
    assert session.scalars(select(PhoneNumber)).all() == []
