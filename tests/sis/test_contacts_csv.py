import csv
import io
from datetime import date
from pathlib import Path

import pytest

from bot.contact_edits.pending_export import POWERSCHOOL_COLUMNS
from bot.errors import UserError
from bot.sis import contacts_csv
from bot.sis.rows import ContactRow, Rejection, UnreadRow


def read(tmp_path, text):
    path = tmp_path / "families.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(contacts_csv.open_part(path, region="US").rows())


def contacts(rows):
    return [row for row in rows if isinstance(row, ContactRow)]


HEADERS = {
    "Clever": "Student_id,Contact_name,Contact_relationship,Contact_type,Contact_phone,Contact_phone_type,Contact_email\n"
    "sam,Maria Rivera,Mother,Primary,3125550142,Cell,maria@home.example\n",
    "Clever's students with their contacts": "School_id,Student_id,Last_name,First_name,Student_email,Contact_name,"
    "Contact_type,Contact_relationship,Contact_phone,Contact_phone_type,Contact_email\n"
    "lincoln,sam,Rivera,Sam,sam@school.example,Maria Rivera,Primary,Mother,3125550142,Cell,maria@home.example\n",
    "Microsoft School Data Sync": "SIS ID,First Name,Last Name,Role,Phone,Email,order\n"
    "sam,Maria,Rivera,Mother,3125550142,maria@home.example,1\n",
    "a report of the district's own": "STUDENT NUMBER,Parent Last Name,Parent First Name,Relationship To Student,"
    "Mobile Phone,E-Mail Address,Contact Priority\nsam,Rivera,Maria,MOTHER,(312) 555-0142,maria@home.example,1\n",
    "a name the other way round": "student_id,name,relationship,priority,phone,phone type,email\n"
    'sam,"Rivera, Maria",mother,1,312.555.0142,Mobile,maria@home.example\n',
}


@pytest.mark.parametrize("text", HEADERS.values(), ids=HEADERS)
def test_columns_of_every_known_product_are_read(tmp_path, text):
    [row] = read(tmp_path, text)
    assert row[1:11] == (
        *("sam", "", "Maria", "Rivera", "maria rivera", "maria@home.example"),
        *("mother", 1, "+13125550142", row.phone_written),
    )


KINDS = {
    "Cell": 1,
    "mobile phone": 1,
    "CELLULAR": 1,
    "Home": 3,
    "Work Phone": 3,
    "": 2,
    "Other": 2,
    "Grandma's": 2,
}


@pytest.mark.parametrize(("kind", "rank"), KINDS.items())
def test_phone_type_gives_the_rank_for_texts(tmp_path, kind, rank):
    [row] = read(tmp_path, f"student_id,name,phone,phone_type\nsam,Maria Rivera,3125550142,{kind}\n")
    assert row.rank == rank


@pytest.mark.parametrize(
    ("written", "read_as"), [("1", 1), ("007", 7), ("32767", 32_767), ("32768", None), ("9" * 5_000, None)]
)
def test_priority_out_of_range_is_none(tmp_path, written, read_as):
    [row] = read(tmp_path, f"student_id,name,priority\nsam,Maria Rivera,{written}\n")
    assert row.priority == read_as


def test_fax_number_is_left_out_and_reported(tmp_path):
    rejection, row = read(tmp_path, "student_id,name,phone,phone_type\nsam,Maria Rivera,3125550142,Fax\n")
    assert (rejection.line, rejection.column_name, row.phone) == (2, "phone", None)


def test_several_numbers_of_a_line_are_several_rows(tmp_path):
    rows = read(tmp_path, "student_id,name,home_phone,cell_phone\nsam,Maria Rivera,3125550199,3125550142\n")
    assert [(row.phone, row.rank) for row in rows] == [("+13125550142", 1), ("+13125550199", 3)]


def test_contact_with_an_unreadable_number_is_kept(tmp_path):
    rejection, row = read(tmp_path, "student_id,name,phone\nsam,Maria Rivera,N/A\n")
    assert isinstance(rejection, Rejection)
    assert (row.given_name, row.phone, row.phone_written) == ("Maria", None, "N/A")


def test_rejected_lines_keep_what_is_stored_of_the_student(tmp_path):
    rows = read(tmp_path, 'student_id,name,phone\n,,1\nsam,,\nlea,"João,2\nsam,Too,Many,Cells\n')
    assert [(row.line, row.sourced_id) for row in rows if isinstance(row, UnreadRow)] == [
        (2, ""),
        (3, "sam"),
        (4, "lea"),
        (5, "sam"),
    ]
    assert contacts(rows) == []


