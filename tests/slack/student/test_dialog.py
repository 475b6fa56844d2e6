"""The student dialog beyond Edit and Remove: autocalls, the full number, the history, siblings, claims, and long lists."""

from dataclasses import replace

import pytest
from sqlalchemy import delete, select, update
from support import edits, people, screens
from support import mass_messages as messages
from support.snapshots import draw
from support.surfaces import clerk

from bot.cleanup_list.tried_numbers import add_number
from bot.db.models import views
from bot.db.models.edits import Audit, Edit, Removal
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.db.models.roster import Contact, StaffRole, Student, StudentContact
from bot.mass_messages.opt_outs import record_opt_out
from bot.providers.receipt import OptOutMessage
from bot.sandbox.slack.errors import NotOnScreen
from bot.sandbox.slack.models import text_of


@pytest.fixture
def sam(session, office):
    """Sam and his sister Lea of Lincoln, and Kai of Roosevelt, are children of Maria, whose number is a landline."""
    lincoln, roosevelt = office.district.lincoln, office.district.roosevelt
    sam, lea = (people.student(session, name, at=lincoln) for name in ("Sam", "Lea"))
    kai = people.student(session, "Kai", at=roosevelt)
    people.list_contact(session, people.contact(session, sam, lea, kai, phone="+13125550142"), "landline")
    people.school_class(session, office.district.ana, lincoln, sam)
    session.commit()
    return sam


@pytest.fixture
def maria(session, sam):
    return session.scalars(select(Contact)).one()


def open_student(person, name="sam"):
    message = person.command("/cleanup", name).message
    screens.open_student(person, message, value=screens.values(message, "student.open")[0])
    return person.view


def effective(session):
    session.rollback()
    reach = views.contact_reach.c
    return tuple(session.execute(select(reach.phone, reach.method).order_by(reach.contact_id)).first())


def test_dialog_with_every_kind_of_contact(office, session, sam, maria, snapshot):
    """Maria switched to calls; the others are claimed, opted out, in conflict, removed, fine, or without a number."""
    clara = clerk(office)
    otto = people.contact(session, sam, given="Otto", priority=2, phone="+13125550143")
    messages.send(session, {otto: "turned_off"}, now=people.NOW)
    edits.change(session, maria, method="call", actor=clara)
    ida = people.contact(session, sam, given="Ida", priority=3, phone="+13125550144")
    edits.change(session, ida, phone="+13125550145", actor=clara)
    edits.sync_phone(session, ida, "+13125550146")
    joe = people.contact(session, sam, given="Joe", priority=4, phone="+13125550147")
    by_clara = {"opted_out_at": people.NOW, "opted_out_by": office.clara.id}
    session.merge(PhoneNumber(phone=joe.sis_phone, status="opt_out", since=people.NOW, **by_clara))
    ada = people.contact(session, sam, given="Ada", priority=5, phone="+13125550148")
    people.list_contact(session, ada, "inactive")
    entry = session.get_one(ListEntry, ada.id)
    entry.claimed_by, entry.claimed_at = office.ana.id, people.NOW
    people.contact(session, sam, given="Flo", priority=6, phone=None, relationship=None)
    people.contact(session, sam, given="Gus", priority=7, phone="+13125550149", method="email")
    pablo = people.contact(session, sam, given="Pablo", priority=8)
    edits.remove(session, pablo, sam, actor=clara)
    session.commit()
    assert draw(open_student(office.clara)) == snapshot


def test_trouble_comes_first_and_healthy_contacts_behind_a_button(office, session, sam, maria):
    session.execute(update(StudentContact).values(priority=9))
    session.execute(update(Contact).values(email="maria@home.example"))
    session.execute(update(Student).values(identifier="10442"))
    for number in range(2):
        people.contact(session, sam, given=f"Uncle{number}", priority=1)
    session.commit()
    view = open_student(office.clara)
    assert "Student number 10442" in text_of(view).replace("\u00a0", " ")
    assert "<mailto:maria@home.example|maria@home.example>" in text_of(view)
    assert "2 contacts without a problem: Uncle0 Rivera, Uncle1 Rivera" in text_of(view)
    assert office.clara.press(view, action_id="student.healthy_contacts").ok
    text = text_of(office.clara.view)
    assert text.index("*Maria Rivera*") < text.index("*Uncle0 Rivera*") < text.index("*Uncle1 Rivera*")
    uncle = {"action_id": "contact.show_number", "block_id": f"contact.{maria.id + 1}"}
    assert office.clara.press(office.clara.view, **uncle).ok
    assert "<tel:" in text_of(office.clara.view)


def test_contacts_have_few_buttons_and_no_sentence_twice(office, session, sam):
    for number in range(2):
        people.list_contact(session, people.contact(session, sam, given=f"Uncle{number}"), "inactive")
    session.commit()
    view = open_student(office.clara)
    assert text_of(view).count("out of service or has changed hands") == 1
    rows = [block for block in view.blocks if block["block_id"].startswith("contact.")]
    assert [len(screens.labels(replace(view, body={"blocks": [row]}))) for row in rows] == [4, 3, 3]


