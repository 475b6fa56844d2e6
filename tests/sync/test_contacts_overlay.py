"""A file of contacts beside OneRoster: the same people, better numbers, and as safe as the bundle itself."""

import pytest
from support import sis_bundles as bundles
from support.sis_nights import Nights, changed, reasons

from bot.sync.hold import SyncHeld

HEADER = "Student_id,Contact_name,Contact_relationship,priority,Contact_phone,Contact_phone_type,Contact_email\r\n"


@pytest.fixture
def nights(empty_database, tmp_path):
    nights = Nights(empty_database, tmp_path / "bundle")
    nights.sync()
    return nights


def sync(nights, *lines, header=HEADER, **options):
    path = nights.folder.parent / "families.csv"
    path.write_text(header + "".join(f"{line}\r\n" for line in lines))
    return nights.sync(contacts=path, **options)


def of(nights, student):
    """How each contact of a student is reached, in the order of the file."""
    return nights.rows(
        "SELECT c.given_name, l.relationship, l.priority, c.sis_phone FROM student_contacts l "
        "JOIN students s ON s.id = l.student_id JOIN contacts c ON c.id = l.contact_id "
        "WHERE s.sourced_id = :student AND l.active AND c.active ORDER BY l.priority NULLS LAST, c.given_name",
        student=student,
    )


MARIA = "sam,Maria Rivera,Mother,1,3125550177,Cell,"
PAT = "sam,Pat Lee,Aunt,2,3125550178,Cell,pat@home.example"


def test_the_file_adds_contacts_and_the_second_sync_changes_nothing(nights):
    report = sync(nights, MARIA, PAT)
    assert of(nights, "sam") == [
        ("Maria", "mother", 1, "+13125550177"),
        ("Pat", "aunt", 2, "+13125550178"),
        ("João", "relative", None, "+13125550143"),
    ]
    assert (report.totals["contacts"], report.files["contacts.csv"].read, reasons(report)) == (3, 2, [])
    assert changed(sync(nights, PAT, MARIA)) == {}


def test_a_student_may_be_named_by_the_number_of_the_sis(nights):
    nights.user("sam")["identifier"] = "000123"
    sync(nights, PAT.replace("sam", "000123"))
    assert ("Pat", "aunt", 2, "+13125550178") in of(nights, "sam")


SAME = {
    "the name": "sam,MARIA  RIVERA,Mother,1,3125550177,Cell,",
    "the e-mail": "sam,Mary R.,Mother,1,3125550177,Cell,Maria@Home.example",
}


@pytest.mark.parametrize("line", SAME.values(), ids=SAME)
def test_a_contact_of_both_sources_is_one_and_the_file_wins_for_the_number(nights, line):
    sync(nights, line)
    assert nights.active("contacts") == {"maria", "joao"}
    assert nights.phone("maria") == "+13125550177"


def test_parents_who_share_an_e_mail_stay_two(nights):
    sync(nights, MARIA + "maria@home.example", "sam,José Rivera,Father,2,3125550179,Cell,maria@home.example")
    assert [one[0] for one in of(nights, "sam")] == ["Maria", "José", "João"]
    assert nights.phone("maria") == "+13125550177"


def test_where_the_file_has_no_number_that_of_oneroster_stays(nights):
    sync(nights, "sam,Maria Rivera,Mother,1,,,")
    assert nights.phone("maria") == "+13125550142"


def test_a_mobile_is_preferred_and_a_number_at_home_kept_only_when_there_is_no_other(nights):
    report = sync(
        nights,
        "sam,Pat Lee,Aunt,2,3125550180,Home,",
        "sam,Pat Lee,Aunt,2,3125550178,Cell,",
        "sam,Kim Lee,Uncle,3,3125550181,Work,",
        "sam,Gus Lee,Uncle,4,3125550182,Other,",
    )
    assert [one[3] for one in of(nights, "sam")][:3] == ["+13125550178", "+13125550181", "+13125550182"]
    [(file, line, column, reason)] = reasons(report)
    assert (file, line, column) == ("contacts.csv", 4, "phone")
    assert "no other" in reason


def test_a_contact_of_siblings_is_one_and_stays_the_same_when_the_number_changes(nights):
    sync(nights, PAT, PAT.replace("sam", "lea"))
    [known] = nights.rows("SELECT id FROM contacts WHERE given_name = 'Pat'")
    sync(nights, PAT.replace("0178", "0188"), PAT.replace("sam", "lea").replace("0178", "0188"))
    assert nights.rows("SELECT id, sis_phone FROM contacts WHERE given_name = 'Pat'") == [(known[0], "+13125550188")]
    assert ("Pat", "aunt", 2, "+13125550188") in of(nights, "lea")


def test_who_is_missing_from_the_file_is_inactive_and_returns_as_the_same(nights):
    sync(nights, MARIA, PAT)
    known = nights.rows("SELECT id, sourced_id FROM contacts ORDER BY id")
    assert changed(sync(nights, MARIA))["contacts"] == (0, 0, 1)
    assert [one[0] for one in of(nights, "sam")] == ["Maria", "João"]
    assert changed(sync(nights, MARIA, PAT))["contacts"] == (0, 1, 0)
    assert nights.rows("SELECT id, sourced_id FROM contacts ORDER BY id") == known


def test_a_file_cut_short_brakes(nights):
    lines = [f"sam,Pat Number {n},Aunt,,312555{n:04d},Cell," for n in range(30)]
    sync(nights, *lines)
    with pytest.raises(SyncHeld, match="30 of 32 contacts"):
        sync(nights, PAT)
    assert len(nights.active("contacts")) == 32
    assert sync(nights, PAT, confirm=True).totals["contacts"] == 3


def test_a_file_without_a_row_brakes_however_few_it_held(nights):
    sync(nights, PAT)
    with pytest.raises(SyncHeld, match=r"contacts\.csv holds no row"):
        sync(nights)


BROKEN = {
    "a broken line of the student": "sam,Pat,Lee,Aunt,2,3125550178,Cell,x,y",
    "a line that may be anybody's": '"sam,Pat Lee,2',
    "a column that was renamed": None,
    "no file tonight": "",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_read_takes_no_contact_away(nights, broken):
    sync(nights, PAT)
    before = nights.links()
    if broken is None:
        report = sync(nights, PAT, header=HEADER.replace("Student_id", "Who"))
    else:
        report = sync(nights, broken) if broken else nights.sync()
    assert changed(report) == {}
    assert nights.links() == before


def test_a_broken_line_leaves_the_number_that_the_file_gave_a_contact_of_oneroster(nights):
    sync(nights, MARIA)
    assert changed(sync(nights, MARIA + ",,,,x")) == {}
    assert nights.phone("maria") == "+13125550177"


def test_a_line_for_nobody_is_said_and_in_a_delta_takes_nobody_away(nights):
    nights.user("sam")["identifier"] = "000123"
    sync(nights, PAT.replace("sam", "000123"))
    assert reasons(sync(nights, PAT.replace("sam", "000123"), PAT.replace("sam", "nobody"))) == [
        ("contacts.csv", 3, "student", "names no student of the roster; the row was left out")
    ]
    delta = bundles.write({"orgs": [dict(nights.tables["orgs"][0], status="active")]}, nights.folder, delta=["orgs"])
    nights.read(delta, contacts=nights.folder.parent / "families.csv")
    assert [one[0] for one in of(nights, "sam")] == ["Pat", "João", "Maria"]
