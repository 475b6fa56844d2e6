"""A typed number tells nothing of its status until a mass message went to it through that contact."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update
from support import edits, people
from support import mass_messages as messages
from support.errors import refused

from bot.cleanup_list.forecast import load_forecast
from bot.cleanup_list.page import load_page
from bot.cleanup_list.student import load_student
from bot.contact_edits.change import switch_to_call
from bot.contact_edits.opt_out import record_verbal_opt_out
from bot.contact_edits.undo import undo_edit
from bot.db.models.edits import Edit
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.db.models.views import effective_contacts
from bot.domain.sms_status import SmsStatus
from bot.filters.filter import Filter
from bot.mass_messages.opt_outs import apply_opt_out
from bot.mass_messages.settle import settle_message

STATUSES = [status for status in SmsStatus if status is not SmsStatus.NO_NUMBER]


@pytest.fixture
def sam(session, district):
    return people.student(session, at=district.lincoln)


@pytest.fixture
def maria(session, sam):
    """Sam's mother, whose own number is blocked."""
    return people.list_contact(session, people.contact(session, sam))


@pytest.fixture
def stranger(session, district):
    """The mother of a student at the other school."""
    rosa = people.student(session, "Rosa", "Novak", at=district.roosevelt)
    return people.contact(session, rosa, given="Petra", family="Novak")


@pytest.fixture
def home(sam, maria, stranger, clara):
    return SimpleNamespace(sam=sam, maria=maria, stranger=stranger, clara=clara)


def give(session, contact, status):
    """Give the contact's number a status."""
    if status is SmsStatus.OPT_OUT:
        apply_opt_out(session, contact.sis_phone, by="twilio", now=people.NOW)
    elif status is not None:
        people.list_contact(session, contact, status)


def what_clara_reads(session, sam, clara):
    session.expire_all()
    student = load_student(session, sam.id, actor=clara)
    page, forecast = (
        load_page(session, Filter(), actor=clara),
        load_forecast(session, Filter(), actor=clara, page_size=5),
    )
    return repr((student, page, forecast))


def type_number(session, contact, number, *, actor, now=people.NOW, **more):
    return repr(edits.change(session, contact, phone=number, actor=actor, now=now, **more))


def send_to(session, contact, phone, outcome, *, now):
    """Send a message to a number of a contact, and settle it."""
    delivery = messages.a_delivery(contact, to=phone)
    message = messages.a_message(delivery, sent_at=now)
    messages.register(session, message, now=now)
    if outcome:
        messages.report(session, delivery["provider_id"], outcome, now=now)
    settle_message(session, message["id"], now=now if outcome else now + messages.DAY)


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("method", ["text", "call"])
def test_every_number_looks_alike_when_it_is_typed(session, home, method, listed):
    """Each number is typed, switched to autocalls, and undone, in a savepoint."""
    if not listed:
        session.delete(session.get(ListEntry, home.maria.id))
        session.flush()
    read = set()
    for status in (None, *STATUSES):
        savepoint = session.begin_nested()
        give(session, home.stranger, status)
        number = home.stranger.sis_phone
        steps = [
            type_number(session, home.maria, number, actor=home.clara, method=method),
            what_clara_reads(session, home.sam, home.clara),
        ]
        if method == "text":
            version = edits.version_of(session, home.maria)
            steps.append(
                repr(switch_to_call(session, home.maria.id, version=version, actor=home.clara, now=people.NOW))
            )
            steps.append(what_clara_reads(session, home.sam, home.clara))
        read.add(_without_ids("\n".join(steps)))
        savepoint.rollback()
    assert len(read) == 1


def _without_ids(text):
    """Return the text without ids that sequences count on, which no rollback takes back."""
    return re.sub(r"edit_ids?=\(?[\d, ]+\)?", "edit", text)


@pytest.mark.parametrize("listed", [True, False])
def test_news_of_a_typed_number_through_others_stays_hidden(session, now, home, listed):
    if not listed:
        session.delete(session.get(ListEntry, home.maria.id))
        session.flush()
    type_number(session, home.maria, home.stranger.sis_phone, actor=home.clara, now=now)
    before = what_clara_reads(session, home.sam, home.clara)
    messages.send(session, {home.stranger: "blocked"}, now=now + timedelta(hours=1))
    assert what_clara_reads(session, home.sam, home.clara) == before
    messages.send(session, {home.stranger: "delivered"}, now=now + timedelta(hours=2))
    assert what_clara_reads(session, home.sam, home.clara) == before
    apply_opt_out(session, home.stranger.sis_phone, by="twilio", now=now + timedelta(hours=3))
    assert what_clara_reads(session, home.sam, home.clara) == before


