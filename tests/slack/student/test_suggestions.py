"""A newer number of the same adult, from another record of theirs: shown masked, taken at one press, never by itself."""

import pytest
from sqlalchemy import select
from support import edits, people

from bot.access import Reach
from bot.db.models import views
from bot.db.models.edits import Edit
from bot.db.models.messages import PhoneNumber
from bot.db.models.roster import Contact, Student
from bot.sandbox.slack.outcome import NotOnScreen
from bot.sandbox.slack.reading import text_of

OLD, NEW = "+13125550142", "+13125550177"


@pytest.fixture
def family(session, office):
    """Sam of Lincoln and Kai of Roosevelt have José in common; Maria is in the SIS once for each, with a blocked number for Sam."""
    sam = people.student(session, at=office.district.lincoln)
    kai = people.student(session, "Kai", at=office.district.roosevelt)
    maria = people.listed(session, people.contact(session, sam, phone=OLD))
    people.contact(session, sam, kai, given="José", priority=2)
    other = people.contact(session, kai, phone=NEW)
    session.commit()
    return maria, other


def opened(person, name="sam"):
    message = person.command("/cleanup", name).message
    assert person.press(message, action_id="student.open").ok
    return text_of(person.view).replace("\u00a0", " ")


def use(person):
    return person.press(person.view, action_id="suggestion.use")


def _phone(session, contact):
    session.rollback()
    reach = views.contact_reach.c
    return session.scalar(select(reach.phone).where(reach.contact_id == contact.id))


def test_the_number_of_another_record_is_shown_masked_and_without_whose_it_is(office, family):
    said = opened(office.clara)
    assert "Another record of Maria Rivera has ••• 0177" in said
    assert "Kai" not in said
    assert "Roosevelt" not in said


def test_one_press_takes_it_as_an_edit_that_can_be_undone(office, session, family):
    opened(office.clara)
    assert _phone(session, family[0]) == OLD
    use(office.clara)
    assert "Maria Rivera gets texts at ••• 0177 from now on" in text_of(office.clara.view).replace("\u00a0", " ")
    assert _phone(session, family[0]) == NEW
    with pytest.raises(NotOnScreen):
        use(office.clara)
    office.clara.press(office.clara.view, action_id="edit.undo")
    assert _phone(session, family[0]) == OLD


def test_the_same_e_mail_tells_the_same_adult_however_written(office, session, family):
    lee = people.student(session, "Lee", "Novak", at=office.district.lincoln)
    petra = people.listed(session, people.contact(session, lee, given="Petra", family="Novak"), "landline")
    other = people.contact(
        session, people.student(session, "Ida", "Novak"), given="Petra", family="Novak", phone="+13125550188"
    )
    petra.email, other.email = "Petra@home.example", "petra@HOME.example"
    session.commit()
    assert "has ••• 0188" in opened(office.clara, "lee")


def _same_name_only(session, family):
    jose = session.scalars(select(Contact).where(Contact.given_name == "José")).one()
    session.delete(jose)


def _another_name(_session, family):
    family[1].given_name = "Marisol"


def _stopped(session, family):
    session.get(PhoneNumber, OLD).opted_out_at = people.NOW


def _unreached_too(session, family):
    people.listed(session, family[1])


def _called(_session, family):
    family[1].sis_method = "call"


def _gone(_session, family):
    family[1].active = False


def _removed(session, family):
    kai = session.scalars(select(Student).where(Student.given_name == "Kai")).one()
    edits.remove(
        session,
        family[1],
        kai,
        actor=people.acting(people.staff(session, "Rosa", "Reed", at=None), reach=Reach.DISTRICT),
    )


@pytest.mark.parametrize("change", [_same_name_only, _another_name, _stopped, _unreached_too, _called, _gone, _removed])
def test_no_number_is_suggested_that_would_not_help_or_may_be_somebody_elses(office, session, family, change):
    change(session, family)
    session.commit()
    assert "Another record" not in opened(office.clara)


def test_a_suggestion_that_is_none_any_more_is_not_taken(office, session, family):
    opened(office.clara)
    people.listed(session, family[1])
    session.commit()
    use(office.clara)
    assert "not suggested any more" in text_of(office.clara.view)
    assert _phone(session, family[0]) == OLD


def test_somebody_else_was_faster(office, session, family):
    opened(office.clara)
    opened(office.dana)
    use(office.dana)
    use(office.clara)
    assert "not suggested any more" in text_of(office.clara.view)
    assert session.query(Edit).count() == 1
