"""The student dialog beyond Edit and Remove: autocalls at one press, the whole number, the history, and the siblings."""

import pytest
from sqlalchemy import select
from support import people

from bot.db.models.edits import Audit, Edit, Removal
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.db.models.roster import Contact, StaffRole, StudentContact
from bot.sandbox.slack.outcome import NotOnScreen
from bot.sandbox.slack.reading import text_of


@pytest.fixture
def sam(session, office):
    """Sam and his sister Lea of Lincoln, and Kai of Roosevelt, children of Maria, whose number is a landline."""
    lincoln, roosevelt = office.district.lincoln, office.district.roosevelt
    sam, lea = (people.student(session, name, at=lincoln) for name in ("Sam", "Lea"))
    kai = people.student(session, "Kai", at=roosevelt)
    people.listed(session, people.contact(session, sam, lea, kai, phone="+13125550142"), "landline")
    people.school_class(session, office.district.ana, lincoln, sam)
    session.commit()
    return sam


@pytest.fixture
def maria(session, sam):
    return session.scalars(select(Contact)).one()


def opened(person, name="sam"):
    message = person.command("/cleanup", name).message
    button = next(
        block["accessory"] for block in message.blocks if block.get("accessory", {}).get("action_id") == "student.open"
    )
    assert person.press(message, action_id="student.open", value=button["value"]).ok
    return person.view


def more(person, what, contact):
    assert person.choose(person.view, f"{what} {contact.id}", action_id="contact.more").ok
    return text_of(person.view)


def test_a_landline_is_switched_to_autocalls_at_one_press_and_back(office, session, maria):
    opened(office.clara)
    assert office.clara.press(office.clara.view, action_id="method.switch_to_call").ok
    office.settled()
    said = text_of(office.clara.view)
    assert "gets autocalls from now on" in said
    assert "Call · ••• 0142" in said.replace("\u00a0", " ")
    with pytest.raises(NotOnScreen):
        office.clara.press(office.clara.view, action_id="method.switch_to_call")
    assert office.clara.press(office.clara.view, action_id="edit.undo").ok
    assert "Text · ••• 0142" in text_of(office.clara.view).replace("\u00a0", " ")


def test_a_press_on_what_somebody_else_changed_meanwhile_changes_nothing(office, session, maria):
    opened(office.clara)
    opened(office.ana)
    assert office.ana.press(office.ana.view, action_id="method.switch_to_call").ok
    assert office.clara.press(office.clara.view, action_id="method.switch_to_call").ok
    assert "changed this contact" in text_of(office.clara.view)
    session.rollback()
    assert len(session.scalars(select(Edit)).all()) == 1


def test_whoever_gets_calls_is_not_told_to_be_switched_to_them(office, session, maria):
    session.execute(Contact.__table__.update().values(sis_method="call"))
    session.execute(ListEntry.__table__.update().values(status="landline"))
    session.commit()
    said = text_of(opened(office.clara))
    assert "Gets autocalls now, no texts." in said
    assert "This number cannot get texts." in said
    assert "switch the contact method" not in said


def test_only_a_landline_offers_the_switch(office, session, maria):
    session.execute(ListEntry.__table__.update().values(status="blocked"))
    session.execute(PhoneNumber.__table__.update().values(status="blocked"))
    session.commit()
    opened(office.clara)
    assert "method.switch_to_call" not in str(office.clara.view.body)


def test_the_whole_number_is_shown_once_and_noted(office, session, maria):
    opened(office.clara)
    assert "(312) 555-0142" in more(office.clara, "number", maria)
    session.rollback()
    noted = session.execute(select(Audit.actor, Audit.action, Audit.subject_id)).all()
    assert [tuple(row) for row in noted] == [(office.clara.id, "phone.shown", maria.id)]
    assert "0142" not in office.clara.view.body["private_metadata"]


def test_the_history_says_who_did_what_from_what_to_what(office, session, maria):
    opened(office.clara)
    office.clara.press(office.clara.view, action_id="contact.edit")
    office.clara.fill(office.clara.view, {"phone": "(312) 555-0199"}).submit()
    office.settled()
    said = more(office.clara, "history", maria)
    assert "Number changed: ••• 0142 → ••• 0199" in said
    assert "Looked at the whole number" in said
    assert said.index("Number changed") < said.index("Looked at")
    assert "(312)" not in said
    assert f"<@{office.clara.id}>" in str(office.clara.view.body)


