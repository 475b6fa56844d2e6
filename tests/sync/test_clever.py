"""Clever's folder, read into the same roster as OneRoster."""

import pytest
from support.sis_nights import changed, reasons

from bot.errors import UserError
from bot.sis.oneroster_csv import Export

SCHOOLS = "School_id,School_name,School_number,State_id\n10,Lincoln Elementary,101,IL-1\n20,Roosevelt High,102,IL-2\n"
STUDENTS = (
    "School_id,Student_id,Student_number,State_id,Last_name,Middle_name,First_name,Grade,Student_email,"
    "Contact_name,Contact_type,Contact_relationship,Contact_phone,Contact_phone_type,Contact_email,Contact_sis_id\n"
    "10,7,000700,,Rivera,,Sam,5,sam@school.example,Maria Rivera,Primary,Parent,3125550142,Cell,maria@home.example,c1\n"
    "10,7,000700,,Rivera,,Sam,5,sam@school.example,Maria Rivera,Primary,Parent,3125550150,Home,maria@home.example,c1\n"
    "10,7,000700,,Rivera,,Sam,5,sam@school.example,João Sousa,Family,Grandparent,3125550143,Cell,,\n"
    "20,8,000800,,O'Brien,,Lea,Kindergarten,,,,,,,,\n"
)
TEACHERS = (
    "School_id,Teacher_id,Teacher_number,Teacher_email,First_name,Last_name,Title\n"
    "10,7,T7,Ana.Garcia@district.example,Ana,García,Teacher\n"
    "10,9,T9,tom.reed@district.example,Tom,Reed,Teacher\n"
)
STAFF = "School_id,Staff_id,Staff_email,First_name,Last_name,Title\n10,1,clara@district.example,Clara,Clerk,Principal\n"
SECTIONS = (
    "School_id,Section_id,Teacher_id,Teacher_2_id,Name,Course_name,Period,Subject,Term_name,Term_start,Term_end\n"
    "10,5A,7,9,,Fifth Grade,1,Homeroom/advisory,Year,8/17/2026,6/5/2027\n"
    "10,OLD,7,,Reading,,2,,Summer,6/15/2026,8/1/2026\n"
)
ENROLLMENTS = "School_id,Section_id,Student_id\n10,5A,7\n10,OLD,7\n"
FILES = {
    "schools.csv": SCHOOLS,
    "students.csv": STUDENTS,
    "teachers.csv": TEACHERS,
    "staff.csv": STAFF,
    "sections.csv": SECTIONS,
    "enrollments.csv": ENROLLMENTS,
}


@pytest.fixture
def folder(first_night):
    first_night.folder.mkdir()
    return first_night.folder


