"""Changing a contact's number or method, and undoing it: an edit stands beside the SIS value, never over it."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from support import edits, people
from support.errors import refused

from bot.cleanup_list.tried_numbers import add_number
from bot.contact_edits.change import switch_to_call, use_suggested_number
from bot.contact_edits.locking import VersionConflict
from bot.contact_edits.undo import undo_edit
from bot.db.models import views
from bot.db.models.base import ContactMethod
from bot.db.models.edits import Audit, Edit
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.db.models.roster import StudentContact
from bot.domain.sms_status import SmsStatus
from bot.errors import UserError

NEW, OTHER, LATER = "+13125559901", "+13125559902", people.NOW + timedelta(minutes=5)
UGLY_NUMBERS = [
    "(312) 555-9901",
    "312.555.9901",
    "+1 312 555 9901",
    "1-312-555-9901",
    "  3125559901\u200b ",
    "３１２５５５９９０１",
    "tel:+1-312-555-9901",
    "\ufeff312\u2011555\u20119901",
]
WRONG_NUMBERS = [
    ("555-0142", "area code is missing"),
    ("312555014", "Too short: 9 digits"),
    ("312555014200", "12 digits do not make a US number"),
    ("unknown", "not a phone number"),
    ("0000000000", "do not make a US number"),
    ("312-555-9901 x12", "Leave out the extension 12"),
    ("346-2142 mom", "area code is missing"),
    ("+5165550142", "Is that a US number"),
    ("555-555-5555", "a placeholder"),
    ("999-999-9999", "a placeholder"),
    ("911-346-0142", "No US phone has a number like that"),
    ("299-346-0142", "No US phone has a number like that"),
    ("(800) 346-0142", "a toll-free number"),
    ("(312) 555-0100", "our own number"),
]


@pytest.fixture
def sam(session, district):
    return people.student(session, at=district.lincoln)


@pytest.fixture
def maria(session, sam):
    """Sam's mother, whose number is blocked."""
    return people.list_contact(session, people.contact(session, sam, phone="+13125550142"))


def entry(session, one):
    session.flush()
    return session.get_one(ListEntry, one.id, populate_existing=True)


def texted_before(session, contact, phone):
    """A mass message went to the number through this contact, so its status may be shown."""
    add_number(session, contact.id, phone)


def opted_out(session, phone):
    session.merge(PhoneNumber(phone=phone, status=SmsStatus.OPT_OUT, since=people.NOW, opted_out_at=people.NOW))
    session.flush()


def test_a_new_number_is_what_everyone_reads_and_the_sis_value_stays(session, maria, clara):
    done = edits.change(session, maria, phone="(312) 555-9901", actor=clara)
    assert edits.effective(session, maria) == (NEW, "text")
    assert maria.sis_phone == "+13125550142"
    made = session.get_one(Edit, done.edit_ids[0])
    assert (made.base, made.value, made.state, made.made_by, made.made_at) == (
        "+13125550142",
        NEW,
        "pending",
        clara.user_id,
        people.NOW,
    )
    assert (done.name, done.phone, done.method) == ("Maria Rivera", NEW, ContactMethod.TEXT)


def test_a_new_method_is_what_everyone_reads(session, maria, clara):
    edits.change(session, maria, method="call", actor=clara)
    assert edits.effective(session, maria) == ("+13125550142", "call")
    assert maria.sis_method == "text"


@pytest.mark.parametrize("typed", UGLY_NUMBERS)
def test_a_number_may_be_written_as_people_write_it(session, maria, clara, typed):
    edits.change(session, maria, phone=typed, actor=clara)
    assert edits.effective(session, maria)[0] == NEW


@pytest.mark.parametrize("typed", ["", "   ", None])
def test_an_emptied_field_means_that_there_is_no_number(session, maria, clara, typed):
    edits.change(session, maria, phone=typed, actor=clara)
    assert edits.effective(session, maria) == (None, "text")


@pytest.mark.parametrize(("typed", "fix"), WRONG_NUMBERS)
def test_a_number_that_cannot_be_is_refused_under_its_field_with_what_to_write(session, maria, clara, typed, fix):
    with pytest.raises(UserError, match=fix) as no:
        edits.change(session, maria, phone=typed, method="call", actor=clara)
    assert no.value.field == "phone"
    assert untouched(session, maria)


