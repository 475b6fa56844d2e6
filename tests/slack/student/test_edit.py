"""Fixing a contact: from the list to the student, to the edit dialog, and back to a list that shows it."""

import pytest
from sqlalchemy import select, update
from support import people, screens
from support.snapshots import draw, normalized

from bot.db.models import views
from bot.db.models.edits import Audit, Edit
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.db.models.roster import Contact
from bot.domain.sms_status import SmsStatus
from bot.sandbox.slack.models import text_of


@pytest.fixture
def sam(session, office):
    """Sam Rivera, in Ana's class at Lincoln, has a sister Eva in grade 2; their mother Maria is blocked."""
    sam = people.student(session, at=office.district.lincoln)
    people.school_class(session, office.district.ana, office.district.lincoln, sam)
    eva = people.student(session, "Eva", grade="2", at=office.district.lincoln)
    people.list_contact(session, people.contact(session, sam, eva, phone="+13125550142"))
    session.commit()
    return sam


def show_list(person):
    return person.command("/cleanup", "grade 5").message


def open_student(person, message=None):
    screens.open_student(person, message or show_list(person))
    return person.view


def open_edit(person, message=None):
    open_student(person, message)
    assert person.press(person.view, action_id="contact.edit").ok
    return person.view


def save(person, dialog, **values):
    return person.fill(dialog, values).submit()


def set_email(session, email):
    session.execute(update(Contact).values(email=email))
    session.commit()


def effective(session):
    session.expire_all()
    return session.execute(select(views.contact_reach.c.phone, views.contact_reach.c.method)).one()


def entry(session):
    session.expire_all()
    return session.scalars(select(ListEntry)).one()


def done_line(person):
    """Return the first line of the student dialog, which says what was done."""
    return normalized(person.view.blocks[0]["text"]["text"])


def test_fixed_number_is_saved_and_shown_everywhere(office, session, sam, snapshot):
    message = show_list(office.clara)
    assert save(office.clara, open_edit(office.clara, message), phone="312.555.0199").ok
    assert effective(session) == ("+13125550199", "text")
    assert entry(session).updated_by == office.clara.id
    assert [view.body["callback_id"] for view in office.clara.views] == ["student.dialog"]
    assert draw(office.clara.view) == snapshot(name="student")
    assert draw(office.clara.current(message)) == snapshot(name="list")


def test_number_with_the_same_last_digits_is_called_new(office, session, sam):
    message = show_list(office.clara)
    assert save(office.clara, open_edit(office.clara, message), phone="(773) 555-0142").ok
    assert "now ••• 0142, with the same last digits" in text_of(office.clara.current(message))


def test_contact_who_gets_calls_now_has_no_new_number(office, session, sam):
    message = show_list(office.clara)
    save(office.clara, open_edit(office.clara, message), method="call")
    assert effective(session) == ("+13125550142", "call")
    redrawn = text_of(office.clara.current(message))
    assert "gets autocalls now · <!date" in redrawn
    assert "now •••" not in redrawn


@pytest.mark.parametrize("name", ["Maria", "Nora"])
def test_saved_change_says_what_follows(office, session, sam, name, snapshot):
    """Maria is on the list and Nora is not, so Nora cannot leave it."""
    people.contact(session, sam, given="Nora", phone="+13125550188")
    session.commit()
    set_email(session, "family@home.example")
    contact_id = session.scalars(select(Contact.id).where(Contact.given_name == name)).one()
    open_student(office.clara)
    lines = []
    for values in ({"method": "call"}, {"method": "email"}, {"method": "text", "phone": "3125550177"}, {"phone": ""}):
        if "student.healthy_contacts" in screens.action_ids(office.clara.view):
            assert office.clara.press(office.clara.view, action_id="student.healthy_contacts").ok
        button = {"action_id": "contact.edit", "block_id": f"contact.{contact_id}"}
        assert office.clara.press(office.clara.view, **button).ok
        assert office.clara.fill(office.clara.view, values).submit().ok
        lines.append(done_line(office.clara))
    assert "\n".join(lines) == snapshot


def test_edit_dialog_shows_the_whole_number(office, sam, snapshot):
    dialog = open_edit(office.clara)
    assert dialog.blocks[1]["element"]["initial_value"] == "(312) 555-0142"
    assert draw(dialog) == snapshot


