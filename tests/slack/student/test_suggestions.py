"""A newer number of the same adult, from another record of theirs: shown masked, taken with one press, never by itself."""

import pytest
from sqlalchemy import select, text
from support import edits, people, screens
from support.surfaces import clerk

from bot.access.rights import AccessLevel
from bot.db.models import views
from bot.db.models.edits import Edit
from bot.db.models.messages import PhoneNumber
from bot.db.models.roster import Contact, OtherNumber, Student
from bot.sandbox.slack.errors import NotOnScreen
from bot.sandbox.slack.models import text_of

OLD, NEW = "+13125550142", "+13125550177"
SUGGESTION = "suggestion.use"


@pytest.fixture
def family(session, office):
    """Sam of Lincoln and Kai of Roosevelt share José; Maria has a record for each, blocked in the one of Sam."""
    sam = people.student(session, at=office.district.lincoln)
    kai = people.student(session, "Kai", at=office.district.roosevelt)
    maria = people.list_contact(session, people.contact(session, sam, phone=OLD))
    people.contact(session, sam, kai, given="José", priority=2)
    other = people.contact(session, kai, phone=NEW)
    session.commit()
    return maria, other


def open_student(person, name="sam"):
    message = person.command("/cleanup", name).message
    screens.open_student(person, message)
    return person.view


def use_suggestion(person):
    return person.press(person.view, action_id=SUGGESTION)


def phone_of(session, contact):
    session.rollback()
    reach = views.contact_reach.c
    return session.scalar(select(reach.phone).where(reach.contact_id == contact.id))


def test_number_of_another_record_is_masked_and_names_no_other_student(office, family):
    text = text_of(open_student(office.clara))
    assert "Another record of Maria Rivera has ••• 0177" in text
    assert "Kai" not in text
    assert "Roosevelt" not in text


def test_typed_number_of_a_stranger_makes_no_other_record_known(office, session):
    sam = people.student(session, at=office.district.lincoln)
    kai = people.student(session, "Kai", at=office.district.roosevelt)
    people.list_contact(session, people.contact(session, sam, phone=OLD))
    otto = people.contact(session, sam, given="Otto", priority=2)
    people.contact(session, kai, phone=NEW)
    pat = people.contact(session, kai, given="Pat", phone="+13125550199")
    edits.change(session, otto, actor=clerk(office), phone=pat.sis_phone)
    session.commit()
    assert "0177" not in text_of(open_student(office.clara))


def test_suggested_number_becomes_an_edit_that_can_be_undone(office, session, family):
    open_student(office.clara)
    assert phone_of(session, family[0]) == OLD
    use_suggestion(office.clara)
    assert "Saved: Maria Rivera, text, ••• 0177" in text_of(office.clara.view)
    assert phone_of(session, family[0]) == NEW
    with pytest.raises(NotOnScreen):
        use_suggestion(office.clara)
    office.clara.press(office.clara.view, block_id="student.done", action_id="edit.undo")
    assert phone_of(session, family[0]) == OLD


def test_same_email_in_any_case_means_the_same_adult(office, session, family):
    lee = people.student(session, "Lee", "Novak", at=office.district.lincoln)
    petra = people.list_contact(session, people.contact(session, lee, given="Petra", family="Novak"), "landline")
    ida = people.student(session, "Ida", "Novak")
    other = people.contact(session, ida, given="Petra", family="Novak", phone="+13125550188")
    petra.email, other.email = "Petra@home.example", "petra@HOME.example"
    session.commit()
    assert "has ••• 0188" in text_of(open_student(office.clara, "lee"))


def _only_the_name_in_common(session, family):
    session.delete(session.scalars(select(Contact).where(Contact.given_name == "José")).one())


def _another_name(_session, family):
    family[1].given_name = "Marisol"


def _opted_out(session, family):
    session.get(PhoneNumber, OLD).opted_out_at = people.NOW


def _other_number_listed_too(session, family):
    people.list_contact(session, family[1])


def _other_record_gets_calls(_session, family):
    family[1].sis_method = "call"


def _other_record_inactive(_session, family):
    family[1].active = False


def _other_record_removed(session, family):
    kai = session.scalars(select(Student).where(Student.given_name == "Kai")).one()
    rosa = people.actor_of(people.staff(session, "Rosa", "Reed"), level=AccessLevel.DISTRICT)
    edits.remove(session, family[1], kai, actor=rosa)


@pytest.mark.parametrize(
    "change",
    [
        _only_the_name_in_common,
        _another_name,
        _opted_out,
        _other_number_listed_too,
        _other_record_gets_calls,
        _other_record_inactive,
        _other_record_removed,
    ],
)
def test_number_that_may_not_help_is_not_suggested(office, session, family, change):
    change(session, family)
    session.commit()
    assert SUGGESTION not in screens.action_ids(open_student(office.clara))


def test_suggestion_that_no_longer_holds_is_refused(office, session, family):
    open_student(office.clara)
    people.list_contact(session, family[1])
    session.commit()
    use_suggestion(office.clara)
    assert "not suggested anymore" in text_of(office.clara.view)
    assert phone_of(session, family[0]) == OLD


def test_suggestion_that_a_colleague_used_first_is_refused(office, session, family):
    open_student(office.clara)
    open_student(office.dana)
    use_suggestion(office.dana)
    use_suggestion(office.clara)
    assert "not suggested anymore" in text_of(office.clara.view)
    assert session.query(Edit).count() == 1


OTHERS = ("+13125550161", "+13125550162", "+13125550163")


@pytest.fixture
def otto(session, office):
    """Otto's number is blocked; the SIS has four more of him, of which the second and the fourth texted STOP, the latter before
    it was erased."""
    lee = people.student(session, "Lee", "Novak", at=office.district.lincoln)
    otto = people.list_contact(session, people.contact(session, lee, given="Otto", family="Novak", phone=OLD))
    session.add_all(OtherNumber(contact_id=otto.id, phone=phone, position=n) for n, phone in enumerate(OTHERS, 1))
    session.add(PhoneNumber(phone=OTHERS[1], opted_out_at=people.NOW))
    session.add(OtherNumber(contact_id=otto.id, phone="+13125550164", position=4))
    erased = "INSERT INTO erased_numbers (number_hash, opted_out_at) SELECT erased_number_hash('+13125550164'), now()"
    session.execute(text(erased))
    session.commit()
    return otto


def test_further_numbers_of_the_contact_are_offered_except_opted_out_ones(office, session, otto):
    shown = text_of(open_student(office.clara, "lee"))
    assert "another number of Otto Novak, ••• 0161" in shown
    assert ("0162" in shown, "0164" in shown) == (False, False)
    _first, last = screens.values(office.clara.view, SUGGESTION)
    office.clara.press(office.clara.view, action_id=SUGGESTION, value=last)
    assert phone_of(session, otto) == OTHERS[2]


def test_edit_dialog_shows_the_further_numbers(office, otto):
    open_student(office.clara, "lee")
    office.clara.press(office.clara.view, action_id="contact.edit")
    assert "also has (312) 555-0161 and (312) 555-0163" in text_of(office.clara.view)