def untouched(session, one):
    """Nothing was stored, as after a rollback; a lock alone is no change."""
    return (edits.states(session, one), edits.audit_log(session), entry(session, one).updated_at) == ([], [], None)


def test_the_same_value_however_written_is_refused_kindly(session, maria, clara):
    with refused("contact.unchanged") as no:
        edits.change(session, maria, phone="312 555 0142", actor=clara)
    assert no.value.field == "phone"
    assert untouched(session, maria)


def test_email_needs_an_address_in_the_sis(session, maria, clara):
    with refused("contact.no_email") as no:
        edits.change(session, maria, method="email", actor=clara)
    assert no.value.field == "method"
    assert untouched(session, maria)
    maria.email = "maria@home.example"
    edits.change(session, maria, method="email", actor=clara)
    assert edits.effective(session, maria)[1] == "email"


def test_a_call_needs_a_number(session, maria, clara):
    with refused("contact.no_number_to_call") as no:
        edits.change(session, maria, phone="", method="call", actor=clara)
    assert no.value.field == "phone"
    assert untouched(session, maria)


def test_a_number_that_said_stop_is_refused_for_texts_and_told_how_it_can_say_start(session, maria, clara):
    opted_out(session, NEW)
    texted_before(session, maria, NEW)
    with refused("contact.opted_out") as no:
        edits.change(session, maria, phone=NEW, actor=clara)
    assert no.value.field == "phone"
    assert untouched(session, maria)


def test_going_back_to_texts_for_a_number_that_said_stop_is_refused_under_the_method(session, maria, clara):
    opted_out(session, "+13125550142")
    edits.change(session, maria, method="call", actor=clara)
    with refused("contact.opted_out") as no:
        edits.change(session, maria, method="text", actor=clara)
    assert no.value.field == "method"
    assert edits.effective(session, maria)[1] == "call"


def test_a_number_that_said_stop_may_be_called(session, maria, clara):
    opted_out(session, NEW)
    edits.change(session, maria, phone=NEW, method="call", actor=clara)
    assert edits.effective(session, maria) == (NEW, "call")


@pytest.mark.parametrize(("phone", "named"), [(edits.KEEP, "+13125550142"), (NEW, NEW)])
def test_a_number_out_of_service_is_not_called_and_the_contact_may_be_e_mailed(session, maria, clara, phone, named):
    maria.email = "maria@home.example"
    session.merge(PhoneNumber(phone=named, status=SmsStatus.INACTIVE, since=people.NOW))
    texted_before(session, maria, named)
    with refused("contact.inactive") as no:
        edits.change(session, maria, phone=phone, method="call", actor=clara)
    assert no.value.field == "phone"
    assert untouched(session, maria)
    edits.change(session, maria, phone=phone, method="email", actor=clara)
    assert edits.effective(session, maria) == (named, "email")


def test_a_number_out_of_service_is_not_switched_to_autocalls_at_one_press(session, sam, clara):
    gone = people.list_contact(session, people.contact(session, sam), SmsStatus.INACTIVE)
    with refused("contact.inactive"):
        switch_to_call(session, gone.id, version=edits.version_of(session, gone), actor=clara, now=LATER)
    assert edits.states(session, gone) == []


def test_start_is_explained_without_an_unset_number(session, maria, clara):
    opted_out(session, NEW)
    texted_before(session, maria, NEW)
    with refused("contact.opted_out"):
        edits.change(session, maria, phone=NEW, actor=clara, opt_in_number=None)


def test_writing_what_the_sis_says_leaves_no_edit_in_force(session, maria, clara):
    edits.change(session, maria, phone=NEW, actor=clara)
    done = edits.change(session, maria, phone="(312) 555-0142", actor=clara)
    assert done.edit_ids == ()
    assert edits.states(session, maria) == [("phone", NEW, "undone")]
    assert edits.effective(session, maria) == ("+13125550142", "text")


