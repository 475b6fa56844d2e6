"""A whole day of work is played once, then everything that was sent, stored, or logged is searched.

Names are only where one person reads them, full numbers only in the edit dialog, and neither anywhere else.
"""

import json
import logging
import re

import pytest
from sqlalchemy import select, text
from support import leaks, people, screens
from support import mass_messages as messages

from bot.db.models.edits import Audit
from bot.db.models.roster import Contact
from bot.sandbox.slack.faults import Fault

NAMES = ["Zebedee", "Quillfeather", "Marigold", "Ottoline", "Ravenscroft", "Peregrine"]
BLOCKED, FINE, TYPED, INCOMPLETE = "+13125557342", "+13125557343", "(312) 555-7345", "555-7346"
NUMBERS = [*(part for end in range(7342, 7347) for part in (f"312555{end}", f"555-{end}")), "312.555", "312-555"]
MASKED = ["•••"]
# Methods whose content one person reads.
ONE_READER = {"views.open", "views.push", "views.update", "views.publish", "response_url"}


@pytest.fixture
def family(session, office):
    """Zebedee and Peregrine at Lincoln, children of Marigold, whose number is blocked; Ottoline can be texted."""
    zebedee, peregrine = (
        people.student(session, name, "Quillfeather", at=office.district.lincoln) for name in ("Zebedee", "Peregrine")
    )
    people.school_class(session, office.district.ana, office.district.lincoln, zebedee)
    marigold = people.contact(session, zebedee, peregrine, given="Marigold", family="Quillfeather", phone=BLOCKED)
    people.contact(session, zebedee, given="Ottoline", family="Ravenscroft", phone=FINE, priority=2)
    people.list_contact(session, marigold)
    session.commit()
    return zebedee, marigold


@pytest.fixture
def day(office, session, family, caplog, every_group_counts):
    """Subscribe, list, edit, mistype, save, conflict, undo, remove, bring back, a mass message, digest, Home, failures."""
    for library in ("slack_bolt", "slack_sdk", "apscheduler", "uvicorn"):
        caplog.set_level(logging.INFO, logger=library)
    caplog.set_level(logging.DEBUG, logger="bot")  # Last, because it also sets the level of the handler.
    clara, ana = office.clara, office.ana
    clara.command("/cleanup", "subscribe", channel=office.channel)
    message = clara.command("/cleanup", "grade 5 blocked", channel=office.channel).message
    clara.choose(message, "All red", action_id="list.show.status")
    _fix(clara, clara.current(message), family)
    _save_over_a_colleague(clara, ana, family)
    clara.press(clara.view, block_id="student.done", action_id="edit.undo")
    _remove(clara, family)
    clara.press(clara.view, block_id="student.done", action_id="removal.undo")
    clara.close(everything=True)
    _send_mass_message(office, session, family[1])
    ana.press(ana.last(office.channel), action_id="digest.show_mine")
    clara.open_home()
    _fail(office, clara, family)
    return office


def _fix(person, message, family):
    screens.open_student(person, message)
    assert person.press(person.view, action_id="contact.edit", value=str(family[1].id)).ok
    assert person.fill(person.view, {"phone": INCOMPLETE}).submit().errors
    assert person.fill(person.view, {"phone": TYPED}).submit().ok


def _save_over_a_colleague(person, colleague, family):
    """Both have the dialog open; the colleague saves first, and the person saves over it."""
    person.press(person.view, action_id="contact.edit", value=str(family[1].id))
    message = colleague.command("/cleanup").message
    screens.open_student(colleague, message)
    colleague.press(colleague.view, action_id="contact.edit", value=str(family[1].id))
    assert colleague.fill(colleague.view, {"phone": "312.555.7344"}).submit().ok
    person.fill(person.view, {"phone": "312-555-7346"}).submit()
    assert "changed this contact while you were editing" in str(person.view.blocks)
    assert person.fill(person.view, {}).submit().ok


def _remove(person, family):
    screens.choose_more(person, "contact.remove", family[1].id)
    assert person.fill(person.view, {"reason": "wrong_person", "scope": "all"}).submit().ok


def _send_mass_message(office, session, marigold):
    ottoline = session.scalars(select(Contact).where(Contact.given_name == "Ottoline")).one()
    office.advance(minutes=1)
    messages.send(session, {marigold: "blocked", ottoline: "inactive"}, now=office.now(), settled=False)
    session.commit()
    assert office.tick().failed == ()


