"""What leaves the bot: the whole path is played once, and then everything that was sent, kept or logged is searched.

Names stand only where one person reads them, whole numbers only in the edit dialog, neither in anything else.
"""

import json
import logging
import re

import pytest
from sqlalchemy import select, text
from support import mass_messages as messages
from support import people
from support.leaks import opened, values_of

from bot.db.models.edits import Audit
from bot.db.models.roster import Contact
from bot.sandbox.slack.faults import Fault

NAMES = ["Zebedee", "Quillfeather", "Marigold", "Ottoline", "Ravenscroft", "Peregrine"]
BLOCKED, FINE, TYPED, WRONG = "+13125557342", "+13125557343", "(312) 555-7345", "555-7346"
NUMBERS = [*(written for end in range(7342, 7347) for written in (f"312555{end}", f"555-{end}")), "312.555", "312-555"]
MASKED = ["•••"]
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
    people.listed(session, marigold)
    session.commit()
    return zebedee, marigold


@pytest.fixture
def played(office, session, family, caplog):
    """The whole path: subscribe, list, fix, mistype, save, lose a race, undo, remove, bring back, settle, digest, Home."""
    for library in ("slack_bolt", "slack_sdk", "apscheduler", "uvicorn"):
        caplog.set_level(logging.INFO, logger=library)
    caplog.set_level(logging.DEBUG, logger="bot")  # Last, because it also lets the handler hear that much.
    clara, ana = office.clara, office.ana
    clara.command("/cleanup", "subscribe", channel=office.channel)
    message = clara.command("/cleanup", "grade 5 blocked", channel=office.channel).message
    clara.choose(message, "All red", action_id="list.show.status")
    _fix(clara, clara.again(message), family)
    _race(clara, ana, family)
    clara.press(clara.view, action_id="edit.undo")
    _remove(clara, family)
    clara.press(clara.view, action_id="removal.undo")
    clara.close(everything=True)
    office.settled()
    _mass_message(office, session, family[1])
    ana.press(_digest(office), action_id="digest.show_mine")
    clara.open_home()
    _goes_wrong(office, clara, family)
    office.settled()
    return office


def _fix(person, message, family):
    assert person.press(message, action_id="student.open", value=_value_of(message, family[0])).ok
    assert person.press(person.view, action_id="contact.edit", value=str(family[1].id)).ok
    assert person.fill(person.view, {"phone": WRONG}).submit().errors
    assert person.fill(person.view, {"phone": TYPED}).submit().ok


def _value_of(message, student):
    values = [block.get("accessory", {}).get("value", "") for block in message.blocks]
    return next(value for value in values if value.startswith(f"{student.id} "))


def _race(person, other, family):
    """Both have the dialog open; the other is faster, and the person saves all the same."""
    person.press(person.view, action_id="contact.edit", value=str(family[1].id))
    seen = other.command("/cleanup").message
    other.press(seen, action_id="student.open", value=_value_of(seen, family[0]))
    other.press(other.view, action_id="contact.edit", value=str(family[1].id))
    assert other.fill(other.view, {"phone": "312.555.7344"}).submit().ok
    person.fill(person.view, {"phone": "312-555-7346"}).submit()
    assert "changed this contact while you were editing" in str(person.view.blocks)
    assert person.fill(person.view, {}).submit().ok


def _remove(person, family):
    person.press(person.view, action_id="contact.remove", value=str(family[1].id))
    assert person.fill(person.view, {"reason": "wrong_person", "scope": "all"}).submit().ok


def _mass_message(office, session, marigold):
    ottoline = session.scalars(select(Contact).where(Contact.given_name == "Ottoline")).one()
    office.later(minutes=1)
    messages.sent(session, {marigold: "blocked", ottoline: "inactive"}, now=office.now(), settled=False)
    session.commit()
    assert office.tick().failed == ()


def _digest(office):
    return office.ana.last(office.channel)


