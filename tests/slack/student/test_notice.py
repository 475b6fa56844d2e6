"""Where an edit goes, as people read it after *Save*: to the next message, or to the SIS by hand."""

import pytest
from sqlalchemy import select
from support import people, screens
from support.snapshots import normalized

from bot.db.models.edits import Audit, TriedNumber
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.sandbox.slack.errors import NotOnScreen
from bot.sandbox.slack.models import text_of

READS = [{"messenger_reads_edits": True, "sis_name": "PowerSchool"}]
DOES_NOT_READ = [{"sis_name": "PowerSchool"}]


@pytest.fixture
def sam(session, office):
    sam = people.student(session, at=office.district.lincoln)
    people.list_contact(session, people.contact(session, sam, phone="+13125550142"), "landline")
    session.commit()
    return sam


def save(person, **values):
    """Save in the form that the list opens, and return the list with the line."""
    message = person.command("/cleanup", "grade 5").message
    assert person.press(message, action_id="student.open").ok
    assert person.fill(person.view, values).submit().ok
    return person.current(message)


def line(place):
    return normalized(place.blocks[0]["text"]["text"])


@pytest.mark.parametrize("settings_changed", DOES_NOT_READ)
@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"phone": "312.555.0199"}, "*Until PowerSchool has it, texts still go to ••• 0142.*"),
        ({"phone": "(773) 555-0142"}, "*Until PowerSchool has it, texts still go to the old number.*"),
        ({"method": "call"}, "*Until PowerSchool has it, texts still go to ••• 0142.*"),
        ({"phone": ""}, "*Until PowerSchool has it, texts still go to ••• 0142.*"),
    ],
)
def test_edit_that_the_messenger_does_not_read_says_where_texts_go(office, sam, values, said):
    redrawn = save(office.clara, **values)
    assert said in line(redrawn)
    assert "from now on" not in line(redrawn)
    assert ("contact.copy_number" in screens.action_ids(redrawn)) is bool(values.get("phone"))


@pytest.mark.parametrize("settings_changed", DOES_NOT_READ)
@pytest.mark.parametrize(
    ("proved_at", "said"), [(people.NOW, "texts still go to ••• 0142"), (None, "the next message does not use it")]
)
def test_number_of_the_wrong_person_is_texted_where_it_was_proved(office, session, sam, proved_at, said):
    number = session.get(PhoneNumber, "+13125550142")
    number.wrong_person_at = people.NOW
    contact_id = session.scalars(select(ListEntry.contact_id)).one()
    session.add(TriedNumber(contact_id=contact_id, phone=number.phone, proved_at=proved_at))
    session.commit()
    assert said in line(save(office.clara, phone="312.555.0199"))


@pytest.mark.parametrize("settings_changed", DOES_NOT_READ)
def test_first_number_says_that_the_next_message_does_not_use_it(office, session, sam):
    kim = people.student(session, "Kim", grade="6", at=office.district.lincoln)
    people.list_contact(session, people.contact(session, kim, phone=None), "no_number")
    session.commit()
    message = office.clara.command("/cleanup", "kim").message
    assert office.clara.press(message, action_id="student.open").ok
    assert office.clara.fill(office.clara.view, {"phone": "312.555.0199"}).submit().ok
    assert "the next message does not use it" in line(office.clara.current(message))


@pytest.mark.parametrize("settings_changed", READS)
def test_edit_that_the_messenger_reads_is_used_by_the_next_message(office, sam):
    redrawn = save(office.clara, phone="312.555.0199")
    assert "The next message will use it." in line(redrawn)
    assert "PowerSchool" not in line(redrawn)
    assert screens.action_ids(redrawn).isdisjoint({"contact.copy_number"})
    assert "Pending changes" not in screens.labels(redrawn)


@pytest.mark.parametrize("settings_changed", DOES_NOT_READ)
def test_value_of_the_sis_typed_again_goes_nowhere(office, sam):
    save(office.clara, phone="312.555.0199")
    message = office.clara.last()
    screens.open_student(office.clara, message)
    assert office.clara.press(office.clara.view, action_id="contact.edit").ok
    assert office.clara.fill(office.clara.view, {"phone": "312.555.0142"}).submit().ok
    assert "Until" not in line(office.clara.view)


def test_number_can_be_copied_and_that_is_recorded(office, session, sam):
    redrawn = save(office.clara, phone="312.555.0199")
    before = len(session.scalars(select(Audit.id)).all())
    assert office.clara.press(redrawn, action_id="contact.copy_number").ok
    assert office.clara.view.blocks[0]["element"]["initial_value"] == "(312) 555-0199"
    session.rollback()
    assert session.scalars(select(Audit.action).order_by(Audit.id)).all()[before:] == ["phone.shown"]
    assert office.clara.fill(office.clara.view, {}).submit().ok
    assert office.clara.views == []


def test_pending_changes_are_one_press_away(office, sam):
    redrawn = save(office.clara, phone="312.555.0199")
    assert office.clara.press(redrawn, text="Pending changes").ok
    assert "••• 0142 → ••• 0199" in text_of(office.clara.current(redrawn)).replace("\u00a0", " ")


def test_switch_to_autocall_says_where_texts_go(office, session, sam):
    screens.open_student(office.clara, office.clara.command("/cleanup", "grade 5").message)
    assert office.clara.press(office.clara.view, action_id="method.switch_to_call").ok
    assert "Until the student information system has it, texts still go to" in line(office.clara.view)
    with pytest.raises(NotOnScreen):
        office.clara.press(office.clara.view, action_id="contact.copy_number")


@pytest.mark.parametrize("settings_changed", DOES_NOT_READ)
def test_no_text_goes_to_an_old_number_that_opted_out(office, session, sam):
    number = session.get_one(PhoneNumber, "+13125550142")
    number.opted_out_at, number.opted_out_by, number.status = people.NOW, "twilio", "opt_out"
    session.commit()
    assert "the next message does not use it" in line(save(office.clara, phone="312.555.0199"))
