"""Numbers of the wrong person that one contact proved: what the proof ends, for which contacts, and what ends it."""

from datetime import UTC, timedelta

import pytest
from sqlalchemy import select, text
from support import edits, people
from support import mass_messages as messages
from support.desk import NEW, NOW, OLD, OTHER, Desk
from support.errors import refused

from bot.access.rights import AccessLevel
from bot.cleanup_list.forecast import count_without_adult, load_forecast
from bot.cleanup_list.student import load_student
from bot.contact_edits.change import switch_to_call
from bot.contact_edits.number_check import check_number
from bot.contact_edits.undo import undo_edit
from bot.contact_edits.wrong_person import verify_number
from bot.db.models.edits import Audit
from bot.db.models.notices import WrongPersonNotice
from bot.db.models.roster import OtherNumber
from bot.db.models.views import effective_contacts
from bot.filters.filter import Filter
from bot.mass_messages.deactivations import import_deactivations
from bot.mass_messages.opt_outs import apply_opt_in, apply_opt_out
from bot.mass_messages.wrong_person import park_numbers
from bot.mass_messages.wrong_person_notices import load_wrong_contacts
from bot.operations.families import erase_numbers


@pytest.fixture
def office(session):
    """Clara's office, with Sam's mother Maria; Slack was asked about both clerks lately."""
    return Desk(session)


def contact_of_another_family(office, session, others=()):
    """Return Petra, a contact of another student, with the number that Maria has in the SIS; both, and others, are Wrong person."""
    petra = people.contact(session, people.student(session, "Kim", at=office.lincoln), given="Petra", phone=OLD)
    session.commit()
    park_numbers(session, {OLD: NOW}, by="twilio", now=NOW)
    assert messages.the_list(session) == dict.fromkeys(
        (contact.id for contact in (office.maria, petra, *others)), "wrong_person"
    )
    return petra


def may_be_texted(session, contact):
    adult = effective_contacts.c
    row = session.execute(select(adult.sms_status, adult.opted_out).where(adult.contact_id == contact.id)).one()
    return (row.sms_status, row.opted_out) == (None, False)


def test_text_proves_the_number_for_its_contact_only(office, session):
    """A stranger proves that the number is theirs: the other family's texts must not go to them."""
    petra = contact_of_another_family(office, session)
    assert office.text(office.issue(), OLD)
    assert messages.the_list(session) == {petra.id: "wrong_person"}
    assert (may_be_texted(session, office.maria), may_be_texted(session, petra)) == (True, False)
    assert "wrong_person.lifted" not in session.scalars(select(Audit.action)).all()


def test_other_family_does_not_read_who_verified_the_number(office, session):
    petra = contact_of_another_family(office, session)
    assert office.text(office.issue(), OLD)
    cards = [
        load_student(session, link.student_id, actor=office.actors[0]).contacts[0]
        for link in links_of(session, office.maria, petra)
    ]
    assert [(card.verified is None, card.wrong_person_by) for card in cards] == [(False, None), (True, "twilio")]


def links_of(session, *contacts):
    return [
        session.scalars(select(people.StudentContact).where(people.StudentContact.contact_id == contact.id)).one()
        for contact in contacts
    ]


def test_later_wrong_person_counts_for_who_proved_the_number(office, session):
    petra = contact_of_another_family(office, session)
    assert office.text(office.issue(), OLD)
    later = NOW + timedelta(hours=1)
    assert park_numbers(session, {OLD: later}, by="twilio", now=later) == [OLD]
    assert messages.the_list(session) == {office.maria.id: "wrong_person", petra.id: "wrong_person"}


def test_stop_counts_for_who_proved_the_number(office, session):
    petra = contact_of_another_family(office, session)
    assert office.text(office.issue(), OLD)
    apply_opt_out(session, OLD, by="twilio", now=NOW)
    assert messages.the_list(session) == {office.maria.id: "opt_out", petra.id: "opt_out"}


def test_another_record_of_the_same_name_is_the_same_person(office, session):
    people.contact(session, people.student(session, "Kim", at=office.lincoln), given=office.maria.given_name, phone=OLD)
    park_numbers(session, {OLD: NOW}, by="twilio", now=NOW)
    assert office.text(office.issue(), OLD)
    assert messages.the_list(session) == {}


def test_call_proves_the_number_for_its_contact_only(office, session):
    petra = contact_of_another_family(office, session)
    office.confirm()
    assert messages.the_list(session) == {petra.id: "wrong_person"}


def test_counts_of_the_district_know_who_proved_the_number(office, session):
    contact_of_another_family(office, session)
    dana = people.actor_of(office.clerks[0], level=AccessLevel.DISTRICT)
    assert load_forecast(session, Filter(), actor=dana, page_size=1).without_adult == 2
    assert office.text(office.issue(), OLD)
    session.commit()
    forecast = load_forecast(session, Filter(), actor=dana, page_size=1)
    assert (forecast.delivered, forecast.without_adult, count_without_adult(session, None)) == (1, 1, 1)
    listed = session.execute(text("SELECT student_id, textable FROM listed_students")).all()
    assert [row.textable for row in listed] == [0]


