"""The fixes of a list: who counts as a student without an adult, what a clerk can do, and in which order."""

import pytest
from sqlalchemy import update
from support import edits, people

from bot.access.rights import AccessLevel
from bot.db.models.edits import TriedNumber
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.db.models.roster import OtherNumber
from bot.domain.sms_status import SmsStatus
from bot.filters.filter import Filter
from bot.reachability.fix_details import load_details
from bot.reachability.fixes import Remedy, load_plan


@pytest.fixture
def child(session, district):
    """Return a builder of students at Lincoln."""
    return lambda name, **values: people.student(session, name, at=district.lincoln, **values)


@pytest.fixture
def listed(session):
    """Return a builder of contacts on the list."""

    def listed(*students, status=SmsStatus.BLOCKED, **values):
        return people.list_contact(session, people.contact(session, *students, **values), status)

    return listed


def plan(session, actor, which=None):
    session.flush()
    return list(load_plan(session, which or Filter(), actor=actor).fixes)


def helped(session, actor, which=None):
    """Return the students of each fix, in their order."""
    return [fix.students for fix in plan(session, actor, which)]


def set_entry(session, contact, **values):
    session.execute(update(ListEntry).where(ListEntry.contact_id == contact.id).values(**values))


def test_parent_of_three_siblings_comes_first(session, clara, child, listed):
    alone, finn, nora, liam = (child(name) for name in ("Ada", "Finn", "Nora", "Liam"))
    listed(alone, given="Ana")
    mother = listed(finn, nora, liam, given="Colleen")
    listed(finn, given="Bob")
    first, second = plan(session, clara)
    assert (first.contact_ids, set(first.students)) == ((mother.id,), {finn.id, nora.id, liam.id})
    assert second.students == (alone.id,)
    assert load_plan(session, Filter(), actor=clara).students == 4


def test_student_with_an_adult_who_can_be_texted_is_not_counted(session, clara, child, listed):
    sam = child("Sam")
    listed(sam)
    people.contact(session, sam, given="Ned")
    assert plan(session, clara) == []


@pytest.mark.parametrize("how", ["fixed", "claimed", "opted out", "removed"])
def test_contact_that_no_one_can_fix_now_is_left_out(session, clara, child, listed, how):
    sam = child("Sam")
    mother = listed(sam, status=SmsStatus.OPT_OUT if how == "opted out" else SmsStatus.BLOCKED)
    if how == "fixed":
        set_entry(session, mother, updated_at=people.NOW)
    if how == "claimed":
        set_entry(session, mother, claimed_by="UOTHER", claimed_at=people.NOW)
    if how == "removed":
        edits.remove(session, mother, sam, actor=clara)
    assert plan(session, clara) == []


def test_own_claim_stays(session, clara, child, listed):
    sam = child("Sam")
    set_entry(session, listed(sam), claimed_by=clara.user_id, claimed_at=people.NOW)
    (fix,) = plan(session, clara)
    assert load_details(session, [fix])[0].claimed_by == clara.user_id


def test_landline_is_switched_for_students_whom_no_message_reaches(session, clara, child, listed):
    sam = child("Sam")
    listed(sam, status=SmsStatus.LANDLINE)
    (fix,) = plan(session, clara)
    assert (fix.remedy, fix.students, fix.are_unreachable) == (Remedy.SWITCH_TO_CALLS, (sam.id,), True)


def test_landline_needs_a_number_where_another_adult_gets_calls(session, clara, child, listed):
    sam, mia = child("Sam"), child("Mia")
    listed(sam, mia, status=SmsStatus.LANDLINE)
    people.contact(session, sam, given="Otto", method="call")
    (fix,) = plan(session, clara)
    assert (fix.remedy, set(fix.students)) == (Remedy.NEW_NUMBER, {sam.id, mia.id})


def test_students_whom_no_message_reaches_come_before_more_others(session, clara, child, listed):
    sam, finn, nora = child("Sam"), child("Finn"), child("Nora")
    listed(finn, nora)
    people.contact(session, finn, nora, given="Otto", method="call")
    listed(sam, given="Ana")
    assert helped(session, clara) == [(sam.id,), (finn.id, nora.id)]


