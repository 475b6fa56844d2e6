"""Changes that the SIS does not have yet: which students they concern, and the two files that export them."""

import csv
import io
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from support import edits, people

from bot.access import rights
from bot.contact_edits.pending import iter_pending
from bot.contact_edits.pending_export import write_change_sheet, write_powerschool_file
from bot.contact_edits.pending_page import load_pending_page
from bot.contact_edits.undo import undo_edit
from bot.db.models.edits import Edit
from bot.db.models.roster import Student
from bot.db.models.slack import SlackUser
from bot.errors import UserError

CHICAGO = ZoneInfo("America/Chicago")
EVERYONE = select(Student.id).where(Student.active)


@pytest.fixture
def family(session, district, dana):
    """Sam and Lea are siblings; Maria is their mother, Otto Sam's father."""
    sam = people.student(session, at=district.lincoln)
    lea = people.student(session, "Lea", at=district.roosevelt, grade="9")
    people.school_class(session, district.ana, district.lincoln, sam)
    maria = people.contact(session, sam, lea, phone="+13125550142")
    otto = people.contact(session, sam, given="Otto", phone="+13125550143")
    session.add(
        SlackUser(user_id=dana.user_id, email="dana.diaz@district.example", full_member=True, checked_at=people.NOW)
    )
    session.flush()
    return sam, lea, maria, otto


def waiting(session, students=EVERYONE):
    session.flush()
    return list(iter_pending(session, students))


def sheet(session, students=EVERYONE):
    file = io.StringIO(newline="")
    file_counts = write_change_sheet(waiting(session, students), file, zone=CHICAGO, region="US")
    return file_counts, list(csv.DictReader(io.StringIO(file.getvalue().removeprefix("\ufeff"))))


@pytest.fixture
def in_powerschool(family):
    """Maria and Otto have Contact IDs."""
    for contact_id, contact in enumerate(family[2:], 501):
        contact.sis_contact_id, contact.is_powerschool_id = str(contact_id), True


def powerschool(session):
    file = io.StringIO(newline="")
    file_counts = write_powerschool_file(waiting(session), file, region="US")
    return file_counts, list(csv.DictReader(io.StringIO(file.getvalue())))


def test_a_new_number_is_one_row_that_names_all_the_students_of_the_contact(session, family, dana):
    edits.change(session, family[2], phone="(312) 555-0199", actor=dana)
    (one,) = waiting(session)
    assert (one.old, one.new, one.disputed) == ("+13125550142", "+13125550199", False)
    assert (one.students, one.schools) == (("Lea Rivera", "Sam Rivera"), ("Roosevelt High", "Lincoln Elementary"))
    assert one.made_by == "Dana Diaz"


def test_a_change_that_was_undone_or_that_the_sis_has_now_is_not_pending(session, family, dana):
    _, _, maria, otto = family
    undone = edits.change(session, maria, phone="(312) 555-0199", actor=dana)
    undo_edit(session, undone.edit_ids[0], actor=dana, now=people.NOW)
    edits.change(session, otto, phone="(312) 555-0198", actor=dana)
    edits.sync_phone(session, otto, "+13125550198")
    assert waiting(session) == []


def test_a_third_value_in_the_sis_is_the_old_value_of_a_disputed_change(session, family, dana):
    edits.change(session, family[2], phone="(312) 555-0199", actor=dana)
    edits.sync_phone(session, family[2], "+13125550777")
    (one,) = waiting(session)
    assert (one.old, one.new, one.disputed) == ("+13125550777", "+13125550199", True)


def test_a_removal_is_one_row_with_the_students_it_concerns(session, family, dana):
    sam, _, maria, otto = family
    edits.remove(session, maria, None, actor=dana)
    edits.remove(session, otto, sam, actor=dana)
    rows = {one.given_name: (one.students, one.kind) for one in waiting(session)}
    assert rows == {"Maria": (("Lea Rivera", "Sam Rivera"), "removed"), "Otto": (("Sam Rivera",), "removed")}


def test_an_edit_of_a_contact_that_was_then_removed_is_not_pending(session, family, dana):
    edits.change(session, family[3], phone="(312) 555-0199", actor=dana)
    edits.remove(session, family[3], None, actor=dana)
    assert [one.kind for one in waiting(session)] == ["removed"]


def test_a_teacher_gets_only_changes_and_names_of_their_own_students(session, family, dana, district):
    edits.change(session, family[2], phone="(312) 555-0199", actor=dana)
    ana, tom = (rights.visible_students(people.actor_of(one)) for one in (district.ana, district.tom))
    assert [one.students for one in waiting(session, ana)] == [("Sam Rivera",)]
    assert waiting(session, tom) == []
    assert load_pending_page(session, tom, page_size=10).total == 0


def test_changes_of_a_student_who_left_are_not_pending_for_the_district(session, family, dana):
    sam, lea, maria, otto = family
    edits.change(session, maria, phone="(312) 555-0199", actor=dana)
    edits.remove(session, otto, sam, actor=dana)
    sam.active = lea.active = False
    session.flush()
    students = rights.visible_students(dana)
    assert load_pending_page(session, students, page_size=10, is_district=True).total == 0