def test_a_second_edit_replaces_the_first_and_undo_goes_back_step_by_step(session, maria, clara):
    first = edits.change(session, maria, phone=NEW, actor=clara).edit_ids[0]
    second = edits.change(session, maria, phone=OTHER, actor=clara, now=LATER).edit_ids[0]
    assert edits.states(session, maria) == [("phone", NEW, "replaced"), ("phone", OTHER, "pending")]
    undo_edit(session, second, actor=clara, now=LATER)
    assert edits.effective(session, maria)[0] == NEW
    undo_edit(session, first, actor=clara, now=LATER)
    assert edits.effective(session, maria)[0] == "+13125550142"
    assert edits.in_force(session, maria) == []


def test_number_and_method_saved_together_are_undone_together(session, maria, clara):
    made = edits.change(session, maria, phone=NEW, method="call", actor=clara).edit_ids
    assert len(made) == 2
    undo_edit(session, made[1], actor=clara, now=LATER)
    assert edits.effective(session, maria) == ("+13125550142", "text")


def test_a_number_and_a_method_saved_one_after_the_other_are_undone_one_by_one(session, maria, clara):
    edits.change(session, maria, phone=NEW, actor=clara)
    method = edits.change(session, maria, method="call", actor=clara, now=LATER).edit_ids[0]
    undo_edit(session, method, actor=clara, now=LATER)
    assert edits.effective(session, maria) == (NEW, "text")


def test_what_was_changed_again_or_undone_already_cannot_be_undone(session, maria, clara, dana):
    first = edits.change(session, maria, phone=NEW, actor=clara).edit_ids[0]
    edits.change(session, maria, phone=OTHER, actor=dana, now=LATER)
    with refused("undo.changed_since"):
        undo_edit(session, first, actor=clara, now=LATER)
    assert edits.effective(session, maria)[0] == OTHER


def test_half_of_what_was_saved_together_cannot_be_undone_by_a_button_of_the_other_half(session, maria, clara, dana):
    number, _ = edits.change(session, maria, phone=NEW, method="call", actor=clara).edit_ids
    edits.change(session, maria, phone=OTHER, actor=dana, now=LATER)
    with refused("undo.changed_since"):
        undo_edit(session, number, actor=clara, now=LATER)
    assert edits.effective(session, maria) == (OTHER, "call")


def test_undoing_twice_is_refused(session, maria, clara):
    made = edits.change(session, maria, phone=NEW, actor=clara).edit_ids[0]
    undo_edit(session, made, actor=clara, now=LATER)
    with refused("undo.done_already"):
        undo_edit(session, made, actor=clara, now=LATER)


def test_second_editor_is_told_who_saved_first(session, maria, clara, dana):
    seen = edits.version_of(session, maria)
    edits.change(session, maria, phone=NEW, actor=dana)
    with pytest.raises(VersionConflict) as late:
        edits.change(session, maria, phone=OTHER, actor=clara, version=seen, now=LATER)
    assert late.value.by == dana.user_id
    assert edits.effective(session, maria)[0] == NEW


@pytest.mark.parametrize("touched", [{"phone": NEW}, {"method": "call"}, {"phone": NEW, "method": "call"}])
def test_the_same_once_more_from_the_same_person_is_saved_once(session, maria, clara, touched):
    seen = edits.version_of(session, maria)
    first = edits.change(session, maria, **touched, actor=clara, version=seen)
    again = edits.change(session, maria, **touched, actor=clara, version=seen, now=LATER)
    assert again == first
    assert len(edits.states(session, maria)) == len(touched)


def test_something_else_from_a_dialog_that_was_saved_already_is_not_saved_unseen(session, maria, clara):
    seen = edits.version_of(session, maria)
    edits.change(session, maria, phone=NEW, actor=clara)
    with pytest.raises(VersionConflict):
        edits.change(session, maria, phone=OTHER, actor=clara, version=seen, now=LATER)
    assert edits.effective(session, maria)[0] == NEW


def test_autocalls_asked_for_twice_are_switched_to_once(session, maria, clara, dana):
    seen = edits.version_of(session, maria)
    for _ in range(2):
        done = switch_to_call(session, maria.id, version=seen, actor=clara, now=LATER)
        assert done.method is ContactMethod.CALL
    with pytest.raises(VersionConflict):
        switch_to_call(session, maria.id, version=seen, actor=dana, now=LATER)
    assert len(edits.states(session, maria)) == 1