def test_number_that_was_proved_can_be_texted_or_called_again(office, session):
    """What the office sees as a number without a problem is not refused as another family's Wrong person."""
    contact_of_another_family(office, session)
    assert office.text(office.issue(), OLD)
    clara = office.actors[0]
    version = edits.version_of(session, office.maria)
    assert switch_to_call(session, office.maria.id, version=version, actor=clara, now=NOW).method == "call"
    edits.change(session, office.maria, method="text", actor=clara)
    assert may_be_texted(session, office.maria)


def test_number_that_was_proved_may_be_typed_again(office, session):
    contact_of_another_family(office, session)
    assert office.text(office.issue(), OLD)
    clara = office.actors[0]
    edits.change(session, office.maria, phone=OTHER, actor=clara)
    check = check_number(session, office.maria.id, OLD, student_id=office.sam.id, actor=clara)
    assert check.status is None
    edits.change(session, office.maria, phone=OLD, actor=clara)
    assert may_be_texted(session, office.maria)


def test_number_of_the_other_family_is_still_refused(office, session):
    petra = contact_of_another_family(office, session)
    assert office.text(office.issue(), OLD)
    edits.change(session, petra, phone=OTHER, actor=office.actors[0])
    with refused("contact.wrong_person"):
        edits.change(session, petra, phone=OLD, actor=office.actors[0])


def test_stop_after_the_proof_offers_no_undo_of_the_other_family(office, session):
    """*Undo wrong person* beside Maria would end it for Petra, whose texts would go to Maria's phone after a START."""
    petra = contact_of_another_family(office, session)
    assert office.text(office.issue(), OLD)
    apply_opt_out(session, OLD, by="twilio", now=NOW)
    cards = [
        load_student(session, link.student_id, actor=office.actors[0]).contacts[0]
        for link in links_of(session, office.maria, petra)
    ]
    assert [(card.status, card.wrong_person_by, card.verified is None) for card in cards] == [
        ("opt_out", None, False),
        ("opt_out", "twilio", True),
    ]


def test_undo_of_a_wrong_person_after_the_proof_is_refused(office, session):
    """The dialog that was open while the text came in still has its button."""
    petra = contact_of_another_family(office, session)
    assert office.text(office.issue(), OLD)
    apply_opt_out(session, OLD, by="twilio", now=NOW)
    values = {"student_id": office.sam.id, "version": edits.version_of(session, office.maria)}
    with refused("wrong_person.not_recorded"):
        verify_number(session, office.maria.id, **values, actor=office.actors[0], now=NOW)
    apply_opt_in(session, OLD, now=NOW)
    assert (may_be_texted(session, office.maria), may_be_texted(session, petra)) == (True, False)


def test_number_stays_with_an_edited_contact_who_may_get_it_back(office, session):
    """Petra's office replaced the number; when that is undone, her texts must not go to Maria's phone."""
    petra = contact_of_another_family(office, session)
    saved = edits.change(session, petra, phone=OTHER, actor=office.actors[0])
    assert office.text(office.issue(), OLD)
    assert may_be_texted(session, office.maria)
    undo_edit(session, saved.edit_ids[0], actor=office.actors[0], now=NOW)
    assert (may_be_texted(session, office.maria), may_be_texted(session, petra)) == (True, False)


def test_text_proves_the_number_for_all_records_of_the_name(office, session):
    sibling = people.student(session, "Lea", at=office.lincoln)
    record = people.contact(session, sibling, given=office.maria.given_name, phone=OLD)
    petra = contact_of_another_family(office, session, others=[record])
    assert office.text(office.issue(), OLD)
    assert messages.the_list(session) == {petra.id: "wrong_person"}
    assert may_be_texted(session, record)


def test_records_without_a_name_are_not_one_person(office, session):
    petra = contact_of_another_family(office, session)
    for contact in (office.maria, petra):
        contact.given_name = contact.family_name = ""
    session.flush()
    assert office.text(office.issue(), OLD)
    assert messages.the_list(session) == {petra.id: "wrong_person"}


def test_number_that_was_proved_is_listed_when_texts_fail(office, session):
    petra = contact_of_another_family(office, session)
    assert office.text(office.issue(), OLD)
    messages.send(session, {office.maria: "blocked"}, now=NOW + timedelta(hours=1))
    assert messages.the_list(session) == {office.maria.id: "blocked", petra.id: "wrong_person"}
    messages.send(session, {office.maria: "delivered"}, now=NOW + timedelta(hours=2))
    assert messages.the_list(session) == {petra.id: "wrong_person"}
    assert park_numbers(session, {OLD: NOW + timedelta(hours=3)}, by="twilio", now=NOW + timedelta(hours=3))
    assert messages.the_list(session) == {office.maria.id: "wrong_person", petra.id: "wrong_person"}