def powerschool(tmp_path, *cells):
    """Read rows of PowerSchool's own template; `cells` are dicts by title."""
    file = io.StringIO()
    sheet = csv.DictWriter(file, POWERSCHOOL_COLUMNS, restval="")
    sheet.writeheader()
    sheet.writerows(cells)
    (tmp_path / "families.csv").write_text(file.getvalue())
    part = contacts_csv.open_part(tmp_path / "families.csv", region="US")
    return part, list(part.rows())


ANA = {
    "Contact ID": "501",
    "First Name": "Ana",
    "Last Name": "Rivera",
    "phoneNumberAsEntered": "312-555-0142",
    "Phone Type": "Mobile",
    "Phone Number Priority Order": "2",
    "studentNumber": "9000",
    "Relationship Type": "Mother",
    "Contact Priority Order": "1",
    "Email Address": "ana@home.example",
}


def test_every_title_of_powerschools_template_is_recognized(tmp_path):
    part, [row] = powerschool(tmp_path, ANA)
    assert part.unread_columns == []
    assert row[1:11] == (
        *("9000", "501", "Ana", "Rivera", "ana rivera", "ana@home.example"),
        *("mother", 1, "+13125550142", "312-555-0142"),
    )
    assert (row.rank, row.phone_order, row.is_powerschool) == (1, 2, True)


def test_phone_row_without_student_and_name_is_a_row_of_its_contact(tmp_path):
    further = {"Contact ID": "501", "phoneNumberAsEntered": "312-555-0143", "Is SMS": "1", "Is Preferred": "true"}
    _, [_, row] = powerschool(tmp_path, ANA, further)
    assert (row.student, row.contact, row.search, row.phone) == ("", "501", "", "+13125550143")
    assert (row.rank, row.phone_order) == (0, 0)


PLACES = {
    "marked as taking texts": ({"Phone Type": "Home", "Is SMS": "1"}, 0),
    "a mobile that is not marked": ({"Is SMS": "0"}, 1),
    "behind a switchboard": ({"Phone Type": "Other", "Extension": "12"}, 3),
    "daytime": ({"Phone Type": "Daytime"}, 3),
}


@pytest.mark.parametrize(("cells", "rank"), PLACES.values(), ids=PLACES)
def test_powerschools_marks_give_the_rank_for_texts(tmp_path, cells, rank):
    _, [row] = powerschool(tmp_path, ANA | cells)
    assert row.rank == rank


def test_contacts_that_powerschool_ended_are_left_out(tmp_path):
    deceased = ANA | {"PERSONCOREFIELDS.isDeceased": "1"}
    _, rows = powerschool(tmp_path, ANA | {"Is Active": "0"}, deceased, ANA | {"Relationship End Date": "8/13/2025"})
    assert [(row.column_name, row.line) for row in rows if isinstance(row, Rejection)] == [("isDeceased", 3)]
    assert [row.ends_on for row in contacts(rows)] == [date.min, date.min, date(2025, 8, 13)]


def test_refusal_in_the_note_of_a_relationship_stops_texts(tmp_path):
    _, [row] = powerschool(tmp_path, ANA | {"Relationship Note": "Court order: no contact"})
    assert (row.phone_note, row.phone_note_kind) == ("Court order: no contact", "refused")
    _, [row] = powerschool(tmp_path, ANA | {"Relationship Note": "old friend of the family"})
    assert (row.phone_note, row.phone_note_kind) == ("old friend of the family", None)


MANGLED = {
    "9000": "9000",
    "9000.0": "9000",
    "009000": "9000",
    "9,000": "9000",
    "1.23456E+05": "123456",
    "9.00E+03": "",
    "S9000": "",
    "9000-1": "",
}


@pytest.mark.parametrize(("written", "number"), MANGLED.items())
def test_student_number_is_read_as_spreadsheets_mangle_it(tmp_path, written, number):
    [row] = read(tmp_path, f'student_id,name,phone\n"{written}",Maria Rivera,3125550142\n')
    assert (row.student, row.student_number) == (written, number)


def test_id_of_another_product_is_not_taken_for_powerschools(tmp_path):
    [row] = read(tmp_path, "student_id,Contact_sis_id,name,phone\nsam,501,Maria Rivera,3125550142\n")
    assert (row.contact, row.is_powerschool) == ("501", False)
    [row] = read(tmp_path, "student_id,Contact ID,name,phone\nsam,C-501,Maria Rivera,3125550142\n")
    assert (row.contact, row.is_powerschool) == ("C-501", False)


def test_file_without_a_student_column_is_not_read(tmp_path):
    path = tmp_path / "families.csv"
    path.write_text("name,phone\nMaria,1\n")
    part = contacts_csv.open_part(path, region="US")
    assert [row.column_name for row in part.rows()] == ["student"]
    assert not part.is_readable


def test_missing_file_is_an_error():
    with pytest.raises(UserError) as refused:
        contacts_csv.open_part(Path("nowhere.csv"), region="US")
    assert refused.value.code == "sis.no_file"