def test_landline_can_be_claimed(office, session, maria):
    open_student(office.clara)
    assert office.clara.press(office.clara.view, action_id="claim.take", value=str(maria.id)).ok
    session.expire_all()
    assert session.get_one(ListEntry, maria.id).claimed_by == office.clara.id


def test_landline_switches_to_autocalls_with_one_press_and_back(office, session, maria):
    open_student(office.clara)
    assert office.clara.press(office.clara.view, action_id="method.switch_to_call").ok
    assert effective(session) == ("+13125550142", "call")
    assert "Saved: Maria Rivera, call" in text_of(office.clara.view)
    with pytest.raises(NotOnScreen):
        office.clara.press(office.clara.view, action_id="method.switch_to_call")
    assert office.clara.press(office.clara.view, block_id="student.done", action_id="edit.undo").ok
    assert effective(session) == ("+13125550142", "text")


def test_changed_contact_stays_in_its_place(office, session, maria):
    """What was pressed stays in sight, with its undo, until the dialog is opened again."""
    sam = session.scalars(select(StudentContact.student_id)).first()
    otto = people.contact(session, session.get_one(Student, sam), given="Otto", phone="+13125550143", priority=2)
    people.list_contact(session, otto, "inactive")
    session.commit()
    order = [f"contact.{maria.id}", f"contact.{otto.id}"]

    def shown():
        return [block["block_id"] for block in office.clara.view.blocks if block["block_id"] in order]

    open_student(office.clara)
    assert office.clara.press(office.clara.view, action_id="method.switch_to_call").ok
    assert shown() == order
    open_student(office.clara)
    assert shown() == order[::-1]


def test_button_of_a_contact_changed_meanwhile_changes_nothing(office, session, maria):
    open_student(office.clara)
    open_student(office.ana)
    assert office.ana.press(office.ana.view, action_id="method.switch_to_call").ok
    assert office.clara.press(office.clara.view, action_id="method.switch_to_call").ok
    assert "changed this contact" in text_of(office.clara.view)
    session.rollback()
    assert len(session.scalars(select(Edit)).all()) == 1


def test_contact_who_gets_calls_is_not_advised_to_switch(office, session, maria):
    session.execute(update(Contact).values(sis_method="call"))
    session.execute(update(ListEntry).values(status="landline"))
    session.commit()
    view = open_student(office.clara)
    assert "Gets autocalls now, no texts." in text_of(view)
    assert "switch the contact method" not in text_of(view)


def test_only_a_landline_offers_the_switch(office, session, maria):
    session.execute(update(ListEntry).values(status="blocked"))
    session.execute(update(PhoneNumber).values(status="blocked"))
    session.commit()
    assert "method.switch_to_call" not in screens.action_ids(open_student(office.clara))


def test_looking_at_the_whole_number_is_recorded(office, session, maria):
    open_student(office.clara)
    session.execute(delete(Audit))
    session.commit()
    assert office.clara.press(office.clara.view, action_id="contact.show_number").ok
    view = office.clara.view
    assert "<tel:+13125550142|(312) 555-0142>" in text_of(view)
    assert "contact.show_number" not in screens.action_ids(view)
    session.rollback()
    recorded = session.execute(select(Audit.actor, Audit.action, Audit.subject_id)).all()
    assert [tuple(row) for row in recorded] == [(office.clara.id, "phone.shown", maria.id)]
    assert "0142" not in view.body["private_metadata"]


def test_history_says_who_changed_what(office, session, maria, snapshot):
    clara = office.clara
    open_student(clara)
    clara.press(clara.view, action_id="contact.edit")
    clara.fill(clara.view, {"phone": "(312) 555-0199"}).submit()
    screens.choose_more(clara, "contact.remove")
    clara.fill(clara.view, {"reason": "asked"}).submit()
    clara.press(clara.view, block_id="student.done", action_id="removal.undo")
    edits.sync_phone(session, session.get_one(Contact, maria.id, populate_existing=True), "+13125550177")
    session.commit()
    clara.press(open_student(clara), action_id="conflict.take_sis")
    screens.choose_more(clara, "history")
    assert draw(clara.view) == snapshot


def test_history_of_a_removal_names_no_other_student(office, maria):
    open_student(office.clara)
    screens.choose_more(office.clara, "contact.remove")
    office.clara.fill(office.clara.view, {"reason": "asked"}).submit()
    office.clara.press(office.clara.view, block_id="student.done", action_id="removal.undo")
    screens.choose_more(office.clara, "history")
    history = text_of(office.clara.view)
    assert [name for name in ("Sam", "Lea", "Kai") if name in history] == []


def test_history_tells_nothing_of_a_strangers_number(office, session, maria):
    """Not that it texted STOP, until a message went to it through this contact."""
    number = "+13125559950"
    edits.change(session, maria, phone=number, actor=clerk(office))
    record_opt_out(session, OptOutMessage("twilio", "SM1", number, opted_out=True), now=office.now())
    session.commit()
    assert "Texted STOP" not in shown_history(office.clara)
    add_number(session, maria.id, number)
    session.commit()
    assert "Texted STOP" in shown_history(office.clara)


