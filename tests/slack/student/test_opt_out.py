"""A verbal opt-out, recorded by staff: it counts at once, for the number, and only the contact can lift it."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from support import edits, people, screens
from support import mass_messages as messages
from support.snapshots import draw
from support.surfaces import clerk

from bot.contact_edits.undo import undo_edit
from bot.db.models.edits import Audit
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.db.models.roster import Contact
from bot.mass_messages.opt_outs import apply_opt_out
from bot.mass_messages.receipts import record_receipts
from bot.providers.receipt import OptOutMessage
from bot.sandbox.slack.models import text_of

NUMBER = "+13125550142"
UNCHANGED = ["turned_off", "turned_off"]


@pytest.fixture
def maria(session, office):
    """Sam's mother shares her number with another contact of Sam, Otto."""
    sam = people.student(session, at=office.district.lincoln)
    maria = people.contact(session, sam, phone=NUMBER)
    people.contact(session, sam, given="Otto", priority=2, phone=NUMBER)
    messages.send(session, {maria: "turned_off"}, now=people.NOW)
    session.commit()
    return maria


def open_dialog(person, contact):
    message = person.command("/cleanup", "grade 5").message
    screens.open_student(person, message)
    assert screens.choose_more(person, "contact.spoken_stop", contact.id).ok
    return message


def record(person, **values):
    return person.fill(person.view, values).submit()


def statuses(session):
    session.expire_all()
    return session.scalars(select(ListEntry.status).order_by(ListEntry.contact_id)).all()


def test_dialog_says_who_is_affected_and_that_it_is_final(office, maria, snapshot):
    open_dialog(office.clara, maria)
    assert draw(office.clara.view) == snapshot


def test_verbal_opt_out_lists_everyone_with_the_number_at_once(office, session, maria, snapshot):
    message = open_dialog(office.clara, maria)
    assert record(office.clara).ok
    assert statuses(session) == ["opt_out", "opt_out"]
    assert "Told us to stop" not in screens.menu_choices(office.clara.view)
    assert draw(office.clara.view) == snapshot
    assert "Opt-Out" in text_of(office.clara.current(message))


def test_contact_texted_again_at_an_opted_out_number_is_listed(office, session, maria):
    otto = session.scalar(select(Contact).where(Contact.id != maria.id))
    edit_id = edits.change(session, otto, method="call", actor=clerk(office)).edit_ids[0]
    apply_opt_out(session, NUMBER, by="twilio", now=people.NOW)
    session.commit()
    assert statuses(session) == ["opt_out", "turned_off"]
    undo_edit(session, edit_id, actor=clerk(office), now=people.NOW)
    session.commit()
    assert statuses(session) == ["opt_out", "opt_out"]


def test_recorded_opt_out_names_the_colleague_in_the_edit_dialog(office, maria):
    open_dialog(office.clara, maria)
    record(office.clara)
    assert office.clara.press(office.clara.view, action_id="contact.edit", value=str(maria.id)).ok
    assert f"Recorded by <@{office.clara.id}> on " in text_of(office.clara.view)


def test_contact_who_gets_calls_since_names_the_colleague_too(office, session, maria):
    message = open_dialog(office.clara, maria)
    record(office.clara)
    session.execute(update(Contact).values(sis_method="call"))
    session.commit()
    office.clara.close()
    screens.open_student(office.clara, office.clara.current(message))
    text = text_of(office.clara.view)
    assert f"Recorded by <@{office.clara.id}>" in text
    assert "_Gets autocalls now, no texts._" in text


def test_texted_opt_out_names_no_colleague(office, session, maria):
    apply_opt_out(session, NUMBER, by="twilio", now=people.NOW)
    session.commit()
    message = office.clara.command("/cleanup", "grade 5").message
    screens.open_student(office.clara, message)
    assert "Opt-Out" in text_of(office.clara.view)
    assert "Recorded by" not in text_of(office.clara.view)


def test_history_of_each_contact_with_the_number_has_the_opt_out(office, session, maria):
    open_dialog(office.clara, maria)
    record(office.clara)
    rows = session.scalars(select(Audit).where(Audit.action == "opt_out.recorded")).all()
    assert {(row.actor, row.after) for row in rows} == {(office.clara.id, "••• 0142")}
    assert len(rows) == 2
    assert session.get(PhoneNumber, NUMBER).opted_out_by == office.clara.id


def test_history_has_the_day_on_which_they_said_so(office, session, maria):
    open_dialog(office.clara, maria)
    day = (office.now().date() - timedelta(days=3)).isoformat()
    record(office.clara, said_on=day)
    (reason,) = set(session.scalars(select(Audit.reason).where(Audit.action == "opt_out.recorded")))
    assert reason == f"said on {day}"


@pytest.mark.parametrize(("days", "reason"), [(2, "future"), (-400, "more than a year ago")])
def test_impossible_day_is_refused_under_its_field(office, session, maria, days, reason):
    open_dialog(office.clara, maria)
    day = office.now().date() + timedelta(days=days)
    outcome = record(office.clara, said_on=day.isoformat())
    assert set(outcome.errors) == {"said_on"}
    assert reason in outcome.errors["said_on"]
    assert statuses(session) == UNCHANGED


def test_start_after_that_day_outranks_the_opt_out(office, session, maria):
    start = OptOutMessage("twilio", "SM9:inbound", NUMBER, opted_out=False)
    record_receipts(session, [start], now=office.now())
    session.commit()
    open_dialog(office.clara, maria)
    day = (office.now() - timedelta(days=3)).date()
    outcome = record(office.clara, said_on=day.isoformat())
    assert set(outcome.errors) == {"said_on"}
    assert "START" in outcome.errors["said_on"]
    assert statuses(session) == UNCHANGED


def test_second_person_to_record_it_gets_an_error(office, maria):
    for person in (office.clara, office.dana):
        open_dialog(person, maria)
    assert record(office.dana).ok
    assert set(record(office.clara).errors) == {"said_on"}


def test_start_from_the_contact_lifts_it(office, session, maria):
    open_dialog(office.clara, maria)
    record(office.clara)
    start = OptOutMessage("twilio", "SM9:inbound", NUMBER, opted_out=False)
    record_receipts(session, [start], now=office.now() + timedelta(days=1))
    session.commit()
    assert statuses(session) == UNCHANGED
