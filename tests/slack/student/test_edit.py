"""Fixing a contact: from the list to the student, to the edit dialog, and back to a list that shows it."""

import pytest
from sqlalchemy import select, update
from support import people

from bot.db.models import views
from bot.db.models.edits import Audit, Edit
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.db.models.roster import Contact
from bot.domain.sms_status import SmsStatus
from bot.sandbox.slack.reading import text_of


@pytest.fixture
def sam(session, office):
    """Sam Rivera, in Ana's class at Lincoln, and the sister Eva in grade 2; Maria is the mother of both, and blocked."""
    sam = people.student(session, at=office.district.lincoln)
    people.school_class(session, office.district.ana, office.district.lincoln, sam)
    eva = people.student(session, "Eva", grade="2", at=office.district.lincoln)
    people.listed(session, people.contact(session, sam, eva, phone="+13125550142"))
    session.commit()
    return sam


def the_list(person, text="grade 5"):
    return person.command("/cleanup", text).message


def open_student(person, message):
    assert person.press(message, action_id="student.open").ok
    return person.view


def open_edit(person, message):
    open_student(person, message)
    assert person.press(person.view, action_id="contact.edit").ok
    return person.view


def has_email(session, address):
    session.execute(update(Contact).values(email=address))
    session.commit()


def effective(session):
    session.expire_all()
    return session.execute(select(views.contact_reach.c.phone, views.contact_reach.c.method)).one()


def test_a_number_fixed_from_the_list_is_saved_shown_and_waits_for_the_next_message(office, session, sam):
    message = the_list(office.clara)
    dialog = open_edit(office.clara, message)
    assert office.clara.fill(dialog, {"phone": "312.555.0199"}).submit().ok
    assert effective(session) == ("+13125550199", "text")
    assert [view.body["title"]["text"] for view in office.clara.views] == ["Sam Rivera"]
    assert "Saved" in text_of(office.clara.view)
    assert "They leave the list when a text arrives." in text_of(office.clara.view)
    assert "••• 0199" in text_of(office.clara.view)
    office.settled()
    assert "waiting for the next mass message" in text_of(office.clara.again(message))


def test_a_status_stays_beside_the_number_it_is_of_until_the_next_message_says_more(office, session, sam):
    message = the_list(office.clara)
    office.clara.fill(open_edit(office.clara, message), {"phone": "312.555.0199"}).submit()
    office.settled()
    said = text_of(office.clara.again(message)).replace("\u00a0", " ")
    assert "*Blocked* · Maria Rivera (parent) · ••• 0142" in said
    assert "The number is ••• 0199 now. Updated" in said


def test_an_updated_contact_who_gets_calls_is_said_to_and_has_no_new_number(office, session, sam):
    message = the_list(office.clara)
    office.clara.fill(open_edit(office.clara, message), {"method": "call"}).submit()
    said = text_of(office.clara.view)
    assert "They get calls and no texts from now on. The next mass message takes them off the list." in said
    office.settled()
    said = text_of(office.clara.again(message))
    assert "Gets calls now, no texts. Updated" in said
    assert "The number is" not in said


def test_a_contact_who_is_not_on_the_list_is_not_said_to_leave_it(office, session, sam):
    nora = people.contact(session, sam, given="Nora", phone="+13125550188")
    session.commit()
    open_student(office.clara, the_list(office.clara))
    for values, then in (
        ({"method": "call"}, "They get calls and no texts from now on."),
        ({"method": "text", "phone": "312.555.0177"}, "••• 0177."),
        ({"phone": ""}, "They get no texts until there is a number."),
    ):
        assert office.clara.press(office.clara.view, action_id="contact.edit", block_id=f"contact.{nora.id}").ok
        assert office.clara.fill(office.clara.view, values).submit().ok
        said = text_of(office.clara.view).replace("\u00a0", " ")
        assert f"{then}\n" in said
        assert "off the list" not in said


def test_the_edit_dialog_shows_the_number_as_people_write_it(office, sam):
    dialog = open_edit(office.clara, the_list(office.clara))
    assert dialog.blocks[1]["element"]["initial_value"] == "(312) 555-0142"