def _goes_wrong(office, person, family):
    """A fault of Slack's and one of the database, whose message repeats the row with the number; both are logged."""
    message = person.command("/cleanup", "red").message
    office.slack.faults.order("views.open", Fault.INTERNAL_ERROR)
    person.press(message, action_id="student.open", value=_value_of(message, family[0]))
    person.press(message, action_id="student.open", value=_value_of(message, family[0]))
    person.press(person.view, action_id="contact.edit", value=str(family[1].id))
    _alter(office, "ALTER TABLE edits ADD CONSTRAINT broken CHECK (false) NOT VALID")
    broken = person.fill(person.view, {"phone": TYPED}).submit()
    _alter(office, "ALTER TABLE edits DROP CONSTRAINT broken")
    assert "report reference" in broken.errors["phone"]


def _alter(office, statement):
    with office.engine.begin() as connection:
        connection.execute(text(statement))


def words_of(content):
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def private_in(content, *, also=()):
    """The names and numbers (and what else is asked for) that stand in some content."""
    return [one for one in (*NAMES, *NUMBERS, *also) if one in words_of(content)]


def answers(office):
    """What the acknowledgements said, and whether only one person saw it: a dialog, or an ephemeral message."""
    return [json.loads(one.body) for one in office.slack.answers if one.body.strip()]


def everything_sent(office):
    return [*(opened(call) for call in office.slack.calls), *answers(office)]


def test_the_path_that_is_searched_shows_names_numbers_and_a_digest(played):
    """So that the searches below cannot pass because nothing was sent."""
    sent = words_of(everything_sent(played))
    assert {"Marigold", "•••", "555-7345"} <= set(private_in(sent, also=MASKED))
    assert "delivered" in "".join(one.text for one in in_channels(played))


def test_channels_read_counts_and_no_name_or_number_not_even_masked(played):
    for message in in_channels(played):
        assert private_in([message.text, message.blocks, message.metadata], also=MASKED) == []
    for call in played.slack.calls:
        if call.method not in ONE_READER and str(call.arguments.get("channel", "")) not in _own(played):
            assert private_in(opened(call), also=MASKED) == [], call.method


def in_channels(office):
    """What the bot said where others read along."""
    own = _own(office)
    return [
        one for one in office.slack.messages.values() if one.by_app and not one.ephemeral_for and one.channel not in own
    ]


def _own(office):
    """The conversations of one person with the bot, as a post may name them."""
    return {place for person in office.who.values() for place in (person.id, person.dm)}


def test_names_go_to_one_reader_only(played):
    for call in played.slack.calls:
        if call.method == "response_url" and private_in(opened(call)):
            assert call.arguments["response_type"] == "ephemeral"
    for answer in answers(played):
        if private_in(answer):
            assert answer.get("response_type") == "ephemeral" or "response_action" in answer


def test_whole_numbers_stand_in_the_edit_dialog_only(played):
    numbers = re.compile("|".join(re.escape(one) for one in NUMBERS))
    for sent in everything_sent(played):
        if numbers.search(words_of(sent)):
            assert sent["view"]["callback_id"] == "contact.save"


def test_ids_metadata_and_values_of_buttons_hold_ids_versions_and_filters(played):
    keys = {"private_metadata", "block_id", "action_id", "callback_id", "external_id", "value", "metadata"}
    sent = everything_sent(played)
    assert private_in(list(values_of(sent, keys)), also=MASKED) == []
    assert {"private_metadata", "block_id", "action_id", "value", "metadata"} <= {
        key for key in keys if list(values_of(sent, {key}))
    }


def test_nothing_is_uploaded(played):
    assert played.slack.files == {}


def test_no_name_or_number_gets_into_a_log(played, caplog):
    lines = [caplog.handler.format(one) for one in caplog.get_records("setup")]
    assert any("reference" in line for line in lines)
    assert [line for line in lines if private_in(line, also=MASKED)] == []


def test_the_audit_holds_masked_numbers_and_no_name(played, session):
    session.rollback()
    rows = [str(tuple(row)) for row in session.execute(select(Audit.__table__))]
    assert any("•••" in row for row in rows)
    assert [row for row in rows if private_in(row)] == []