def test_the_history_of_a_removal_names_no_other_student(office, session, maria):
    opened(office.clara)
    office.clara.press(office.clara.view, action_id="contact.remove")
    office.clara.fill(office.clara.view, {"reason": "asked"}).submit()
    office.clara.press(office.clara.view, action_id="removal.undo")
    said = more(office.clara, "history", maria)
    assert "Removed from one student: They asked to be removed" in said
    assert "Brought back after it was removed" in said


def test_a_contact_that_nobody_touched_has_no_history(office, maria):
    opened(office.clara)
    assert "Nothing was done to this contact here yet." in more(office.clara, "history", maria)


def test_siblings_are_one_press_away_and_only_those_whom_one_may_see(office, maria):
    said = text_of(opened(office.clara))
    assert "The same adults are also contacts of" in said
    assert "Lea Rivera" in said
    assert "Kai" not in said
    assert office.clara.press(office.clara.view, action_id="student.open_sibling.0").ok
    assert "*Lea Rivera*" in text_of(office.clara.view)
    assert "Sam Rivera" in text_of(office.clara.view)
    assert "The same adults" not in text_of(opened(office.ana))


def test_whoever_takes_a_contact_is_seen_by_colleagues_until_it_is_freed_or_lapses(office, maria):
    opened(office.clara)
    assert office.clara.press(office.clara.view, action_id="claim.take").ok
    office.settled()
    assert "Your colleagues see that you take care of it" in text_of(office.clara.view)
    taken = f"<@{office.clara.id}> takes care of it"
    assert taken in text_of(office.ana.command("/cleanup").message)
    assert f"<@{office.clara.id}> has been taking care of this contact since" in text_of(opened(office.ana))
    with pytest.raises(NotOnScreen):
        office.ana.press(office.ana.view, action_id="claim.take")
    assert office.ana.press(office.ana.view, action_id="claim.free").ok
    office.settled()
    assert taken not in text_of(office.ana.command("/cleanup").message)
    assert office.clara.press(office.clara.view, action_id="claim.free").ok
    assert office.clara.press(office.clara.view, action_id="claim.take").ok
    office.later(days=3, minutes=1)
    assert office.tick().counts["claims_expired"] == 1
    assert taken not in text_of(office.ana.command("/cleanup").message)


def test_of_many_contacts_each_can_be_reached_and_what_is_left_out_is_said(office, session, sam):
    for number in range(30):
        people.contact(session, sam, given=f"Uncle{number:02d}", family="Rivera", priority=number + 2)
    for number in range(25):
        other = people.student(session, f"Kid{number:02d}", at=office.district.lincoln)
        first = session.scalars(select(Contact).order_by(Contact.id)).first()
        session.add(StudentContact(student_id=other.id, contact_id=first.id, priority=1))
    session.commit()
    said, seen = text_of(opened(office.clara)), set()
    assert "The same adults are also contacts of (the first 20 of 26):" in said
    while True:
        said = text_of(office.clara.view)
        seen |= {number for number in range(30) if f"*Uncle{number:02d} Rivera*" in said}
        if "Back to the first contacts" in said:
            break
        assert "more contacts" in said
        assert office.clara.press(office.clara.view, action_id="student.further_contacts").ok
    assert seen == set(range(30))
    assert office.clara.press(office.clara.view, text="Back to the first contacts").ok
    assert "*Maria Rivera*" in text_of(office.clara.view)


def test_of_many_who_were_removed_the_newest_are_shown_and_the_others_counted(office, session, sam):
    for number in range(10):
        one = people.contact(session, sam, given=f"Uncle{number}", priority=2)
        by_clara = {"reason": "asked", "made_by": office.clara.id, "made_at": office.now()}
        session.add(Removal(contact_id=one.id, student_id=sam.id, **by_clara))
    session.commit()
    assert "… and 2 more removed before these." in text_of(opened(office.clara))


def test_further_contacts_are_shown_to_nobody_whose_rights_have_ended(office, session, sam):
    for number in range(30):
        people.contact(session, sam, given=f"Uncle{number:02d}", priority=2)
    session.commit()
    opened(office.clara)
    session.execute(StaffRole.__table__.update().values(school_id=office.district.roosevelt.id))
    session.commit()
    office.clara.press(office.clara.view, action_id="student.further_contacts")
    assert "not on your list any more" in text_of(office.clara.view)