def test_message_through_the_contact_shows_the_status(session, now, home):
    give(session, home.stranger, SmsStatus.INACTIVE)
    type_number(session, home.maria, home.stranger.sis_phone, actor=home.clara, now=now)
    assert load_student(session, home.sam.id, actor=home.clara).contact(home.maria.id).status is None
    send_to(session, home.maria, home.stranger.sis_phone, "blocked", now=now + timedelta(hours=1))
    session.expire_all()
    contact = load_student(session, home.sam.id, actor=home.clara).contact(home.maria.id)
    assert (contact.status, contact.on_list, contact.updated_at) == (SmsStatus.BLOCKED, True, None)


def test_status_stays_shown_when_the_number_is_typed_again(session, now, maria, stranger, clara):
    type_number(session, maria, stranger.sis_phone, actor=clara, now=now)
    send_to(session, maria, stranger.sis_phone, "inactive", now=now + timedelta(hours=1))
    type_number(session, maria, None, actor=clara, now=now + timedelta(hours=2))
    with refused("contact.inactive", field="phone"):
        edits.change(session, maria, phone=stranger.sis_phone, method="call", actor=clara)


def test_number_of_the_sis_is_refused_as_before(session, maria, clara):
    apply_opt_out(session, maria.sis_phone, by="twilio", now=people.NOW)
    edits.change(session, maria, phone="(312) 555-7001", actor=clara)
    with refused("contact.opted_out", field="phone"):
        edits.change(session, maria, phone=maria.sis_phone, actor=clara)


def test_number_that_was_texted_through_the_contact_is_refused(session, now, maria, clara):
    """The SIS had the number earlier, and it was out of service."""
    old = maria.sis_phone
    messages.send(session, {maria: "inactive"}, now=now)
    edits.sync_phone(session, maria, "+13125557002")
    with refused("contact.inactive"):
        edits.change(session, maria, phone=old, method="call", actor=clara)


def test_typed_number_that_opted_out_is_never_texted(session, maria, stranger, clara):
    apply_opt_out(session, stranger.sis_phone, by="twilio", now=people.NOW)
    type_number(session, maria, stranger.sis_phone, actor=clara)
    view = effective_contacts.c
    assert session.scalars(select(view.opted_out).where(view.contact_id == maria.id)).all() == [True]


@pytest.mark.parametrize("listed", [True, False])
def test_opt_out_shows_after_a_message_to_the_same_school(session, now, home, district, listed):
    """Senders leave the number out, so no message ever goes to it."""
    if not listed:
        session.delete(session.get(ListEntry, home.maria.id))
    apply_opt_out(session, home.stranger.sis_phone, by="twilio", now=now)
    type_number(session, home.maria, home.stranger.sis_phone, actor=home.clara, now=now)
    elsewhere = people.contact(session, people.student(session, "Kim", at=district.roosevelt))
    messages.send(session, {elsewhere: "delivered"}, now=now + timedelta(hours=1))
    assert load_student(session, home.sam.id, actor=home.clara).contact(home.maria.id).status is None
    classmate = people.contact(session, people.student(session, "Lea", at=district.lincoln))
    messages.send(session, {classmate: "delivered"}, now=now + timedelta(hours=2))
    session.expire_all()
    contact = load_student(session, home.sam.id, actor=home.clara).contact(home.maria.id)
    assert (contact.status, contact.on_list) == (SmsStatus.OPT_OUT, True)


@pytest.mark.parametrize("opted_out", [True, False])
def test_verbal_opt_out_at_a_typed_number_shows_at_once(session, home, opted_out):
    if opted_out:
        apply_opt_out(session, home.stranger.sis_phone, by="twilio", now=people.NOW)
    type_number(session, home.maria, home.stranger.sis_phone, actor=home.clara)
    version = edits.version_of(session, home.maria)
    values = {
        "student_id": home.sam.id,
        "version": version,
        "said_at": people.NOW,
        "actor": home.clara,
        "now": people.NOW,
    }
    record_verbal_opt_out(session, home.maria.id, **values)
    session.expire_all()
    contact = load_student(session, home.sam.id, actor=home.clara).contact(home.maria.id)
    assert (contact.status, contact.on_list) == (SmsStatus.OPT_OUT, True)


def test_undo_of_a_typed_number_shows_the_status_of_the_number_before(session, sam, maria, stranger, clara):
    saved = edits.change(session, maria, phone=stranger.sis_phone, actor=clara)
    undo_edit(session, saved.edit_ids[0], actor=clara, now=people.NOW)
    session.expire_all()
    assert load_student(session, sam.id, actor=clara).contact(maria.id).status is SmsStatus.BLOCKED


def test_status_shows_once_the_sis_has_the_number(session, sam, maria, stranger, clara):
    give(session, stranger, SmsStatus.BLOCKED)
    type_number(session, maria, stranger.sis_phone, actor=clara)
    session.execute(update(Edit).values(state="absorbed"))
    maria.sis_phone = stranger.sis_phone
    session.flush()
    session.expire_all()
    assert session.get(PhoneNumber, stranger.sis_phone).status == SmsStatus.BLOCKED
    assert load_student(session, sam.id, actor=clara).contact(maria.id).status is SmsStatus.BLOCKED