def test_number_keeps_its_status_when_no_one_else_has_it_anymore(office, session):
    petra = contact_of_another_family(office, session)
    assert office.text(office.issue(), OLD)
    messages.send(session, {office.maria: "blocked"}, now=NOW + timedelta(hours=1))
    petra.sis_phone = None
    session.flush()
    assert office.text(office.issue(now=NOW + timedelta(hours=2)), OLD, now=NOW + timedelta(hours=2))
    assert office.number(OLD).status == "blocked"
    assert messages.the_list(session)[office.maria.id] == "blocked"


def test_contact_who_gets_a_strangers_number_is_listed_after_a_proof(office, session):
    petra = contact_of_another_family(office, session)
    assert office.text(office.issue(), OLD)
    tom = people.contact(session, office.sam, given="Tom", phone=OLD)
    messages.send(session, {office.maria: "delivered"}, now=NOW + timedelta(hours=1))
    assert messages.the_list(session) == {petra.id: "wrong_person", tom.id: "wrong_person"}


def test_text_proves_a_number_that_was_erased_while_parked(office, session):
    """No contact had it, and its row was erased but for a hash. Now another person has it as a further number."""
    park_numbers(session, {NEW: NOW}, by="twilio", now=NOW)
    assert erase_numbers(session, [NEW]) == 1
    petra = people.contact(session, people.student(session, "Kim", at=office.lincoln), given="Petra", phone=OTHER)
    session.add(OtherNumber(contact_id=petra.id, phone=NEW, position=1))
    assert office.text(office.issue(), NEW, now=NOW + timedelta(minutes=1))
    assert office.number(NEW).wrong_person_at == NOW
    assert messages.the_list(session) == {}
    assert may_be_texted(session, office.maria)


def test_later_deactivation_counts_for_who_proved_the_number(office, session, tmp_path):
    petra = contact_of_another_family(office, session)
    assert office.text(office.issue(), OLD)
    path = tmp_path / "deactivations.csv"
    path.write_text(OLD)

    def load(day):
        now = NOW + timedelta(days=3)
        return import_deactivations(session, path, day=NOW.date() + day, region="US", zone=UTC, now=now)

    assert (load(timedelta(days=-1)).parked, messages.the_list(session)) == (0, {petra.id: "wrong_person"})
    assert load(timedelta(days=2)).parked == 1
    assert messages.the_list(session) == {office.maria.id: "wrong_person", petra.id: "wrong_person"}
    assert (load(timedelta(days=2)).parked, load(timedelta(days=2)).already) == (0, 1)


def test_schools_are_told_of_those_who_did_not_prove_the_number(office, session):
    contact_of_another_family(office, session)
    notice = session.scalars(select(WrongPersonNotice)).one()
    assert office.text(office.issue(), OLD)
    told = load_wrong_contacts(session, notice, actor=office.actors[0])
    assert [contact.name for contact in told] == ["Petra Rivera"]


@pytest.mark.parametrize("phone", [OLD, NEW])
def test_older_report_counts_for_the_other_family_only(office, session, phone):
    """A number changed hands, its new owner proved it, and then the carriers' file came."""
    petra = people.contact(session, people.student(session, "Kim", at=office.lincoln), given="Petra", phone=phone)
    assert office.text(office.issue(), phone)
    assert (may_be_texted(session, office.maria), may_be_texted(session, petra)) == (True, True)
    later = NOW + timedelta(hours=2)
    for parked in ([phone], []):
        assert park_numbers(session, {phone: NOW - timedelta(hours=1)}, by="deactivations", now=later) == parked
        assert (may_be_texted(session, office.maria), may_be_texted(session, petra)) == (True, False)
        assert messages.the_list(session) == {petra.id: "wrong_person"}
    assert office.number(phone).status is None


def test_older_report_ends_only_older_proofs(office, session):
    tom = people.contact(session, people.student(session, "Kim", at=office.lincoln), given="Tom", phone=OLD)
    petra = contact_of_another_family(office, session, others=[tom])
    assert office.text(office.issue(), OLD)
    reported_at, now = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    office.confirm(tom, now=now)
    assert messages.the_list(session) == {petra.id: "wrong_person"}
    assert park_numbers(session, {OLD: reported_at}, by="twilio", now=now) == [OLD]
    assert messages.the_list(session) == {office.maria.id: "wrong_person", petra.id: "wrong_person"}


def test_older_report_of_a_number_that_a_colleague_took_back_does_not_count(office, session):
    petra = contact_of_another_family(office, session)
    assert office.text(office.issue(), OLD)
    (link,) = links_of(session, petra)
    values = {"student_id": link.student_id, "version": edits.version_of(session, petra)}
    verify_number(session, petra.id, **values, actor=office.actors[0], now=NOW)
    assert park_numbers(session, {OLD: NOW - timedelta(hours=1)}, by="deactivations", now=NOW) == []
