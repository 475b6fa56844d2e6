"""Contacts as PowerSchool exports them, and as spreadsheets return them."""

import pytest
from support.sis_nights import changed, reasons

HEADER = (
    "Contact ID,First Name,Last Name,phoneNumberAsEntered,Phone Type,Phone Number Priority Order,Is Preferred,Is SMS,"
    "studentNumber,Relationship Type,Contact Priority Order,Email Address\n"
)
PLAIN = (
    "Student_number,Contact_name,Contact_relationship,Contact_priority,Contact_phone,Contact_phone_type,Contact_email\n"
)


@pytest.fixture
def nights(nights):
    nights.user("sam")["identifier"], nights.user("lea")["identifier"] = "004711", "4712"
    return nights


def sync(nights, header, *lines, **options):
    path = nights.folder.parent / "families.csv"
    path.write_text(header + "".join(f"{line}\n" for line in lines))
    return nights.sync(contacts=path, **options)


def contacts_of(nights, student):
    return nights.rows(
        "SELECT trim(c.given_name || ' ' || c.family_name), l.relationship, l.priority, c.sis_phone FROM student_contacts l "
        "JOIN students s ON s.id = l.student_id JOIN contacts c ON c.id = l.contact_id "
        "WHERE s.sourced_id = :student AND l.active AND c.active AND l.priority IS NOT NULL ORDER BY l.priority",
        student=student,
    )


def other_numbers(nights):
    return nights.rows(
        "SELECT c.given_name, n.phone FROM other_numbers n JOIN contacts c ON c.id = n.contact_id ORDER BY n.position"
    )


ROSA = (
    "501,Rosa,Diaz,312-555-0001,Home,1,1,0,4711,Mother,1,rosa@home.example",
    "501,,,312-555-0002,Mobile,3,0,1,,,,",
    "501,,,312-555-0003,Mobile,2,0,1,,,,",
    "501,,,,,,,,4712,Aunt,2,",
)


def test_contact_has_the_best_of_several_numbers_and_all_students(nights):
    sync(nights, HEADER, *ROSA)
    assert contacts_of(nights, "sam") == [("Rosa Diaz", "mother", 1, "+13125550003")]
    assert contacts_of(nights, "lea") == [("Rosa Diaz", "aunt", 2, "+13125550003")]
    assert other_numbers(nights) == [("Rosa", "+13125550002"), ("Rosa", "+13125550001")]
    ids = "SELECT sis_contact_id, is_powerschool_id FROM contacts WHERE given_name = 'Rosa' AND active"
    assert nights.rows(ids) == [("501", True)]
    assert changed(sync(nights, HEADER, *ROSA)) == {}


def test_rows_of_a_contact_may_be_in_any_order(nights):
    sync(nights, HEADER, *reversed(ROSA))
    assert contacts_of(nights, "sam") == [("Rosa Diaz", "mother", 1, "+13125550003")]
    assert contacts_of(nights, "lea") == [("Rosa Diaz", "aunt", 2, "+13125550003")]


def test_repeated_name_without_an_id_is_the_contact_of_the_line_above_only(nights):
    header = "student_number,first_name,last_name,phone,phone_type\n"
    report = sync(
        nights,
        header,
        "4711,Rosa,Diaz,312-555-0001,Home",
        ",Rosa,Diaz,312-555-0002,Mobile",
        "4712,Kim,Lee,312-555-0005,Mobile",
        ",Rosa,Diaz,312-555-0006,Mobile",
    )
    assert nights.rows("SELECT sis_phone FROM contacts WHERE given_name = 'Rosa' AND active") == [("+13125550002",)]
    assert [(line, column) for _, line, column, _ in reasons(report) if column == "student"] == [(5, "student")]