def test_fields_that_nobody_touched_are_saved_as_they_were(office, session, sam):
    dialog = open_edit(office.clara, the_list(office.clara))
    assert office.clara.fill(dialog, {"method": "call"}).submit().ok
    assert effective(session) == ("+13125550142", "call")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("555-0142", "The area code is missing"),
        ("312 555 014", "Too short: 9 digits"),
        ("call grandma", "That is not a phone number"),
        ("0000000000", "do not make a US number"),
        ("312-555-0199 ext. 12", "Leave out the extension 12"),
        ("123-555-0170", "neither its area code"),
        ("+1 (312) 055-0142", "nor the three digits after it"),
    ],
)
def test_a_number_that_cannot_be_is_refused_under_its_field_and_nothing_is_lost(office, session, sam, typed, told):
    dialog = open_edit(office.clara, the_list(office.clara))
    outcome = office.clara.fill(dialog, {"phone": typed}).submit()
    assert told in outcome.errors["phone"]
    assert office.clara.view.entered["phone"]["value"]["value"] == typed
    assert effective(session) == ("+13125550142", "text")


def test_a_number_that_nobody_can_have_may_stay_as_the_sis_wrote_it(office, session, sam):
    session.execute(update(Contact).values(sis_phone="+11235550170", sis_phone_written="123-555-0170"))
    session.commit()
    dialog = open_edit(office.clara, the_list(office.clara))
    assert office.clara.fill(dialog, {"method": "call"}).submit().ok
    assert effective(session) == ("+11235550170", "call")


def test_without_an_address_e_mail_is_not_offered_and_it_says_why(office, session, sam):
    said = text_of(open_edit(office.clara, the_list(office.clara)))
    assert "Gets e-mail" not in said
    assert "E-mail can be chosen once the student information system has an address" in said


def test_with_an_address_e_mail_is_offered(office, session, sam):
    has_email(session, "maria@example.com")
    said = text_of(open_edit(office.clara, the_list(office.clara)))
    assert "Gets e-mail" in said
    assert "can be chosen once" not in said


def test_a_method_that_cannot_work_any_more_is_refused_under_its_field(office, session, sam):
    has_email(session, "maria@example.com")
    dialog = open_edit(office.clara, the_list(office.clara))
    has_email(session, None)
    assert "no e-mail address" in office.clara.fill(dialog, {"method": "email"}).submit().errors["method"]
    assert office.clara.view.entered["method"]["value"]["selected_option"]["value"] == "email"


def test_saving_nothing_new_says_so(office, sam):
    open_edit(office.clara, the_list(office.clara))
    assert "Nothing is different" in office.clara.fill(office.clara.view, {}).submit().errors["phone"]


def test_an_emptied_number_is_no_number(office, session, sam):
    dialog = open_edit(office.clara, the_list(office.clara))
    assert office.clara.fill(dialog, {"phone": ""}).submit().ok
    assert effective(session).phone is None
    assert "No number" in text_of(office.clara.view)


def test_the_dialog_says_whom_else_an_edit_touches(office, session, sam):
    other = people.student(session, "Lee", "Novak", at=office.district.roosevelt)
    people.contact(session, other, given="Petra", family="Novak", phone="+13125550142")
    session.commit()
    said = text_of(open_edit(office.clara, the_list(office.clara)))
    assert "Eva Rivera" in said
    assert "1 other contact" in said
    assert "Petra" not in said


def test_looking_at_a_whole_number_is_written_down(office, session, sam):
    open_edit(office.clara, the_list(office.clara))
    assert session.scalars(select(Audit.action)).all() == ["phone.shown"]


def test_the_second_of_two_editors_sees_what_the_first_saved_and_chooses(office, session, sam):
    clara, ana = (open_edit(one, the_list(one)) for one in (office.clara, office.ana))
    assert office.ana.fill(ana, {"phone": "(312) 555-0150"}).submit().ok
    office.clara.fill(clara, {"phone": "(312) 555-0160"}).submit()
    said = text_of(office.clara.view)
    assert "<@UANA> changed this contact while you were editing" in said
    assert "(312) 555-0150" in said
    assert effective(session).phone == "+13125550150"
    assert office.clara.fill(office.clara.view, {}).submit().ok
    assert effective(session).phone == "+13125550160"


def test_the_second_of_two_editors_may_keep_what_the_first_saved(office, session, sam):
    clara, ana = (open_edit(one, the_list(one)) for one in (office.clara, office.ana))
    office.ana.fill(ana, {"phone": "(312) 555-0150"}).submit()
    office.clara.fill(clara, {"phone": "(312) 555-0160"}).submit()
    office.clara.close()
    assert effective(session).phone == "+13125550150"


