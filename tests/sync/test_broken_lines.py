"""Nobody leaves because their line was broken: what we hold of it stays, and the report says so."""

import pytest
from support import sis_bundles as bundles
from support.sis_nights import Nights, changed, reasons

HELD = {
    "orgs": ("schools", "lincoln"),
    "classes": ("classes", "5A"),
    "users": ("contacts", "maria"),
    "roles": ("contacts", "maria"),
    "enrollments": ("class_students", "E-5A-sam"),
}
STAYS = "what we hold of it stays"
ALL_STAYS = "nothing that is missing from this file becomes inactive"


@pytest.fixture
def nights(empty_database, tmp_path):
    nights = Nights(empty_database, tmp_path / "bundle")
    nights.sync()
    return nights


def held(nights):
    tables = ("schools", "staff", "students", "contacts", "classes", "student_contacts", "class_students")
    return [nights.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in (*tables, "staff_roles", "class_teachers")]


def spoil(nights, name, who, how):
    """Tonight's bundle, with the line of `name` that begins with this sourced_id spoilt."""
    folder = bundles.write(nights.tables, nights.folder)
    lines = (folder / f"{name}.csv").read_bytes().decode().split("\r\n")
    [at] = [number for number, line in enumerate(lines) if line.startswith(f"{who},")]
    lines[at] = how(lines[at])
    (folder / f"{name}.csv").write_bytes("\r\n".join(lines).encode())
    return folder


LINE_OF = {"orgs": "lincoln", "classes": "5A", "users": "maria", "roles": "R-maria-lincoln", "enrollments": "E-5A-sam"}
NAMED = {
    "a quote that is not closed": lambda line: line.rpartition(",")[0] + ',"lost',
    "too many cells": lambda line: line + "," * 30 + "x",
    "longer than memory should hold": lambda line: line + "x" * 300_000,
}


@pytest.mark.parametrize("how", NAMED.values(), ids=NAMED)
@pytest.mark.parametrize("name", HELD)
def test_a_broken_line_whose_id_can_be_read_takes_nothing_away(nights, name, how):
    before = held(nights)
    report = nights.read(spoil(nights, name, LINE_OF[name], how))
    assert held(nights) == before
    assert changed(report) == {}
    [(file, line, _, reason)] = reasons(report)
    assert (file, line > 1) == (f"{name}.csv", True)
    assert STAYS in reason


NAMELESS = {
    "a quote before the id": lambda line: '"' + line,
    "no id": lambda line: "," + line.split(",", maxsplit=1)[1],
    "an id as long as a book": lambda line: "x" * 300 + line,
    "an id that swallowed the next cell": lambda line: '"' + line.replace(",", ',"', 1) + '"',
}


@pytest.mark.parametrize("how", NAMELESS.values(), ids=NAMELESS)
@pytest.mark.parametrize("name", ["orgs", "classes", "users", "enrollments"])
def test_of_a_file_with_a_line_that_may_be_anybodys_nothing_goes_inactive(nights, name, how):
    before = held(nights)
    report = nights.read(spoil(nights, name, LINE_OF[name], how))
    assert held(nights) == before
    assert ALL_STAYS in reasons(report)[0][3]


def test_a_line_that_may_be_anybodys_keeps_also_those_whom_no_file_names_any_more(nights):
    nights.leave("joao")
    nights.read(spoil(nights, "users", "maria", NAMELESS["a quote before the id"]))
    assert nights.active("contacts") == {"maria", "joao"}
    assert nights.sync().rejected == 1, "Sam still names João"
    assert nights.active("contacts") == {"maria"}


def test_beside_a_line_whose_id_can_be_read_others_leave_and_join_as_ever(nights):
    nights.leave("joao")
    nights.add("pat", "Pat", "O'Brien", "guardian", agentSourcedIds="lea")
    nights.read(spoil(nights, "users", "maria", NAMED["too many cells"]))
    assert nights.active("contacts") == {"maria", "pat"}