def _fail(office, person, family):
    """Cause an error of Slack, and one of the database whose message repeats the row with the number; both are logged."""
    message = person.command("/cleanup", "red").message
    value = screens.row_value(message, family[0].id)
    office.slack.faults.inject("views.open", Fault.INTERNAL_ERROR)
    person.press(message, action_id="student.open", value=value)
    screens.open_student(person, message, value=value)
    person.press(person.view, action_id="contact.edit", value=str(family[1].id))
    _execute(office, "ALTER TABLE edits ADD CONSTRAINT broken CHECK (false) NOT VALID")
    outcome = person.fill(person.view, {"phone": TYPED}).submit()
    _execute(office, "ALTER TABLE edits DROP CONSTRAINT broken")
    assert "report reference" in outcome.errors["phone"]


def _execute(office, statement):
    with office.engine.begin() as connection:
        connection.execute(text(statement))


def as_text(content):
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def private_in(content, *, also=()):
    """Return the names and numbers, and those of `also`, that occur in some content."""
    return [word for word in (*NAMES, *NUMBERS, *also) if word in as_text(content)]


def acknowledgements(office):
    return [json.loads(response.body) for response in office.slack.responses if response.body.strip()]


def everything_sent(office):
    return [*(leaks.decoded(call) for call in office.slack.calls), *acknowledgements(office)]


def channel_messages(office):
    """Return what the bot posted where several people read."""
    own_chats = _own_chats(office)
    return [
        message
        for message in office.slack.messages.values()
        if message.by_app and not message.ephemeral_for and message.channel not in own_chats
    ]


def _own_chats(office):
    """Return the ids under which a post reaches the direct messages of one person."""
    return {chat for person in office.people.values() for chat in (person.id, person.dm)}


def test_day_sends_names_numbers_and_a_digest(day):
    """Without this, the searches below could pass because nothing was sent."""
    sent = as_text(everything_sent(day))
    assert {"Marigold", "•••", "555-7345"} <= set(private_in(sent, also=MASKED))
    assert "delivered" in "".join(message.text for message in channel_messages(day))


def test_channels_get_counts_and_not_even_masked_numbers(day):
    for message in channel_messages(day):
        assert private_in([message.text, message.blocks, message.metadata], also=MASKED) == []
    for call in day.slack.calls:
        if call.method not in ONE_READER and str(call.arguments.get("channel", "")) not in _own_chats(day):
            assert private_in(leaks.decoded(call), also=MASKED) == [], call.method


def test_names_go_to_one_reader_only(day):
    for call in day.slack.calls:
        if call.method == "response_url" and private_in(leaks.decoded(call)):
            assert call.arguments["response_type"] == "ephemeral"
    for response in acknowledgements(day):
        if private_in(response):
            assert response.get("response_type") == "ephemeral" or "response_action" in response


def test_whole_numbers_are_in_the_edit_dialog_only(day):
    numbers = re.compile("|".join(map(re.escape, NUMBERS)))
    for sent in everything_sent(day):
        if numbers.search(as_text(sent)):
            assert sent["view"]["callback_id"] == "contact.save"


def test_ids_metadata_and_button_values_hold_no_personal_data(day):
    keys = {"private_metadata", "block_id", "action_id", "callback_id", "external_id", "value", "metadata"}
    sent = everything_sent(day)
    assert private_in(list(leaks.values_under(sent, keys)), also=MASKED) == []
    used = {key for key in keys if list(leaks.values_under(sent, {key}))}
    assert {"private_metadata", "block_id", "action_id", "value", "metadata"} <= used


def test_no_file_is_uploaded(day):
    assert day.slack.files == {}


def test_no_name_or_number_is_logged(day, caplog):
    lines = [caplog.handler.format(record) for record in caplog.get_records("setup")]
    assert any("reference" in line for line in lines)
    assert [line for line in lines if private_in(line, also=MASKED)] == []


def test_audit_holds_masked_numbers_and_no_name(day, session):
    session.rollback()
    rows = [str(tuple(row)) for row in session.execute(select(Audit.__table__))]
    assert any("•••" in row for row in rows)
    assert [row for row in rows if private_in(row)] == []