def test_numbers_of_a_contact_who_left_or_of_no_file_tonight(nights):
    sync(nights, HEADER, *ROSA)
    kept = other_numbers(nights)
    assert changed(nights.sync()) == {}
    assert other_numbers(nights) == kept
    sync(nights, HEADER, "502,Otto,Diaz,312-555-0007,Mobile,1,0,1,4711,Father,1,", confirm=True)
    assert other_numbers(nights) == []


def test_adults_of_one_name_and_email_stay_two_each_night(nights):
    twins = (
        "4711,Jose Garcia,Father,1,312-555-2001,Cell,fam@x.example",
        "4711,José García,Grandfather,2,312-555-2002,Cell,fam@x.example",
        "4712,Ann Lee,Mother,1,312-555-2003,Cell,ann@x.example",
        "4712,Ann Lee,Emergency,1,312-555-2004,Cell,ann@x.example",
    )
    sync(nights, PLAIN, *twins)
    assert contacts_of(nights, "sam") == [
        ("Jose Garcia", "father", 1, "+13125552001"),
        ("José García", "grandfather", 2, "+13125552002"),
    ]
    assert contacts_of(nights, "lea") == [("Ann Lee", "mother", 1, "+13125552003")]
    assert other_numbers(nights) == [("Ann", "+13125552004")]
    assert changed(sync(nights, PLAIN, *reversed(twins[:2]), *twins[2:])) == {}
    before = nights.rows("SELECT id FROM contacts WHERE sis_phone = '+13125552002'")
    sync(nights, PLAIN, twins[0].replace("Father", "Stepfather"), twins[1], *twins[2:])
    assert nights.rows("SELECT id FROM contacts WHERE sis_phone = '+13125552002' AND active") == before


def test_adults_with_the_id_of_their_household_stay_two(nights):
    header = "Student_number,guardian_id,name,relationship,priority,phone\n"
    parents = ("4711,H1,Ana Diaz,Mother,1,312-555-2001", "4711,H1,Otto Diaz,Father,2,312-555-2002")
    sibling = "4712,H1,Ana Diaz,Mother,1,312-555-2001"
    sync(nights, header, *parents, sibling)
    assert [name for name, *_ in contacts_of(nights, "sam")] == ["Ana Diaz", "Otto Diaz"]
    assert nights.rows("SELECT count(*) FROM contacts WHERE family_name = 'Diaz'") == [(2,)]
    assert changed(sync(nights, header, sibling, *reversed(parents))) == {}


def test_adult_without_a_name_is_described_by_the_student(nights):
    nameless = ("4711,,Mother,1,312-555-2005,Cell,", "4711,,Father,2,312-555-2006,Cell,", "4712,,,3,312-555-2007,Cell,")
    sync(nights, PLAIN, *nameless)
    assert [(name, phone) for name, _, _, phone in contacts_of(nights, "sam")] == [
        ("Mother of Sam Rivera", "+13125552005"),
        ("Father of Sam Rivera", "+13125552006"),
    ]
    assert [name for name, *_ in contacts_of(nights, "lea")] == ["Contact of Lea O'Brien"]
    assert changed(sync(nights, PLAIN, *nameless)) == {}
    report = sync(nights, PLAIN, *nameless, "4711,,Aunt,4,none,Cell,")
    assert [line for _, line, column, _ in reasons(report) if column == "name"] == [5]


def test_number_without_a_name_is_the_adults_who_has_it(nights):
    sync(nights, PLAIN, "4711,,Mother,1,(312) 555-0142,Cell,")
    assert contacts_of(nights, "sam") == [("Maria Rivera", "mother", 1, "+13125550142")]


@pytest.mark.parametrize("written", ["4711", "4711.0", "004711", '"4,711"', "4.711E+03"])
def test_mangled_student_number_finds_the_student(nights, written):
    sync(nights, PLAIN, f"{written},Rosa Diaz,Aunt,1,312-555-0001,Cell,")
    assert [name for name, *_ in contacts_of(nights, "sam")] == ["Rosa Diaz"]


