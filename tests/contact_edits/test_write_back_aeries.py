"""Approved edits in Aeries: the one record that is meant, the one field that has the old number, and nothing else."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from support import saved_rows
from support.aeries_desk import LEA, MARIA, OTTO, SAM, AeriesDesk
from support.aeries_server import serving
from support.powerschool_desk import Killed
from support.sis_faults import Fault, disconnect, responding

from bot.db.models.edits import Audit
from bot.db.models.roster import Student, StudentContact
from bot.db.session import transaction
from bot.errors import UserError

OLD, NEW, THIRD = "3125550142", "3125550199", "3125550177"


@pytest.fixture
def aeries():
    with serving() as running:
        running.add(*MARIA, "Maria", "Rivera", CellPhone=OLD)
        running.add(*OTTO, "Otto", "Rivera")
        running.add(LEA, 7, "Maria", "Rivera", CellPhone=OLD, EmailAddress="maria@home.example")
        yield running


@pytest.fixture
def desk(empty_database, tmp_path, aeries):
    desk = AeriesDesk(empty_database, tmp_path, aeries)
    saved_rows.fill_once(empty_database, "Aeries", desk.sync)
    return desk


@pytest.mark.parametrize("quirk", [{}, {"leaves_out": True}, {"pads": True}])
def test_only_the_field_with_the_old_number_changes(desk, quirk):
    vars(desk.aeries).update(quirk)
    before = dict(desk.aeries.contacts[MARIA])
    desk.edit()
    desk.approve()
    assert desk.write() == 1
    assert desk.aeries.writes == [(MARIA, "CellPhone", OLD, NEW)]
    assert desk.aeries.contacts[MARIA] == before | {"CellPhone": NEW}
    assert desk.state() == ("+1" + NEW, ["absorbed"], ["done"])
    desk.sync()
    assert desk.state() == ("+1" + NEW, ["absorbed"], ["done"])


def test_the_history_names_aeries(desk):
    desk.edit()
    desk.approve()
    desk.write()
    with transaction(desk.engine) as session:
        rows = session.scalars(select(Audit)).all()
    assert ("edit.absorbed", "U0REGISTRAR", "written to Aeries") in {
        (row.action, row.actor, row.reason) for row in rows
    }


@pytest.mark.parametrize("field", ["HomePhone", "WorkPhone"])
def test_the_number_changes_in_the_field_where_it_stands(desk, field):
    desk.aeries.contacts[MARIA] |= {"CellPhone": "", field: OLD}
    desk.sync()
    desk.edit()
    desk.approve()
    desk.write()
    assert desk.aeries.writes == [(MARIA, field, OLD, NEW)]
    assert desk.state() == ("+1" + NEW, ["absorbed"], ["done"])


def test_other_phones_of_the_contact_stay(desk):
    desk.aeries.contacts[MARIA] |= {"HomePhone": "3125550100", "WorkPhone": "3125550101", "WorkPhoneExt": "7"}
    desk.edit()
    desk.approve()
    desk.write()
    assert [write[1:] for write in desk.aeries.writes] == [("CellPhone", OLD, NEW)]
    assert desk.state() == ("+1" + NEW, ["absorbed"], ["done"])


def test_a_contact_without_a_number_gets_a_cell_phone(desk):
    desk.edit(OTTO)
    desk.approve()
    desk.write()
    assert desk.aeries.writes == [(OTTO, "CellPhone", "", NEW)]
    assert desk.state(OTTO) == ("+1" + NEW, ["absorbed"], ["done"])


def test_no_number_empties_the_field(desk):
    desk.edit(phone="")
    desk.approve()
    desk.write()
    assert desk.aeries.writes == [(MARIA, "CellPhone", OLD, "")]
    assert desk.state() == (None, ["absorbed"], ["done"])


@pytest.mark.parametrize("fields", [{"CellPhone": THIRD}, {"CellPhone": "", "HomePhone": THIRD}, {"CellPhone": ""}])
def test_a_newer_number_is_a_conflict_and_stays(desk, fields):
    desk.edit()
    desk.approve()
    desk.aeries.contacts[MARIA] |= fields
    desk.write()
    assert desk.aeries.writes == []
    assert desk.state() == ("+1" + NEW, ["conflict"], ["conflict"])
    desk.sync()
    assert desk.state() == ("+1" + NEW, ["conflict"], ["conflict"])


def test_a_number_that_is_there_already_is_absorbed(desk):
    desk.edit()
    desk.approve()
    desk.aeries.contacts[MARIA]["CellPhone"] = "(312) 555-0199"
    desk.write()
    assert desk.aeries.writes == []
    assert desk.state() == ("+1" + NEW, ["absorbed"], ["done"])


def _rename(aeries):
    aeries.contacts[MARIA]["LastName"] = "Riviera"


def _delete(aeries):
    del aeries.contacts[MARIA]


def _double(aeries):
    aeries.add(SAM, 9, "Maria", "Rivera", CellPhone=OLD)


def _lock(aeries):
    aeries.contacts[MARIA]["AdministrativeLockCode"] = "Y"


def _extend(aeries):
    aeries.contacts[MARIA] |= {"CellPhone": "", "WorkPhone": OLD, "WorkPhoneExt": "12"}


def _add_cell(aeries):
    aeries.contacts[MARIA] |= {"CellPhone": THIRD, "HomePhone": OLD}


def _repeat(aeries):
    aeries.contacts[MARIA]["HomePhone"] = NEW


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_rename, "other_name"),
        (_delete, "gone"),
        (_double, "ambiguous"),
        (_lock, "locked"),
        (_extend, "extension"),
        (_add_cell, "other_number"),
        (_repeat, "other_number"),
    ],
)
def test_what_is_not_certain_is_left_to_a_person(desk, change, reason):
    desk.edit()
    desk.approve()
    change(desk.aeries)
    desk.write()
    assert desk.aeries.writes == []
    assert desk.state() == ("+1" + NEW, ["pending"], [("blocked", reason)])


@pytest.mark.parametrize("status", [404, 200])
def test_a_student_whom_aeries_does_not_have_is_left_to_a_person(desk, status):
    desk.aeries.unknown_student = status
    desk.edit()
    desk.approve()
    for key in (MARIA, OTTO):
        del desk.aeries.contacts[key]
    desk.write()
    assert desk.state() == ("+1" + NEW, ["pending"], [("blocked", "gone")])


def test_of_two_contacts_of_one_name_the_one_with_the_old_number_changes(desk):
    desk.aeries.add(SAM, 9, "Maria", "Rivera", CellPhone=THIRD)
    desk.edit()
    desk.approve()
    desk.write()
    assert desk.aeries.writes == [(MARIA, "CellPhone", OLD, NEW)]


def test_a_number_from_abroad_is_never_cut_to_ten_digits(desk):
    desk.edit(phone="+442079460958")
    desk.approve()
    desk.write()
    assert desk.aeries.writes == []
    assert desk.state() == ("+442079460958", ["pending"], [("blocked", "foreign")])


def test_what_cannot_be_read_is_not_overwritten(desk):
    desk.aeries.contacts[OTTO]["CellPhone"] = "5550142"
    desk.sync()
    desk.edit(OTTO)
    desk.approve()
    desk.write()
    assert desk.aeries.writes == []
    assert desk.state(OTTO) == ("+1" + NEW, ["pending"], [("blocked", "unreadable")])


@pytest.mark.parametrize("sourced_id", ["clever-sam", "1234567890123"])
def test_a_student_without_an_id_of_aeries_is_left_to_a_person(desk, sourced_id):
    desk.edit()
    desk.approve()
    with transaction(desk.engine) as session:
        session.query(Student).where(Student.sourced_id == str(SAM)).update({"sourced_id": sourced_id})
    desk.write()
    assert desk.aeries.requests == []
    assert desk.state() == ("+1" + NEW, ["pending"], [("blocked", "no_student_id")])


def test_a_student_number_serves_where_the_roster_has_ids_of_its_own(desk):
    desk.edit()
    desk.approve()
    with transaction(desk.engine) as session:
        values = {"sourced_id": "clever-sam", "identifier": str(SAM)}
        session.query(Student).where(Student.sourced_id == str(SAM)).update(values)
    desk.write()
    assert desk.state() == ("+1" + NEW, ["absorbed"], ["done"])


@pytest.mark.parametrize(("phone", "after"), [("+1" + NEW, NEW), ("", "")])
def test_a_contact_of_siblings_changes_with_each_of_them(desk, phone, after):
    """The roster may have one contact for both; Aeries has one for each. A crash between them loses neither."""
    desk.aeries.leaves_out = True
    with transaction(desk.engine) as session:
        lea = session.scalars(select(Student).where(Student.sourced_id == str(LEA))).one()
        session.add(StudentContact(student_id=lea.id, contact_id=desk.contact(session).id))
    desk.edit(phone=phone)
    desk.approve()
    assert desk.write() == 0
    assert desk.write(later=timedelta(minutes=3)) == 1
    assert desk.aeries.writes == [(MARIA, "CellPhone", OLD, after), ((LEA, 7), "CellPhone", OLD, after)]
    assert desk.state() == (phone or None, ["absorbed"], ["done"])


def test_a_newer_number_beside_one_sibling_keeps_both(desk):
    with transaction(desk.engine) as session:
        lea = session.scalars(select(Student).where(Student.sourced_id == str(LEA))).one()
        session.add(StudentContact(student_id=lea.id, contact_id=desk.contact(session).id))
    desk.edit()
    desk.approve()
    desk.aeries.contacts[LEA, 7]["CellPhone"] = THIRD
    desk.write()
    assert desk.aeries.writes == []
    assert desk.state() == ("+1" + NEW, ["conflict"], ["conflict"])


def test_a_field_without_permission_is_not_taken_for_done(desk):
    desk.aeries.permissions = ("EmailAddress",)
    desk.edit()
    desk.approve()
    desk.write()
    assert desk.state() == ("+1" + NEW, ["pending"], [("blocked", "refused")])


@pytest.mark.parametrize("answer", [responding(400, {"Message": "No"}), responding(200, {"Message": "No"})])
def test_a_refused_change_is_left_to_a_person(desk, answer):
    desk.edit()
    desk.approve()
    desk.aeries.faults = [Fault("^POST", answer)]
    desk.write()
    assert desk.state() == ("+1" + NEW, ["pending"], [("blocked", "refused")])


@pytest.mark.parametrize("person", [MARIA, OTTO])
@pytest.mark.parametrize("kill_at", range(8))
def test_a_crash_anywhere_neither_loses_nor_doubles(desk, person, kill_at):
    desk.edit(person)
    desk.approve()
    desk.kill_at = kill_at
    with pytest.raises(Killed):
        desk.write()
    desk.write(later=timedelta(minutes=3))
    assert desk.state(person) == ("+1" + NEW, ["absorbed"], ["done"])
    assert len(desk.aeries.writes) == 1


@pytest.mark.parametrize("answer", [disconnect, responding(500)])
@pytest.mark.parametrize("after", [True, False])
def test_a_lost_answer_is_looked_up_before_anything_is_sent_again(desk, answer, after):
    desk.edit()
    desk.approve()
    desk.aeries.faults = [Fault("^POST", answer, after=after)]
    assert desk.write() == 0
    assert desk.state()[2] == ["writing"]
    assert desk.write(later=timedelta(minutes=3)) == 1
    assert desk.state() == ("+1" + NEW, ["absorbed"], ["done"])
    assert len(desk.aeries.writes) == 1


@pytest.mark.parametrize(
    ("request_", "answer", "code"),
    [
        ("^GET", responding(401, {"Message": "Invalid certificate"}), "sis.forbidden"),
        ("^POST", responding(403, {"Message": "No permission"}), "sis.forbidden"),
        ("^POST", responding(429, retry_after=0), "sis.refused"),
        ("^GET", responding(503), "sis.refused"),
        ("^GET", responding(200, {"Message": "An error has occurred."}), "sis.unknown_answer"),
        ("^GET", responding(404), "sis.unknown_answer"),
    ],
)
def test_a_server_that_is_down_or_refuses_us_delays_the_batch(desk, request_, answer, code):
    desk.edit()
    desk.approve()
    desk.aeries.faults = [Fault(request_, answer, times=99)]
    with pytest.raises(UserError) as refused:
        desk.write()
    assert refused.value.code == code
    desk.aeries.faults.clear()
    assert desk.write(later=timedelta(minutes=1)) == 0
    assert desk.write(later=timedelta(minutes=5)) == 1
    assert desk.state() == ("+1" + NEW, ["absorbed"], ["done"])
