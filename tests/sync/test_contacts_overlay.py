"""Contacts from a CSV beside OneRoster."""

import pytest
from support import sis_bundles as bundles
from support.sis_nights import changed, reasons

from bot.errors import UserError
from bot.sync.hold import SyncHeld

HEADER = "Student_id,Contact_name,Contact_relationship,priority,Contact_phone,Contact_phone_type,Contact_email\r\n"


def sync(nights, *lines, header=HEADER, **options):
    path = nights.folder.parent / "families.csv"
    path.write_text(header + "".join(f"{line}\r\n" for line in lines))
    return nights.sync(contacts=path, **options)


def contacts_of(nights, student):
    """Return the contacts of a student in the order of the file."""
    return nights.rows(
        "SELECT c.given_name, l.relationship, l.priority, c.sis_phone FROM student_contacts l "
        "JOIN students s ON s.id = l.student_id JOIN contacts c ON c.id = l.contact_id "
        "WHERE s.sourced_id = :student AND l.active AND c.active ORDER BY l.priority NULLS LAST, c.given_name",
        student=student,
    )


MARIA = "sam,Maria Rivera,Mother,1,3125550177,Cell,"


PAT = "sam,Pat Lee,Aunt,2,3125550178,Cell,pat@home.example"


def test_file_adds_contacts_and_second_sync_changes_nothing(nights):
    report = sync(nights, MARIA, PAT)
    assert contacts_of(nights, "sam") == [
        ("Maria", "mother", 1, "+13125550177"),
        ("Pat", "aunt", 2, "+13125550178"),
        ("João", "relative", None, "+13125550143"),
    ]
    assert (report.totals["contacts"], report.files["contacts.csv"].read, reasons(report)) == (3, 2, [])
    assert changed(sync(nights, PAT, MARIA)) == {}


def test_student_may_be_named_by_identifier(nights):
    nights.user("sam")["identifier"] = "000123"
    sync(nights, PAT.replace("sam", "000123"))
    assert ("Pat", "aunt", 2, "+13125550178") in contacts_of(nights, "sam")


SAME = {
    "the name": "sam,MARIA  RIVERA,Mother,1,3125550177,Cell,",
    "the email": "sam,Mary R.,Mother,1,3125550177,Cell,Maria@Home.example",
}


@pytest.mark.parametrize("line", SAME.values(), ids=SAME)
def test_contact_in_both_sources_is_one_with_the_files_number(nights, line):
    sync(nights, line)
    assert nights.active("contacts") == {"maria", "joao"}
    assert nights.phone("maria") == "+13125550177"


def test_parents_with_the_same_email_stay_two(nights):
    sync(nights, MARIA + "maria@home.example", "sam,José Rivera,Father,2,3125550179,Cell,maria@home.example")
    assert [contact[0] for contact in contacts_of(nights, "sam")] == ["Maria", "José", "João"]
    assert nights.phone("maria") == "+13125550177"


def test_number_of_oneroster_stays_without_one_in_the_file(nights):
    sync(nights, "sam,Maria Rivera,Mother,1,,,")
    assert nights.phone("maria") == "+13125550142"


def test_mobile_is_preferred_to_home_number(nights):
    report = sync(
        nights,
        "sam,Pat Lee,Aunt,2,3125550180,Home,",
        "sam,Pat Lee,Aunt,2,3125550178,Cell,",
        "sam,Kim Lee,Uncle,3,3125550181,Work,",
        "sam,Gus Lee,Uncle,4,3125550182,Other,",
    )
    assert [contact[3] for contact in contacts_of(nights, "sam")][:3] == [
        "+13125550178",
        "+13125550181",
        "+13125550182",
    ]
    [(file, line, column, reason)] = reasons(report)
    assert (file, line, column) == ("contacts.csv", 4, "phone")
    assert "no other" in reason


def test_siblings_share_a_contact_across_a_number_change(nights):
    sync(nights, PAT, PAT.replace("sam", "lea"))
    [contact] = nights.rows("SELECT id FROM contacts WHERE given_name = 'Pat'")
    sync(nights, PAT.replace("0178", "0188"), PAT.replace("sam", "lea").replace("0178", "0188"))
    assert nights.rows("SELECT id, sis_phone FROM contacts WHERE given_name = 'Pat'") == [(contact[0], "+13125550188")]
    assert ("Pat", "aunt", 2, "+13125550188") in contacts_of(nights, "lea")


def test_missing_contact_is_inactive_and_returns_as_same_row(nights):
    sync(nights, MARIA, PAT)
    before = nights.rows("SELECT id, sourced_id FROM contacts ORDER BY id")
    assert changed(sync(nights, MARIA))["contacts"] == (0, 0, 1)
    assert [contact[0] for contact in contacts_of(nights, "sam")] == ["Maria", "João"]
    assert changed(sync(nights, MARIA, PAT))["contacts"] == (0, 1, 0)
    assert nights.rows("SELECT id, sourced_id FROM contacts ORDER BY id") == before


def test_truncated_file_holds(nights):
    lines = [f"sam,Pat Number {n},Aunt,,312555{n:04d},Cell," for n in range(30)]
    sync(nights, *lines)
    with pytest.raises(SyncHeld, match="30 of 32 contacts"):
        sync(nights, PAT)
    assert len(nights.active("contacts")) == 32
    assert sync(nights, PAT, confirm=True).totals["contacts"] == 3


def test_empty_file_holds_however_few_it_had(nights):
    sync(nights, PAT)
    with pytest.raises(SyncHeld, match=r"contacts\.csv holds no row"):
        sync(nights)


BROKEN = {
    "a broken line of the student": "sam,Pat,Lee,Aunt,2,3125550178,Cell,x,y",
    "a line without a student": '"sam,Pat Lee,2',
    "no file tonight": "",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_unreadable_file_or_line_removes_no_contact(nights, broken):
    sync(nights, PAT)
    before = nights.links()
    assert changed(sync(nights, broken) if broken else nights.sync()) == {}
    assert nights.links() == before


def test_renamed_column_fails_the_sync(nights):
    sync(nights, PAT)
    before = nights.links()
    with pytest.raises(UserError, match=r"contacts\.csv student is missing from the header"):
        sync(nights, PAT, header=HEADER.replace("Student_id", "Who"))
    assert nights.links() == before


def test_broken_line_keeps_the_number_from_the_file(nights):
    sync(nights, MARIA)
    assert changed(sync(nights, MARIA + ",,,,x")) == {}
    assert nights.phone("maria") == "+13125550177"


def test_line_of_an_unknown_student_is_rejected(nights):
    nights.user("sam")["identifier"] = "000123"
    sync(nights, PAT.replace("sam", "000123"))
    assert reasons(sync(nights, PAT.replace("sam", "000123"), PAT.replace("sam", "unknown"))) == [
        ("contacts.csv", 3, "student", "is not a student of the roster; the row was left out")
    ]
    delta = bundles.write({"orgs": [dict(nights.tables["orgs"][0], status="active")]}, nights.folder, delta=["orgs"])
    nights.read(delta, contacts=nights.folder.parent / "families.csv")
    assert [contact[0] for contact in contacts_of(nights, "sam")] == ["Pat", "João", "Maria"]
