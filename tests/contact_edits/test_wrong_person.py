"""A number of the wrong person is parked for every student, whatever is reported of it, until staff verify it."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from support import edits, people
from support import mass_messages as messages
from support.errors import refused
from support.people import NOW

from bot.access.rights import AccessLevel
from bot.contact_edits.wrong_person import mark_wrong_person, verify_number
from bot.db.models.edits import Audit
from bot.db.models.notices import WrongPersonNotice
from bot.db.models.views import effective_contacts
from bot.mass_messages.opt_outs import apply_opt_in, apply_opt_out
from bot.mass_messages.wrong_person import park_numbers, record_reassigned
from bot.providers.receipt import ReassignedNumber

NUMBER = "+13125550142"
LATER = NOW + timedelta(days=1)


@pytest.fixture
def district(session):
    return people.create_district(session)


@pytest.fixture
def dana(district):
    return people.actor_of(district.dana, level=AccessLevel.DISTRICT)


@pytest.fixture
def sam(session, district):
    return people.student(session, at=district.lincoln)


@pytest.fixture
def maria(session, sam):
    return people.contact(session, sam, phone=NUMBER)


@pytest.fixture
def lee(session, district):
    """A contact of a student at another school with the same number."""
    return people.contact(session, people.student(session, "Kim", at=district.roosevelt), given="Lee", phone=NUMBER)


def act(verb, session, contact, student, actor, *, now=NOW, version=None):
    version = edits.version_of(session, contact) if version is None else version
    return verb(session, contact.id, version=version, actor=actor, student_id=student.id, now=now)


def mark(session, contact, student, actor, **values):
    return act(mark_wrong_person, session, contact, student, actor, **values)


def verify(session, contact, student, actor, **values):
    return act(verify_number, session, contact, student, actor, **values)


def shown(session, contact):
    """Return (sms_status, opted_out), as a sender in the same database reads them."""
    adult = effective_contacts.c
    session.flush()
    return tuple(session.execute(select(adult.sms_status, adult.opted_out).where(adult.contact_id == contact.id)).one())


def test_every_contact_with_the_number_is_listed_and_not_texted(session, dana, sam, maria, lee):
    assert mark(session, maria, sam, dana) == NUMBER
    assert messages.the_list(session) == {maria.id: "wrong_person", lee.id: "wrong_person"}
    assert shown(session, lee) == ("wrong_person", True)


@pytest.mark.parametrize("outcome", ["delivered", "blocked", "inactive"])
def test_no_receipt_overrides_it(session, dana, sam, maria, outcome):
    mark(session, maria, sam, dana)
    messages.send(session, {maria: outcome}, now=LATER)
    assert messages.the_list(session) == {maria.id: "wrong_person"}
    assert shown(session, maria) == ("wrong_person", True)


def test_verified_number_has_the_status_of_its_deliveries(session, dana, sam, maria, lee):
    mark(session, maria, sam, dana)
    messages.send(session, {maria: "landline"}, now=LATER)
    assert verify(session, maria, sam, dana, now=LATER) == NUMBER
    assert messages.the_list(session) == {maria.id: "landline", lee.id: "landline"}
    assert shown(session, maria) == ("landline", False)


def test_verified_number_without_a_problem_leaves_the_list(session, dana, sam, maria):
    mark(session, maria, sam, dana)
    verify(session, maria, sam, dana)
    assert messages.the_list(session) == {}


def test_start_lifts_only_the_opt_out(session, dana, sam, maria):
    apply_opt_out(session, NUMBER, by="twilio", now=NOW)
    mark(session, maria, sam, dana)
    assert shown(session, maria) == ("opt_out", True)
    apply_opt_in(session, NUMBER, now=LATER)
    assert shown(session, maria) == ("wrong_person", True)
    assert messages.the_list(session) == {maria.id: "wrong_person"}


def test_verifying_lifts_only_the_wrong_person(session, dana, sam, maria):
    mark(session, maria, sam, dana)
    apply_opt_out(session, NUMBER, by="twilio", now=NOW)
    assert messages.the_list(session) == {maria.id: "opt_out"}
    verify(session, maria, sam, dana)
    assert shown(session, maria) == ("opt_out", True)
    assert messages.the_list(session) == {maria.id: "opt_out"}


def test_each_contact_with_the_number_has_it_in_the_history(session, dana, sam, maria, lee):
    mark(session, maria, sam, dana)
    verify(session, maria, sam, dana)
    rows = session.execute(select(Audit.subject_id, Audit.action, Audit.after).order_by(Audit.id)).all()
    both = sorted([maria.id, lee.id])
    actions = ["wrong_person.recorded", "wrong_person.lifted"]
    assert rows == [(contact, action, "••• 0142") for action in actions for contact in both]


def test_second_press_changes_nothing(session, dana, sam, maria):
    version = edits.version_of(session, maria)
    for _ in range(2):
        assert mark(session, maria, sam, dana, version=version) == NUMBER
    assert len(session.scalars(select(Audit)).all()) == 1
    assert len(session.scalars(select(WrongPersonNotice)).all()) == 1


def test_colleague_who_records_it_second_reads_that_it_is_done(session, district, dana, sam, maria):
    clara = people.actor_of(district.clara, level=AccessLevel.SCHOOLS, at=[district.lincoln])
    version = edits.version_of(session, maria)
    mark(session, maria, sam, dana, version=version)
    with refused("contact.version_conflict"):
        mark(session, maria, sam, clara, version=version)
    with refused("wrong_person.recorded"):
        mark(session, maria, sam, clara)


def test_typed_number_that_is_parked_elsewhere_tells_nothing(session, dana, sam, maria):
    mark(session, maria, sam, dana)
    otto = people.contact(session, people.student(session, "Una"), given="Otto")
    edits.change(session, otto, phone=NUMBER, actor=dana, now=LATER)
    assert shown(session, otto) == (None, True)
    assert otto.id not in messages.the_list(session)


@pytest.mark.parametrize("status", ["opt_out", "wrong_person", None])
def test_typed_number_is_not_recorded_before_a_message_went_there(session, dana, sam, lee, status):
    if status == "opt_out":
        apply_opt_out(session, NUMBER, by="twilio", now=NOW)
    elif status:
        park_numbers(session, {NUMBER: NOW}, by="twilio", now=NOW)
    otto = people.contact(session, sam, given="Otto")
    edits.change(session, otto, phone=NUMBER, actor=dana, now=LATER)
    with refused("wrong_person.not_texted"):
        mark(session, otto, sam, dana)
    assert shown(session, otto) == (None, bool(status))


def test_typed_number_is_listed_after_the_message_that_left_it_out(session, district, dana, sam, maria):
    mark(session, maria, sam, dana)
    otto = people.contact(session, sam, given="Otto")
    edits.change(session, otto, phone=NUMBER, actor=dana)
    messages.send(session, {people.contact(session, sam): "delivered"}, now=LATER)
    assert messages.the_list(session)[otto.id] == "wrong_person"


@pytest.mark.parametrize("method", ["text", "call"])
def test_contact_cannot_be_reached_at_a_parked_number(session, dana, sam, maria, method):
    mark(session, maria, sam, dana)
    maria.sis_method = "email"
    maria.email = "maria@home.example"
    with refused("contact.wrong_person" if method == "text" else "contact.inactive"):
        edits.change(session, maria, method=method, actor=dana)


def test_reassigned_number_is_parked_and_audited_once(session, dana, sam, maria):
    report = ReassignedNumber("twilio", NUMBER, NOW)
    assert record_reassigned(session, report, now=LATER)
    assert not record_reassigned(session, report, now=LATER)
    assert messages.the_list(session) == {maria.id: "wrong_person"}
    assert [(row.actor, row.action) for row in session.scalars(select(Audit))] == [("twilio", "wrong_person.reported")]


def test_number_that_staff_verified_since_stays(session, dana, sam, maria):
    mark(session, maria, sam, dana)
    verify(session, maria, sam, dana, now=LATER)
    assert not record_reassigned(session, ReassignedNumber("twilio", NUMBER, NOW), now=LATER)
    assert messages.the_list(session) == {}


def test_number_that_staff_typed_since_stays(session, dana, sam):
    maria = people.contact(session, sam)
    edits.change(session, maria, phone=NUMBER, actor=dana, now=LATER)
    assert not record_reassigned(session, ReassignedNumber("twilio", NUMBER, NOW), now=LATER)
    assert shown(session, maria) == (None, False)


def test_teacher_of_other_students_may_not_record_it(session, district, sam, maria):
    tom = people.actor_of(district.tom)
    with refused("access.no_contact"):
        mark(session, maria, sam, tom)