def test_untouched_fields_are_saved_as_they_were(office, session, sam):
    assert save(office.clara, open_edit(office.clara), method="call").ok
    assert effective(session) == ("+13125550142", "call")


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("555-0142", "area code is missing"),
        ("312 555 014", "9 digits"),
        ("call grandma", "not a phone number"),
        ("0000000000", "do not make a US number"),
        ("312-555-0199 ext. 12", "extension 12"),
        ("123-555-0170", "area code"),
        ("+1 (312) 055-0142", "next three digits"),
        ("(911) 555-0142", "cannot end in 11"),
    ],
)
def test_impossible_number_is_refused_under_its_field(office, session, sam, typed, reason):
    outcome = save(office.clara, open_edit(office.clara), phone=typed)
    assert set(outcome.errors) == {"phone"}
    assert reason in outcome.errors["phone"]
    assert office.clara.view.entered["phone"]["value"]["value"] == typed
    assert effective(session) == ("+13125550142", "text")


def test_impossible_number_of_the_sis_may_stay(office, session, sam):
    session.execute(update(Contact).values(sis_phone="+11235550170", sis_phone_written="123-555-0170"))
    session.commit()
    assert save(office.clara, open_edit(office.clara), method="call").ok
    assert effective(session) == ("+11235550170", "call")


def test_email_is_not_offered_without_an_address(office, sam):
    dialog = open_edit(office.clara)
    assert [option["value"] for option in dialog.blocks[2]["element"]["options"]] == ["text", "call"]
    assert "hint" in dialog.blocks[2]


def test_email_is_offered_with_an_address(office, session, sam):
    set_email(session, "maria@example.com")
    dialog = open_edit(office.clara)
    assert {option["value"] for option in dialog.blocks[2]["element"]["options"]} == {"text", "call", "email"}
    assert "hint" not in dialog.blocks[2]


def test_method_that_stopped_working_is_refused_under_its_field(office, session, sam):
    set_email(session, "maria@example.com")
    dialog = open_edit(office.clara)
    set_email(session, None)
    outcome = save(office.clara, dialog, method="email")
    assert set(outcome.errors) == {"method"}
    assert "no email address" in outcome.errors["method"]
    assert office.clara.view.entered["method"]["value"]["selected_option"]["value"] == "email"


def test_saving_nothing_new_is_refused(office, sam):
    outcome = save(office.clara, open_edit(office.clara))
    assert "Nothing is different" in outcome.errors["phone"]


def test_emptied_number_is_no_number(office, session, sam):
    assert save(office.clara, open_edit(office.clara), phone="").ok
    assert effective(session).phone is None


def test_dialog_names_others_affected_but_no_hidden_one(office, session, sam, snapshot):
    other = people.student(session, "Lee", "Novak", at=office.district.roosevelt)
    people.contact(session, other, given="Petra", family="Novak", phone="+13125550142")
    session.commit()
    dialog = open_edit(office.clara)
    assert "Eva Rivera" in text_of(dialog)
    assert "Petra" not in text_of(dialog)
    assert draw(dialog) == snapshot


def test_looking_at_a_whole_number_is_recorded(office, session, sam):
    show_list(office.clara)
    assert office.clara.press(office.clara.last(), action_id="student.open").ok
    assert session.scalars(select(Audit.action)).all() == ["phone.shown"]


def test_second_editor_sees_what_the_first_saved(office, session, sam, snapshot):
    clara, ana = open_edit(office.clara), open_edit(office.ana)
    assert save(office.ana, ana, phone="(312) 555-0150").ok
    save(office.clara, clara, phone="(312) 555-0160")
    assert draw(office.clara.view) == snapshot
    assert effective(session).phone == "+13125550150"
    assert save(office.clara, office.clara.view).ok
    assert effective(session).phone == "+13125550160"


def test_second_editor_may_keep_what_the_first_saved(office, session, sam):
    clara, ana = open_edit(office.clara), open_edit(office.ana)
    save(office.ana, ana, phone="(312) 555-0150")
    save(office.clara, clara, phone="(312) 555-0160")
    office.clara.close()
    assert effective(session).phone == "+13125550150"


def test_colleague_who_only_claimed_did_not_change_the_contact(office, sam):
    clara, ana = open_edit(office.clara), open_edit(office.ana)
    save(office.ana, ana, phone="(312) 555-0150")
    office.ana.press(office.ana.view, block_id="student.done", action_id="edit.undo")
    open_student(office.dana)
    assert office.dana.press(office.dana.view, action_id="claim.take").ok
    save(office.clara, clara, phone="(312) 555-0160")
    assert f"<@{office.ana.id}> changed this contact" in text_of(office.clara.view)


def test_dialog_submitted_twice_is_saved_once(office, session, sam):
    filled = office.clara.fill(open_edit(office.clara), {"phone": "(312) 555-0199"})
    assert filled.submit().ok
    filled.submit_stale()
    assert len(session.scalars(select(Edit)).all()) == 1