def shown_history(person):
    open_student(person)
    screens.choose_more(person, "history")
    shown = text_of(person.view)
    assert person.close(everything=True).ok
    return shown


def test_contact_without_changes_has_an_empty_history(office, maria, snapshot):
    open_student(office.clara)
    screens.choose_more(office.clara, "history")
    assert draw(office.clara.view) == snapshot


def test_siblings_open_with_one_press_but_hidden_ones_do_not_show(office, maria):
    view = open_student(office.clara)
    assert "Lea Rivera" in screens.labels(view)
    assert "Kai" not in text_of(view)
    assert office.clara.press(view, action_id="student.open_sibling.0").ok
    assert office.clara.view.body["title"]["text"] == "Lea Rivera"
    assert "Sam Rivera" in screens.labels(office.clara.view)
    assert "student.open_sibling.0" not in screens.action_ids(open_student(office.ana))


def test_claim_is_visible_to_colleagues_until_released_or_expired(office, session, maria):
    session.execute(update(ListEntry).values(status="blocked"))
    session.execute(update(PhoneNumber).values(status="blocked"))
    session.commit()

    def claimed_by():
        session.rollback()
        return session.scalars(select(ListEntry.claimed_by)).one()

    open_student(office.clara)
    assert office.clara.press(office.clara.view, action_id="claim.take").ok
    claimed = f"🙋 <@{office.clara.id}>"
    assert claimed in text_of(office.ana.command("/cleanup").message)
    assert f"<@{office.clara.id}> has been taking care of this contact" in text_of(open_student(office.ana))
    with pytest.raises(NotOnScreen):
        office.ana.press(office.ana.view, action_id="claim.take")
    assert office.ana.press(office.ana.view, action_id="claim.free").ok
    assert claimed_by() is None
    assert claimed not in text_of(office.ana.command("/cleanup").message)
    assert office.clara.press(office.clara.view, action_id="claim.free").ok
    assert office.clara.press(office.clara.view, action_id="claim.take").ok
    assert claimed_by() == office.clara.id
    office.advance(days=3, minutes=1)
    assert office.tick().counts["claims_expired"] == 1
    assert claimed not in text_of(office.ana.command("/cleanup").message)


def test_of_many_contacts_each_is_on_one_of_the_pages(office, session, sam):
    for number in range(30):
        people.contact(session, sam, given=f"Uncle{number:02d}", family="Rivera", priority=number + 2)
    for number in range(25):
        other = people.student(session, f"Kid{number:02d}", at=office.district.lincoln)
        first = session.scalars(select(Contact).order_by(Contact.id)).first()
        session.add(StudentContact(student_id=other.id, contact_id=first.id, priority=1))
    session.commit()
    view, seen = open_student(office.clara), set()
    assert "(the first 20 of 26)" in text_of(view)
    assert office.clara.press(view, action_id="student.healthy_contacts").ok
    while True:
        text = text_of(office.clara.view)
        seen |= {number for number in range(30) if f"*Uncle{number:02d} Rivera*" in text}
        if "0" in screens.values(office.clara.view, "student.further_contacts"):
            break
        assert office.clara.press(office.clara.view, action_id="student.further_contacts").ok
    assert seen == set(range(30))
    assert office.clara.press(office.clara.view, action_id="student.further_contacts").ok
    assert "*Maria Rivera*" in text_of(office.clara.view)
    assert "30 contacts without a problem: Uncle00 Rivera, Uncle01 Rivera, Uncle02 Rivera and 27 more" in text_of(
        office.clara.view
    )


def test_of_many_removed_contacts_the_newest_are_shown(office, session, sam):
    for number in range(10):
        uncle = people.contact(session, sam, given=f"Uncle{number}", priority=2)
        by_clara = {"reason": "asked", "made_by": office.clara.id, "made_at": office.now()}
        session.add(Removal(contact_id=uncle.id, student_id=sam.id, **by_clara))
    session.commit()
    view = open_student(office.clara)
    newest = session.scalars(select(Removal.id).order_by(Removal.id.desc()).limit(8)).all()
    assert screens.values(view, "removal.undo") == [str(removal_id) for removal_id in newest]
    assert "… and 2 removed earlier." in text_of(view)


def test_more_contacts_are_not_shown_after_rights_ended(office, session, sam):
    for number in range(30):
        people.contact(session, sam, given=f"Uncle{number:02d}", priority=2)
    session.commit()
    open_student(office.clara)
    assert office.clara.press(office.clara.view, action_id="student.healthy_contacts").ok
    session.execute(update(StaffRole).values(school_id=office.district.roosevelt.id))
    session.commit()
    office.clara.press(office.clara.view, action_id="student.further_contacts")
    assert "not on your list anymore" in text_of(office.clara.view)