def test_number_that_fits_two_students_is_none_of_them(nights):
    nights.user("lea")["identifier"] = "04711"
    sync(nights, PLAIN, "004711,Rosa Diaz,Aunt,1,312-555-0001,Cell,")
    report = sync(nights, PLAIN, "4711,Rosa Diaz,Aunt,1,312-555-0001,Cell,")
    [(_, line, column, reason)] = reasons(report)
    assert (line, column, "leading zeros" in reason) == (2, "student", True)
    assert [name for name, *_ in contacts_of(nights, "sam")] == ["Rosa Diaz"]


def test_whole_number_counts_only_where_the_file_kept_its_zeros(nights):
    nights.user("lea")["identifier"] = "4711"
    report = sync(nights, PLAIN, "4711,Rosa Diaz,Aunt,1,312-555-0001,Cell,")
    assert [column for _, _, column, _ in reasons(report)] == ["student"]
    sync(nights, PLAIN, "4711,Rosa Diaz,Aunt,1,312-555-0001,Cell,", "004711,Kim Lee,Uncle,1,312-555-0002,Cell,")
    assert [name for name, *_ in contacts_of(nights, "lea")] == ["Rosa Diaz"]
    assert [name for name, *_ in contacts_of(nights, "sam")] == ["Kim Lee"]


def test_number_that_a_spreadsheet_rounded_says_so(nights):
    report = sync(nights, PLAIN, "4.7E+03,Rosa Diaz,Aunt,1,312-555-0001,Cell,")
    assert ["last digits are lost" in reason for *_, reason in reasons(report)] == [True]


def test_identifier_counts_where_it_is_another_students_sourced_id(nights):
    nights.user("lea")["identifier"] = "sam"
    nights.add("kai", "Kai", "Kim", "student", identifier="4713")
    report = sync(
        nights,
        PLAIN,
        "004711,Rosa Diaz,Aunt,1,312-555-0001,Cell,",
        "4713,Kim Lee,Uncle,1,312-555-0002,Cell,",
        "sam,Pat O'Brien,Mother,1,312-555-0003,Cell,",
    )
    assert reasons(report) == []
    assert [name for name, *_ in contacts_of(nights, "lea")] == ["Pat O'Brien"]


def test_ended_relationship_is_no_contact(nights):
    header = "Contact ID,First Name,Last Name,Phone Number,Student Number,Relationship Type,Relationship End Date\n"
    sync(
        nights,
        header,
        "501,Rosa,Diaz,312-555-0001,4711,Stepmother,2025-06-30",
        "502,Otto,Diaz,312-555-0002,4711,Stepfather,2031-06-30",
    )
    assert [name for (name,) in nights.rows("SELECT given_name FROM contacts WHERE family_name = 'Diaz'")] == ["Otto"]


def test_inactive_contact_ends_with_all_rows(nights):
    header = "Contact ID,First Name,Last Name,Is Active,Phone Number,Student Number\n"
    rows = ("501,Rosa,Diaz,{},312-555-0001,4711", "501,,,,312-555-0002,", "502,Otto,Diaz,1,312-555-0003,4711")
    sync(nights, header, *(row.format(1) for row in rows))
    report = sync(nights, header, *(row.format(0) for row in rows[:2]), "503,Kim,Lee,1,312-555-0004,4711")
    assert [column for _, _, column, _ in reasons(report)] == []
    assert nights.rows("SELECT given_name FROM contacts WHERE active AND sis_contact_id IS NOT NULL") == [("Kim",)]


def test_id_of_the_file_that_another_person_has_in_oneroster_is_not_theirs(nights):
    nights.add("501", "Gus", "Stone", "guardian", phone="3125550190", agentSourcedIds="lea")
    sync(nights, HEADER, "501,Rosa,Diaz,312-555-0001,Mobile,1,0,1,4711,Aunt,1,")
    assert nights.phone("501") == "+13125550190"
    assert [name for name, *_ in contacts_of(nights, "sam")] == ["Rosa Diaz"]