def test_whoever_only_took_the_contact_meanwhile_is_not_told_to_have_changed_it(office, session, sam):
    clara, ana = (open_edit(one, the_list(one)) for one in (office.clara, office.ana))
    office.ana.fill(ana, {"phone": "(312) 555-0150"}).submit()
    office.ana.press(office.ana.view, action_id="edit.undo")
    open_student(office.dana, the_list(office.dana))
    assert office.dana.press(office.dana.view, action_id="claim.take").ok
    office.clara.fill(clara, {"phone": "(312) 555-0160"}).submit()
    assert "<@UANA> changed this contact while you were editing" in text_of(office.clara.view)


def test_a_dialog_submitted_twice_is_saved_once(office, session, sam):
    dialog = open_edit(office.clara, the_list(office.clara))
    filled = office.clara.fill(dialog, {"phone": "(312) 555-0199"})
    assert filled.submit().ok
    filled.submit_stale()
    assert len(session.scalars(select(Edit)).all()) == 1


def test_a_stop_cannot_be_lifted_and_the_dialog_says_what_the_contact_must_text(office, session, sam):
    number = session.get(PhoneNumber, "+13125550142")
    number.status, number.opted_out_at, number.opted_out_by = SmsStatus.OPT_OUT, people.NOW, "twilio"
    session.scalars(select(ListEntry)).one().status = SmsStatus.OPT_OUT
    session.commit()
    dialog = open_edit(office.clara, the_list(office.clara))
    assert "This number said STOP." in text_of(dialog)
    assert "*START* to *(312) 555-0100*" in text_of(dialog)
    assert office.clara.fill(dialog, {"method": "call"}).submit().ok
    assert office.clara.press(office.clara.view, action_id="contact.edit").ok
    refused = office.clara.fill(office.clara.view, {"method": "text"}).submit()
    assert "START to (312) 555-0100" in refused.errors["method"]
    assert effective(session).method == "call"
    session.expire_all()
    assert session.get(PhoneNumber, "+13125550142").opted_out_at


def test_undo_brings_back_what_was_before_and_the_list_says_so(office, session, sam):
    message = the_list(office.clara)
    office.clara.fill(open_edit(office.clara, message), {"phone": "(312) 555-0199", "method": "call"}).submit()
    assert office.clara.press(office.clara.view, action_id="edit.undo").ok
    assert effective(session) == ("+13125550142", "text")
    assert "Undone" in text_of(office.clara.view)
    office.settled()
    assert "waiting" not in text_of(office.clara.again(message))


def test_an_undo_that_comes_too_late_is_refused_over_the_dialog(office, session, sam):
    office.clara.fill(open_edit(office.clara, the_list(office.clara)), {"phone": "(312) 555-0199"}).submit()
    old = office.clara.view
    office.ana.fill(open_edit(office.ana, the_list(office.ana)), {"phone": "(312) 555-0150"}).submit()
    office.clara.press_stale(old, action_id="edit.undo")
    assert "changed again since" in text_of(office.clara.view)
    assert effective(session).phone == "+13125550150"


def test_a_conflict_with_the_sis_is_settled_with_one_click(office, session, sam):
    office.clara.fill(open_edit(office.clara, the_list(office.clara)), {"phone": "(312) 555-0199"}).submit()
    edit = session.scalars(select(Edit)).one()
    edit.state, edit.sis_value, edit.sis_at = "conflict", "+13125550177", people.NOW
    session.scalars(select(Contact)).one().sis_phone = "+13125550177"
    session.commit()
    open_student(office.ana, the_list(office.ana))
    said = text_of(office.ana.view)
    assert "student information system disagrees" in said
    assert "Keep ours: ••• 0199" in said
    assert "Keep ours of Maria Rivera" in str(office.ana.view.body)
    assert "Take the SIS's: ••• 0177" in said
    assert "Undo this change" not in said
    assert office.ana.press(office.ana.view, action_id="conflict.take_sis").ok
    assert "disagrees" not in text_of(office.ana.view)
    assert effective(session).phone == "+13125550177"


@pytest.mark.parametrize("settings_changed", [{"editor_roles": "districtAdministrator"}])
def test_whoever_may_only_look_is_told_so(office, session, sam):
    open_student(office.clara, the_list(office.clara))
    office.clara.press(office.clara.view, action_id="contact.edit")
    assert "changing contacts is for other roles" in text_of(office.clara.view)


def test_the_home_tab_is_refreshed_after_an_edit_made_from_it(office, session, sam):
    office.clara.open_home()
    office.clara.press(office.clara.home, action_id="student.open", value=f"{sam.id} all")
    office.clara.press(office.clara.view, action_id="contact.edit")
    assert office.clara.fill(office.clara.view, {"phone": "(312) 555-0199"}).submit().ok
    office.settled()
    assert "waiting for the next mass message" in text_of(office.clara.home)