def test_in_1_1_a_broken_line_of_a_person_keeps_their_role_too(nights):
    nights.tables = bundles.a_district_in_1_1()
    nights.sync()
    before = held(nights)
    for who in ("maria", "ana", "sam"):
        nights.read(spoil(nights, "users", who, NAMED["too many cells"]))
        assert held(nights) == before


def test_a_role_misspelt_keeps_a_contact_and_gives_nobody_the_rights_they_had(nights):
    roles = {one["userSourcedId"]: one for one in nights.tables["roles"]}
    roles["maria"]["role"], roles["clara"]["role"] = "gaurdian", "clark"
    report = nights.sync()
    assert nights.active("contacts") == {"maria", "joao"}
    assert nights.active("staff") == {"ana", "dana"}
    assert [one[2] for one in reasons(report) if one[0] == "roles.csv"] == ["role", "role"]


def test_a_role_of_the_districts_own_is_read_and_says_that_somebody_is_no_contact(nights):
    {one["userSourcedId"]: one for one in nights.tables["roles"]}["maria"]["role"] = "ext:busDriver"
    nights.sync()
    assert nights.active("contacts") == {"joao"}


def test_an_enrolment_with_a_role_misspelt_stays(nights):
    nights.tables["enrollments"][1]["role"] = "studnet"
    nights.sync()
    assert nights.active("class_students") == {"E-5A-sam", "E-5A-lea"}


def test_a_school_with_a_type_misspelt_stays_a_school(nights):
    nights.tables["orgs"][1]["type"] = "shcool"
    before = held(nights)
    report = nights.sync()
    assert held(nights) == before
    assert [one[2] for one in reasons(report)] == ["type"]


def test_a_term_that_cannot_be_read_ends_no_class(nights):
    first = nights.tables["academicSessions"][0]
    nights.tables["academicSessions"] = [
        first | {"sourcedId": "fall", "endDate": "2026-11-20"},
        first | {"sourcedId": "spring", "startDate": "2027-01-05", "endDate": "soon"},
    ]
    nights.tables["academicSessions"].append(first | {"sourcedId": "summer", "endDate": "2027-08-01"})
    nights.tables["classes"][0]["termSourcedIds"] = "fall,spring"
    nights.sync()
    assert nights.rows("SELECT DISTINCT ends_on FROM class_students") == [(None,)]
    nights.read(spoil(nights, "academicSessions", "spring", NAMED["too many cells"]))
    assert nights.rows("SELECT DISTINCT ends_on FROM class_students") == [(None,)]


LOST_QUOTES = {
    "the first of a cell": '"maria,"Maria","Rivera","3125550142"\r\n',
    "the last of a cell": '"maria","Maria,"Rivera","3125550142"\r\n',
    "the last of the line": '"maria","Maria","Rivera","3125550142\r\n',
    "two": '"maria,"Maria,"Rivera","3125550142"\r\n',
    "one that a name of the next line seems to close": 'maria,"Maria,Rivera,3125550142\r\n',
}


@pytest.mark.parametrize("line", LOST_QUOTES.values(), ids=LOST_QUOTES)
def test_a_lost_quote_makes_no_new_person_of_its_line_and_swallows_no_other(nights, line):
    folder = bundles.write(nights.tables, nights.folder)
    header = "sourcedId,givenName,familyName,phone\r\n"
    others = 'joao,"João",Sousa,3125550143\r\n"sam","Sam","Rivera",""\r\n"lea","Lea","O\'Brien",""\r\n'
    staff = "ana,Ana,García,\r\nclara,Clara,Clerk,\r\ndana,Dana,Diaz,\r\n"
    (folder / "users.csv").write_text(header + line + others + staff, newline="")
    report = nights.read(folder)
    assert [one[:2] for one in reasons(report)] == [("users.csv", 2)]
    assert nights.active("contacts") == {"maria", "joao"}
    assert nights.rows("SELECT count(*) FROM contacts") == [(2,)]
    assert nights.phone("maria") == "+13125550142"