def sync(nights, files=FILES, **options):
    for path in nights.folder.iterdir():
        path.unlink()
    for name, content in files.items():
        (nights.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return nights.read(Export(nights.folder), **options)


def without(*names):
    return {name: content for name, content in FILES.items() if name not in names}


def test_roster_is_read(first_night, folder):
    report = sync(first_night)
    assert report.totals == {"students": 2, "contacts": 2, "staff": 3, "teachers": 2, "schools": 2}
    assert reasons(report) == []
    students = "SELECT s.sourced_id, s.identifier, s.grade, o.name FROM students s JOIN student_schools p ON p.student_id = s.id"
    assert first_night.rows(f"{students} JOIN schools o ON o.id = p.school_id ORDER BY 1") == [
        ("7", "000700", "5", "Lincoln Elementary"),
        ("8", "000800", "K", "Roosevelt High"),
    ]
    links = "SELECT c.given_name, l.relationship, c.sis_phone FROM contacts c JOIN student_contacts l ON l.contact_id = c.id"
    assert first_night.rows(f"{links} ORDER BY l.priority") == [
        ("Maria", "parent", "+13125550142"),
        ("João", "grandparent", "+13125550143"),
    ]
    assert first_night.rows("SELECT phone FROM other_numbers") == [("+13125550150",)]
    assert changed(sync(first_night)) == {}


def test_teachers_have_the_sections_of_now_only(first_night, folder):
    sync(first_night)
    teaching = (
        "SELECT k.title, k.homeroom, s.given_name, t.is_primary, t.ends_on::text FROM class_teachers t "
        "JOIN classes k ON k.id = t.class_id JOIN staff s ON s.id = t.staff_id ORDER BY 1, 3"
    )
    assert first_night.rows(teaching) == [
        ("Fifth Grade", True, "Ana", True, "2027-06-06"),
        ("Fifth Grade", True, "Tom", False, "2027-06-06"),
        ("Reading", False, "Ana", True, "2026-08-02"),
    ]
    assert first_night.rows("SELECT count(*) FROM class_students WHERE ends_on = '2027-06-06'") == [(1,)]


DIRTY = {
    "a BOM": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "semicolons": lambda text: text.replace(",", ";").encode(),
    "tabs and old line ends": lambda text: text.replace(",", "\t").replace("\n", "\r").encode(),
    "padding and other cases": lambda text: text.replace("_id", "_ID ").replace(",", " ,").encode(),
}


@pytest.mark.parametrize("dirty", DIRTY.values(), ids=DIRTY)
def test_dirty_files_are_read_the_same(first_night, folder, dirty):
    sync(first_night)
    assert changed(sync(first_night, {name.title(): dirty(text) for name, text in FILES.items()})) == {}


def test_contacts_without_the_column_of_numbers_stay_as_they_are(first_night, folder):
    sync(first_night)
    rows = [line.split(",") for line in STUDENTS.splitlines()]
    unshared = "".join(",".join((*row[:12], *row[13:])) + "\n" for row in rows)
    report = sync(first_night, FILES | {"students.csv": unshared})
    assert changed(report) == {}
    assert [(file, reason) for file, _, _, reason in reasons(report)] == [
        ("students.csv", "has no column Contact_phone: share it in Clever; contacts stay as they are"),
    ]


def test_missing_files_end_nothing(first_night, folder):
    sync(first_night)
    report = sync(first_night, without("sections.csv", "enrollments.csv", "teachers.csv"))
    assert changed(report) == {}
    assert [(file, line) for file, line, *_ in reasons(report)] == [
        ("enrollments.csv", None),
        ("sections.csv", None),
        ("teachers.csv", None),
    ]


UNREADABLE = {
    "no students.csv": (without("students.csv"), r"students\.csv is not there"),
    "no schools.csv": (without("schools.csv"), r"schools\.csv is not there"),
    "no id": ({**FILES, "enrollments.csv": "School_id,Student_id\n10,7\n"}, r"enrollments\.csv Section_id is missing"),
    "a login page": ({**FILES, "teachers.csv": "<!DOCTYPE html><html>"}, r"teachers\.csv .*web page"),
}


@pytest.mark.parametrize(("files", "sentence"), UNREADABLE.values(), ids=UNREADABLE)
def test_needed_or_unreadable_file_fails(first_night, folder, files, sentence):
    with pytest.raises(UserError, match=sentence) as refused:
        sync(first_night, files)
    assert refused.value.code == "sync.unreadable_file"


def test_rejections_name_clevers_files_lines_and_columns(first_night, folder):
    files = {
        **FILES,
        "enrollments.csv": f"{ENROLLMENTS}10,5B,7\n10,5A,99\n",
        "teachers.csv": f"{TEACHERS}30,11,T11,kim@district.example,Kim,Lee,\n",
        "sections.csv": f"{SECTIONS}10,5C,77,,Art,,1,,,soon,later\n",
        "staff.csv": f"{STAFF}10,2,bo@district.example,Bo,Bell,Bus driver\n",
    }
    assert [(file, line, column) for file, line, column, _ in reasons(sync(first_night, files))] == [
        ("enrollments.csv", 4, "Section_id"),
        ("enrollments.csv", 5, "id"),
        ("sections.csv", 4, "Term_start"),
        ("sections.csv", 4, "id"),
        ("staff.csv", 3, "Title"),
        ("teachers.csv", 4, "School_id"),
    ]


def test_broken_section_keeps_its_teachers(first_night, folder):
    sections = f"{SECTIONS}10,5B,9,,,Art,1,,Year,8/17/2026,6/5/2027\n"
    sync(first_night, {**FILES, "sections.csv": sections})
    broken = sections.replace("10,5A,7,9,,Fifth", '10,5A,"7,9,,Fifth')
    assert changed(sync(first_night, {**FILES, "sections.csv": broken})) == {}


def test_folder_without_contact_columns_has_a_roster(first_night, folder):
    students = "\n".join(",".join(line.split(",")[:9]) for line in STUDENTS.splitlines()) + "\n"
    report = sync(first_night, {**FILES, "students.csv": students})
    assert (report.totals["students"], report.totals["contacts"], reasons(report)) == (2, 0, [])