def test_the_sheet_has_readable_values_and_times_in_the_district_s_zone(session, family, dana):
    edits.change(session, family[2], phone="(312) 555-0199", method="call", actor=dana)
    file_counts, rows = sheet(session)
    assert file_counts.changes == 2
    assert rows[1] == {
        "school": "Roosevelt High; Lincoln Elementary",
        "student": "Lea Rivera; Sam Rivera",
        "student id": f"{family[1].sourced_id}; {family[0].sourced_id}",
        "contact": "Maria Rivera",
        "contact id": family[2].sourced_id,
        "change": "phone",
        "in the SIS now": "(312) 555-0142",
        "entered here": "(312) 555-0199",
        "state": "not yet in the SIS",
        "changed by": "Dana Diaz",
        "changed at (America/Chicago)": "2026-11-23 09:00",
    }
    assert (rows[0]["in the SIS now"], rows[0]["entered here"]) == ("text", "call")


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)"])
def test_a_name_that_looks_like_a_formula_is_escaped(session, family, dana, name):
    family[2].given_name = name
    edits.change(session, family[2], phone="(312) 555-0199", actor=dana)
    assert sheet(session)[1][0]["contact"] == f"'{name} Rivera"


def test_powerschool_gets_the_new_number_first_and_preferred(session, family, in_powerschool, dana):
    edits.change(session, family[2], phone="(312) 555-0199", actor=dana)
    file_counts, (row,) = powerschool(session)
    assert file_counts.changes == 1
    assert len(row) == 76
    assert {name: cell for name, cell in row.items() if cell} == {
        "Contact ID": "501",
        "First Name": "Maria",
        "Last Name": "Rivera",
        "Is SMS": "1",
        "phoneNumberAsEntered": "(312) 555-0199",
        "Phone Type": "Mobile",
        "Phone Number Priority Order": "1",
        "Is Preferred": "1",
    }


def test_the_powerschool_file_leaves_out_deletions_and_conflicts(session, family, in_powerschool, dana):
    sam, _, maria, otto = family
    gone = people.contact(session, sam, given="Gone")
    odd = people.contact(session, sam, family="#delete")
    odd.sis_contact_id, odd.is_powerschool_id = "503", True
    for one, number in ((maria, "(312) 555-0199"), (otto, "(312) 555-0198"), (odd, "(312) 555-0197"), (gone, "")):
        edits.change(session, one, phone=number, actor=dana)
    edits.change(session, otto, method="call", actor=dana)
    edits.sync_phone(session, maria, "+13125550777")
    file_counts, rows = powerschool(session)
    assert [row["Phone Type"] for row in rows] == ["Home"]
    assert sorted(file_counts.left_out.values()) == [1, 1, 1, 1]


def test_ids_of_other_products_are_refused_by_the_powerschool_file(session, family, dana):
    family[2].sis_contact_id = "G501"
    edits.change(session, family[2], phone="(312) 555-0199", actor=dana)
    with pytest.raises(UserError, match="SIS_CONTACTS_CSV") as refused:
        powerschool(session)
    assert refused.value.code == "export.no_contact_ids"
    assert sheet(session)[1][0]["contact id"] == "G501"


def test_contact_without_an_id_or_a_name_is_left_out_of_the_powerschool_file(session, family, in_powerschool, dana):
    sam, _, maria, otto = family
    other = people.contact(session, sam, given="Rosa", phone="+13125550144")
    otto.given_name, otto.family_name = "Father of", "Sam Rivera"
    for contact, number in ((maria, "(312) 555-0199"), (otto, "(312) 555-0198"), (other, "(312) 555-0197")):
        edits.change(session, contact, phone=number, actor=dana)
    file_counts, rows = powerschool(session)
    assert [row["Contact ID"] for row in rows] == ["501"]
    assert sorted(file_counts.left_out.values()) == [1, 1]


@pytest.mark.parametrize("is_district", [False, True])
def test_pages_have_each_change_once_disputed_first(session, family, dana, is_district):
    sam, _lea, maria, otto = family
    edits.change(session, maria, phone="(312) 555-0199", method="call", actor=dana)
    edits.remove(session, otto, sam, actor=dana)
    dispute = session.scalars(select(Edit).where(Edit.field == "method")).one()
    dispute.state, dispute.sis_value = "conflict", "email"
    session.flush()
    students = rights.visible_students(dana)
    pages = [
        load_pending_page(session, students, page=number, page_size=2, is_district=is_district) for number in (1, 2, 3)
    ]
    assert [(page.page, page.pages, page.total, page.disputed) for page in pages] == [
        (1, 2, 3, 1),
        (2, 2, 3, 1),
        (2, 2, 3, 1),
    ]
    assert pages[0].counts == {"phone": 1, "method": 1, "removed": 1}
    assert pages[0].changes[0].disputed
    shown = [(change.contact_id, change.kind) for page in pages[:2] for change in page.changes]
    assert sorted(shown) == sorted((change.contact_id, change.kind) for change in waiting(session))