def test_opt_out_cannot_be_lifted_by_staff(office, session, sam, snapshot):
    number = session.get(PhoneNumber, "+13125550142")
    number.status, number.opted_out_at, number.opted_out_by = SmsStatus.OPT_OUT, people.NOW, "twilio"
    session.scalars(select(ListEntry)).one().status = SmsStatus.OPT_OUT
    session.commit()
    dialog = open_edit(office.clara)
    assert draw(dialog) == snapshot
    assert save(office.clara, dialog, method="call").ok
    assert office.clara.press(office.clara.view, action_id="contact.edit").ok
    outcome = save(office.clara, office.clara.view, method="text")
    assert set(outcome.errors) == {"method"}
    assert "START to (312) 555-0100" in outcome.errors["method"]
    assert effective(session).method == "call"
    session.expire_all()
    assert session.get(PhoneNumber, "+13125550142").opted_out_at


@pytest.mark.parametrize("method", ["text", "call"])
def test_number_of_a_stranger_tells_nothing_when_it_is_typed(office, session, sam, method):
    """The dialogs, the list, and the forecast read the same whatever is known of the number."""
    read = []
    for number, status in (("+13125557000", None), ("+13125557001", "opt_out"), ("+13125557002", "inactive")):
        opted_out_at = people.NOW if status == "opt_out" else None
        session.add(PhoneNumber(phone=number, status=status, since=people.NOW, opted_out_at=opted_out_at))
        session.commit()
        message = show_list(office.clara)
        assert not save(office.clara, open_edit(office.clara, message), phone=number, method=method).errors
        texts = [text_of(office.clara.view), text_of(office.clara.current(message))]
        office.clara.press(office.clara.view, action_id="contact.edit")
        texts += [text_of(office.clara.view), text_of(office.clara.command("/cleanup", "forecast").message)]
        office.clara.close(everything=True)
        read.append(normalized("\n".join(texts)).replace(number[-4:], "7000"))
    assert read[0] == read[1] == read[2]


def test_undo_restores_the_contact_and_the_list(office, session, sam):
    message = show_list(office.clara)
    save(office.clara, open_edit(office.clara, message), phone="(312) 555-0199", method="call")
    assert office.clara.press(office.clara.view, block_id="student.done", action_id="edit.undo").ok
    assert effective(session) == ("+13125550142", "text")
    assert "Undone" in done_line(office.clara)
    assert entry(session).updated_at is None
    assert "waiting" not in text_of(office.clara.current(message))


def test_undo_of_a_change_that_was_changed_again_is_refused(office, session, sam):
    save(office.clara, open_edit(office.clara), phone="(312) 555-0199")
    old = office.clara.view
    save(office.ana, open_edit(office.ana), phone="(312) 555-0150")
    office.clara.press_stale(old, block_id="student.done", action_id="edit.undo")
    assert "changed again since" in text_of(office.clara.view)
    assert effective(session).phone == "+13125550150"


def test_conflict_with_the_sis_is_resolved_with_one_press(office, session, sam):
    save(office.clara, open_edit(office.clara), phone="(312) 555-0199")
    edit = session.scalars(select(Edit)).one()
    edit.state, edit.sis_value, edit.sis_at = "conflict", "+13125550177", people.NOW
    session.scalars(select(Contact)).one().sis_phone = "+13125550177"
    session.commit()
    view = open_student(office.ana)
    assert {"Keep ours: ••• 0199", "Take the SIS's: ••• 0177"} <= {
        label.replace("\u00a0", " ") for label in screens.labels(view)
    }
    assert "Keep ours of Maria Rivera" in str(view.body)
    assert "edit.undo" not in screens.action_ids(view)
    assert office.ana.press(view, action_id="conflict.take_sis").ok
    assert "conflict.take_sis" not in screens.action_ids(office.ana.view)
    assert effective(session).phone == "+13125550177"


@pytest.mark.parametrize("settings_changed", [{"editor_roles": "districtAdministrator"}])
def test_staff_who_may_only_look_are_refused(office, session, sam):
    open_student(office.clara)
    office.clara.press(office.clara.view, action_id="contact.edit")
    assert "changing contacts is for other roles" in text_of(office.clara.view)


def test_home_tab_is_redrawn_after_an_edit_made_from_it(office, session, sam):
    office.clara.open_home()
    screens.open_student(office.clara, office.clara.home)
    office.clara.press(office.clara.view, action_id="contact.edit")
    assert save(office.clara, office.clara.view, phone="(312) 555-0199").ok
    assert "Waiting for the next message" in text_of(office.clara.home)