def test_a_button_that_has_nothing_left_to_change_says_what_is_so(session, maria, clara):
    asked = {"version": edits.version_of(session, maria), "actor": clara, "now": LATER}
    with refused("contact.gets_texts"):
        use_suggested_number(session, maria.id, phone=maria.sis_phone, **asked)
    maria.sis_method = "call"
    asked["version"] = edits.version_of(session, maria)
    with refused("contact.gets_calls"):
        switch_to_call(session, maria.id, **asked)


@pytest.mark.parametrize("action", ["phone.shown", "claim.taken", "claim.freed", "opt_out.heard", "opt_in.heard"])
def test_what_changes_nothing_of_a_contact_is_not_being_first(session, maria, clara, dana, action):
    seen = edits.version_of(session, maria)
    edits.change(session, maria, phone=NEW, actor=dana)
    session.add(Audit(at=LATER, actor="UOTHER", action=action, subject_kind="contact", subject_id=maria.id))
    with pytest.raises(VersionConflict) as late:
        edits.change(session, maria, phone=OTHER, actor=clara, version=seen, now=LATER)
    assert late.value.by == dana.user_id


def test_repeated_save_after_a_colleagues_claim_is_saved_once(session, maria, clara):
    seen = edits.version_of(session, maria)
    first = edits.change(session, maria, phone=NEW, actor=clara, version=seen)
    taken = Audit(at=LATER, actor="UOTHER", action="claim.taken", subject_kind="contact", subject_id=maria.id)
    session.add(taken)
    assert edits.change(session, maria, phone=NEW, actor=clara, version=seen, now=LATER) == first


@pytest.mark.parametrize("touched", [{"phone": NEW}, {"method": "call"}, {"phone": ""}])
def test_a_listed_contact_waits_for_the_next_message_until_it_is_back_to_what_failed(session, maria, clara, touched):
    edits.change(session, maria, **touched, actor=clara, now=LATER)
    assert (entry(session, maria).updated_at, entry(session, maria).updated_by) == (LATER, clara.user_id)
    edits.change(session, maria, phone="+13125550142", method="text", actor=clara, now=LATER)
    assert (entry(session, maria).updated_at, entry(session, maria).updated_by) == (None, None)


def test_undo_takes_the_mark_off_the_list_again(session, maria, clara):
    made = edits.change(session, maria, phone=NEW, actor=clara).edit_ids[0]
    undo_edit(session, made, actor=clara, now=LATER)
    assert entry(session, maria).updated_at is None


def test_edit_lists_no_one(session, sam, clara):
    well = people.contact(session, sam, given="Otto")
    edits.change(session, well, phone=NEW, actor=clara)
    assert session.get(ListEntry, well.id) is None


def test_each_change_is_written_down_with_numbers_masked(session, maria, clara, dana):
    made = edits.change(session, maria, phone=NEW, method="call", actor=clara).edit_ids[0]
    undo_edit(session, made, actor=dana, now=LATER)
    edits.change(session, maria, phone="", actor=clara, now=LATER)
    assert edits.audit_log(session) == [
        ("phone.changed", clara.user_id, "••• 0142", "••• 9901"),
        ("method.changed", clara.user_id, "text", "call"),
        ("phone.undone", dana.user_id, "••• 9901", "••• 0142"),
        ("method.undone", dana.user_id, "call", "text"),
        ("phone.changed", clara.user_id, "••• 0142", "no number"),
    ]


def test_edit_applies_to_siblings_but_not_to_others_with_the_number(session, district, sam, maria, clara):
    eva = people.student(session, "Eva", grade="2", at=district.lincoln)
    session.add(StudentContact(student_id=eva.id, contact_id=maria.id))
    neighbour = people.contact(session, eva, given="Otto", phone=maria.sis_phone)
    edits.change(session, maria, phone=NEW, actor=clara)
    read = views.effective_contacts.c
    phones = session.execute(select(read.student_id, read.contact_id, read.phone).order_by(read.student_id))
    assert [tuple(row) for row in phones if row.contact_id == maria.id] == [
        (sam.id, maria.id, NEW),
        (eva.id, maria.id, NEW),
    ]
    assert edits.effective(session, neighbour)[0] == "+13125550142"