def test_one_press_comes_before_a_call_to_the_family(session, clara, child, listed):
    ada, ben, cleo = child("Ada"), child("Ben"), child("Cleo")
    listed(ada, status=SmsStatus.INACTIVE)
    listed(ben, status=SmsStatus.UNCONFIRMED)
    mother = listed(cleo, status=SmsStatus.UNCONFIRMED)
    session.add(OtherNumber(contact_id=mother.id, phone="+13125550777", position=1))
    fixes = plan(session, clara)
    assert [fix.students for fix in fixes] == [(cleo.id,), (ada.id,), (ben.id,)]
    assert [fix.remedy for fix in fixes] == [Remedy.USE_NUMBER, Remedy.NEW_NUMBER, Remedy.NEW_NUMBER]


def test_further_number_that_failed_is_no_fix(session, clara, child, listed):
    sam, mia = child("Sam"), child("Mia")
    mother = listed(sam)
    people.contact(session, mia, given="Ned")
    listed(mia, given="Una", phone="+13125550777")
    session.add(OtherNumber(contact_id=mother.id, phone="+13125550777", position=1))
    (fix,) = plan(session, clara)
    assert fix.remedy is Remedy.NEW_NUMBER


def test_conflict_is_settled_where_the_sis_has_a_number_for_texts(session, clara, child, listed):
    sam = child("Sam")
    mother = listed(sam, given="Ana")
    edits.change(session, mother, phone="+13125550778", actor=clara)
    edits.sync_phone(session, mother, "+13125550779")
    session.add(PhoneNumber(phone="+13125550778", status=SmsStatus.INACTIVE, since=people.NOW))
    session.add(TriedNumber(contact_id=mother.id, phone="+13125550778"))
    set_entry(session, mother, updated_at=None)
    (fix,) = plan(session, clara)
    assert fix.remedy is Remedy.SETTLE_CONFLICT


def test_records_of_one_adult_are_one_fix(session, clara, child, listed):
    finn, nora, sam = child("Finn"), child("Nora"), child("Sam")
    records = [listed(student, given="Colleen", phone="+13125550780") for student in (finn, nora)]
    listed(sam, given="Otto", phone="+13125550780")
    first, second = plan(session, clara)
    assert (set(first.contact_ids), set(first.students)) == ({record.id for record in records}, {finn.id, nora.id})
    assert second.students == (sam.id,)


def test_another_record_with_a_number_is_one_press(session, clara, child, listed):
    finn, nora = child("Finn"), child("Nora")
    listed(finn, given="Colleen")
    people.contact(session, finn, nora, given="Dan", method="email")
    people.contact(session, nora, given="Colleen")
    (fix,) = plan(session, clara)
    assert fix.remedy is Remedy.NEW_NUMBER
    assert load_details(session, [fix])[0].fix.remedy is Remedy.USE_NUMBER


def test_filter_and_rights_narrow_it(session, district, dana, child, listed):
    finn, nora = child("Finn", grade="2"), child("Nora", grade="4")
    listed(finn, nora)
    people.school_class(session, district.ana, district.lincoln, nora)
    ana = people.actor_of(district.ana, level=AccessLevel.CLASSES)
    assert helped(session, dana, Filter(grades=("2",))) == [(finn.id,)]
    assert helped(session, dana, Filter(statuses=(SmsStatus.LANDLINE,))) == []
    assert helped(session, ana) == [(nora.id,)]
    assert helped(session, people.actor_of(district.tom, level=AccessLevel.CLASSES)) == []


def test_details_name_the_adult_and_the_students(session, clara, child, listed):
    finn, nora = child("Finn", grade="2"), child("Nora", grade="4")
    listed(finn, nora, given="Colleen", relationship="mother", phone="+13125550781")
    (details,) = load_details(session, plan(session, clara))
    assert (details.name, details.relationship, details.phone) == ("Colleen Rivera", "mother", "+13125550781")
    assert [(student.name, student.grade) for student in details.students] == [
        ("Finn Rivera", "2"),
        ("Nora Rivera", "4"),
    ]
