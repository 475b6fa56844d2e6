"""A contact told somebody that they want no texts: it counts at once, for the number, and only the contact ends it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from support import edits, people
from support import mass_messages as messages

from bot.access import Reach
from bot.contact_edits.undo import undo_edit
from bot.db.models.edits import Audit
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.db.models.roster import Contact
from bot.mass_messages.opt_outs import apply_opt_out
from bot.mass_messages.receipts import record_receipts
from bot.providers.receipt import OptOutMessage
from bot.sandbox.slack.reading import text_of

NUMBER = "+13125550142"


@pytest.fixture
def maria(session, office):
    """Sam's mother, whose number another contact of Sam's has, too."""
    sam = people.student(session, at=office.district.lincoln)
    maria = people.contact(session, sam, phone=NUMBER)
    people.contact(session, sam, given="Otto", priority=2, phone=NUMBER)
    messages.sent(session, {maria: "turned_off"}, now=people.NOW)
    session.commit()
    return maria


def ask(person, contact):
    message = person.command("/cleanup", "grade 5").message
    assert person.press(message, action_id="student.open").ok
    assert person.press(person.view, action_id="contact.spoken_stop", value=str(contact.id)).ok
    return message


def statuses(session):
    session.expire_all()
    return session.scalars(select(ListEntry.status).order_by(ListEntry.contact_id)).all()


def test_the_dialog_says_whom_it_touches_and_that_nobody_here_takes_it_back(office, maria):
    ask(office.clara, maria)
    said = text_of(office.clara.view)
    assert "*Maria Rivera* · ••• 0142 gets no more texts" in said
    assert "*Nobody here can take that back.*" in said
    assert "The same number is used by Otto Rivera" in said


def test_a_spoken_stop_lists_everyone_with_that_number_at_once(office, session, maria):
    message = ask(office.clara, maria)
    assert office.clara.fill(office.clara.view, {}).submit().ok
    assert statuses(session) == ["opt_out", "opt_out"]
    said = text_of(office.clara.view)
    assert "Recorded: no more texts to ••• 0142." in said
    assert "Told us to stop" not in said
    office.settled()
    assert "Opt-Out" in text_of(office.clara.again(message))


def test_whoever_is_texted_again_after_a_stop_to_the_same_number_stands_as_opted_out(office, session, maria):
    otto = session.scalar(select(Contact).where(Contact.id != maria.id))
    clara = replace(
        people.acting(office.district.clara, reach=Reach.SCHOOLS, at=(office.district.lincoln,)),
        user_id=office.clara.id,
    )
    made = edits.change(session, otto, method="call", actor=clara).edit_ids[0]
    apply_opt_out(session, NUMBER, by="twilio", now=people.NOW)
    session.commit()
    assert statuses(session) == ["opt_out", "turned_off"]
    undo_edit(session, made, actor=clara, now=people.NOW)
    session.commit()
    assert statuses(session) == ["opt_out", "opt_out"]


def test_a_stop_that_staff_recorded_is_told_as_such_and_not_as_a_text(office, session, maria):
    ask(office.clara, maria)
    office.clara.fill(office.clara.view, {}).submit()
    recorded = f"Recorded by <@{office.clara.id}> on "
    assert recorded in text_of(office.clara.view)
    assert "The contact said STOP" in text_of(office.clara.view)
    assert office.clara.press(office.clara.view, action_id="contact.edit", value=str(maria.id)).ok
    assert recorded in text_of(office.clara.view)
    assert "texted STOP" not in text_of(office.clara.view)


def test_who_recorded_it_is_told_of_a_contact_who_gets_calls_since(office, session, maria):
    message = ask(office.clara, maria)
    office.clara.fill(office.clara.view, {}).submit()
    session.execute(Contact.__table__.update().values(sis_method="call"))
    session.commit()
    office.clara.close()
    office.clara.press(office.clara.again(message), action_id="student.open")
    said = text_of(office.clara.view)
    assert f"Recorded by <@{office.clara.id}>" in said
    assert "_Gets autocalls now, no texts._" in said


def test_a_stop_that_was_texted_was_recorded_by_nobody(office, session, maria):
    apply_opt_out(session, NUMBER, by="twilio", now=people.NOW)
    session.commit()
    message = office.clara.command("/cleanup", "grade 5").message
    assert office.clara.press(message, action_id="student.open").ok
    said = text_of(office.clara.view)
    assert "The contact said STOP" in said
    assert "Recorded by" not in said


def test_it_stands_in_the_history_of_each_contact_with_that_number_with_who_recorded_it(office, session, maria):
    ask(office.clara, maria)
    office.clara.fill(office.clara.view, {}).submit()
    rows = session.scalars(select(Audit).where(Audit.action == "opt_out.recorded")).all()
    assert {(row.actor, row.after) for row in rows} == {(office.clara.id, "••• 0142")}
    assert len(rows) == 2
    assert session.get(PhoneNumber, NUMBER).opted_out_by == office.clara.id


def test_the_day_on_which_they_said_so_stands_in_the_history(office, session, maria):
    ask(office.clara, maria)
    day = (office.now().date() - timedelta(days=3)).isoformat()
    office.clara.fill(office.clara.view, {"said_on": day}).submit()
    (reason,) = set(session.scalars(select(Audit.reason).where(Audit.action == "opt_out.recorded")))
    assert reason == f"said on {day}"


def test_a_day_to_come_and_one_long_ago_are_refused_under_the_field(office, session, maria):
    ask(office.clara, maria)
    today = office.now().date()
    for day, why in (
        (today + timedelta(days=2), "still to come"),
        (today - timedelta(days=400), "more than a year ago"),
    ):
        answer = office.clara.fill(office.clara.view, {"said_on": day.isoformat()}).submit()
        assert why in answer.errors["said_on"]
    assert statuses(session) == ["turned_off", "turned_off"]


def test_a_start_that_came_after_that_day_outranks_it(office, session, maria):
    start = OptOutMessage("twilio", "SM9:inbound", NUMBER, opted_out=False)
    record_receipts(session, [start], now=office.now())
    session.commit()
    ask(office.clara, maria)
    day = (office.now() - timedelta(days=3)).date()
    answer = office.clara.fill(office.clara.view, {"said_on": day.isoformat()}).submit()
    assert "texted START since" in answer.errors["said_on"]
    assert statuses(session) == ["turned_off", "turned_off"]


def test_the_second_of_two_who_record_it_is_told(office, session, maria):
    for one in (office.clara, office.dana):
        ask(one, maria)
    assert office.dana.fill(office.dana.view, {}).submit().ok
    assert office.clara.fill(office.clara.view, {}).submit().errors


def test_the_contact_ends_it_with_start(office, session, maria):
    ask(office.clara, maria)
    office.clara.fill(office.clara.view, {}).submit()
    start = OptOutMessage("twilio", "SM9:inbound", NUMBER, opted_out=False)
    record_receipts(session, [start], now=office.now() + timedelta(days=1))
    session.commit()
    assert statuses(session) == ["turned_off", "turned_off"]
