"""Our rows stay where the export is silent: deltas, and lines and files that cannot be read."""

import pytest
from support import sis_bundles as bundles
from support.sis_nights import changed, reasons

ROWS = {
    "orgs": ("schools", "lincoln"),
    "classes": ("classes", "5A"),
    "users": ("contacts", "maria"),
    "roles": ("contacts", "maria"),
    "enrollments": ("class_students", "E-5A-sam"),
}


KEEPS_ROW = "what we hold of it stays"


KEEPS_ALL = "nothing that is missing from this file becomes inactive"


def damage(nights, name, who, how):
    """Write the export with the line of `who` in the file `name` changed by `how`."""
    folder = bundles.write(nights.tables, nights.folder)
    lines = (folder / f"{name}.csv").read_bytes().decode().split("\r\n")
    [at] = [number for number, line in enumerate(lines) if line.startswith(f"{who},")]
    lines[at] = how(lines[at])
    (folder / f"{name}.csv").write_bytes("\r\n".join(lines).encode())
    return folder


LINE_STARTS = {
    "orgs": "lincoln",
    "classes": "5A",
    "users": "maria",
    "roles": "R-maria-lincoln",
    "enrollments": "E-5A-sam",
}


WITH_ID = {
    "a quote that is not closed": lambda line: line.rpartition(",")[0] + ',"lost',
    "too many cells": lambda line: line + "," * 30 + "x",
    "longer than memory should hold": lambda line: line + "x" * 300_000,
}


@pytest.mark.parametrize("how", WITH_ID.values(), ids=WITH_ID)
@pytest.mark.parametrize("name", ROWS)
def test_broken_line_with_an_id_changes_nothing(nights, name, how):
    before = nights.roster()
    report = nights.read(damage(nights, name, LINE_STARTS[name], how))
    assert nights.roster() == before
    assert changed(report) == {}
    [(file, line, _, reason)] = reasons(report)
    assert (file, line > 1) == (f"{name}.csv", True)
    assert KEEPS_ROW in reason


WITHOUT_ID = {
    "a quote before the id": lambda line: '"' + line,
    "no id": lambda line: "," + line.split(",", maxsplit=1)[1],
    "an id as long as a book": lambda line: "x" * 300 + line,
    "an id that swallowed the next cell": lambda line: '"' + line.replace(",", ',"', 1) + '"',
}


@pytest.mark.parametrize("how", WITHOUT_ID.values(), ids=WITHOUT_ID)
@pytest.mark.parametrize("name", ["orgs", "classes", "users", "enrollments"])
def test_broken_line_without_an_id_keeps_everything(nights, name, how):
    before = nights.roster()
    report = nights.read(damage(nights, name, LINE_STARTS[name], how))
    assert nights.roster() == before
    assert KEEPS_ALL in reasons(report)[0][3]


def test_broken_line_without_an_id_keeps_missing_people(nights):
    nights.leave("joao")
    nights.read(damage(nights, "users", "maria", WITHOUT_ID["a quote before the id"]))
    assert nights.active("contacts") == {"maria", "joao"}
    assert nights.sync().rejected == 1, "Sam still names João"
    assert nights.active("contacts") == {"maria"}


def test_others_change_beside_a_broken_line_with_an_id(nights):
    nights.leave("joao")
    nights.add("pat", "Pat", "O'Brien", "guardian", agentSourcedIds="lea")
    nights.read(damage(nights, "users", "maria", WITH_ID["too many cells"]))
    assert nights.active("contacts") == {"maria", "pat"}


def test_broken_user_of_1_1_keeps_their_role(nights):
    nights.tables = bundles.a_district_in_1_1()
    nights.sync()
    before = nights.roster()
    for who in ("maria", "ana", "sam"):
        nights.read(damage(nights, "users", who, WITH_ID["too many cells"]))
        assert nights.roster() == before


def test_misspelled_role_keeps_a_contact_but_not_staff_rights(nights):
    roles = {row["userSourcedId"]: row for row in nights.tables["roles"]}
    roles["maria"]["role"], roles["clara"]["role"] = "gaurdian", "clark"
    report = nights.sync()
    assert nights.active("contacts") == {"maria", "joao"}
    assert nights.active("staff") == {"ana", "dana"}
    assert [reason[2] for reason in reasons(report) if reason[0] == "roles.csv"] == ["role", "role"]


def test_custom_role_is_not_a_contact(nights):
    {row["userSourcedId"]: row for row in nights.tables["roles"]}["maria"]["role"] = "ext:busDriver"
    nights.sync()
    assert nights.active("contacts") == {"joao"}


def test_enrollment_with_a_misspelled_role_stays(nights):
    nights.tables["enrollments"][1]["role"] = "studnet"
    nights.sync()
    assert nights.active("class_students") == {"E-5A-sam", "E-5A-lea"}


def test_school_with_a_misspelled_type_stays_a_school(nights):
    nights.tables["orgs"][1]["type"] = "shcool"
    before = nights.roster()
    report = nights.sync()
    assert nights.roster() == before
    assert [reason[2] for reason in reasons(report)] == ["type"]


def test_unreadable_term_ends_no_class(nights):
    first = nights.tables["academicSessions"][0]
    nights.tables["academicSessions"] = [
        first | {"sourcedId": "fall", "endDate": "2026-11-20"},
        first | {"sourcedId": "spring", "startDate": "2027-01-05", "endDate": "soon"},
    ]
    nights.tables["academicSessions"].append(first | {"sourcedId": "summer", "endDate": "2027-08-01"})
    nights.tables["classes"][0]["termSourcedIds"] = "fall,spring"
    nights.sync()
    assert nights.rows("SELECT DISTINCT ends_on FROM class_students") == [(None,)]
    nights.read(damage(nights, "academicSessions", "spring", WITH_ID["too many cells"]))
    assert nights.rows("SELECT DISTINCT ends_on FROM class_students") == [(None,)]


LOST_QUOTES = {
    "the first of a cell": '"maria,"Maria","Rivera","3125550142"\r\n',
    "the last of a cell": '"maria","Maria,"Rivera","3125550142"\r\n',
    "the last of the line": '"maria","Maria","Rivera","3125550142\r\n',
    "two": '"maria,"Maria,"Rivera","3125550142"\r\n',
    "one that a name of the next line seems to close": 'maria,"Maria,Rivera,3125550142\r\n',
}


@pytest.mark.parametrize("line", LOST_QUOTES.values(), ids=LOST_QUOTES)
def test_lost_quote_costs_only_its_line(nights, line):
    folder = bundles.write(nights.tables, nights.folder)
    header = "sourcedId,givenName,familyName,phone\r\n"
    contacts_and_students = 'joao,"João",Sousa,3125550143\r\n"sam","Sam","Rivera",""\r\n"lea","Lea","O\'Brien",""\r\n'
    staff = "ana,Ana,García,\r\nclara,Clara,Clerk,\r\ndana,Dana,Diaz,\r\n"
    (folder / "users.csv").write_text(header + line + contacts_and_students + staff, newline="")
    report = nights.read(folder)
    assert [reason[:2] for reason in reasons(report)] == [("users.csv", 2)]
    assert nights.active("contacts") == {"maria", "joao"}
    assert nights.rows("SELECT count(*) FROM contacts") == [(2,)]
    assert nights.phone("maria") == "+13125550142"


def test_delta_leaves_others_alone(nights):
    nights.add_families(30)
    before = nights.roster()
    report = nights.sync_changes(users=[dict(nights.user("maria"), phone="(312) 555-0199")])
    assert changed(report) == {"contacts": (0, 1, 0)}
    assert report.files["users.csv"].mode == "delta"
    assert nights.phone("maria") == "+13125550199"
    nights.sync_changes(users=[dict(nights.user("maria"))])
    assert [len(rows) for rows in nights.roster()] == [len(rows) for rows in before]


def test_delta_deletes_and_revives_a_contact(nights):
    nights.sync_changes(users=[{"sourcedId": "maria", "status": "tobedeleted"}])
    assert (nights.active("contacts"), nights.links()) == ({"joao"}, {("sam", "joao"), ("lea", "joao")})
    nights.sync_changes(users=[dict(nights.user("maria"))], roles=[bundles.role("maria", "parent")])
    assert nights.active("contacts") == {"maria", "joao"}
    assert ("sam", "maria") in nights.links()


def test_delta_ends_one_enrollment_and_adds_another(nights):
    nights.sync_changes(
        enrollments=[
            bundles.enrolled("sam", status="tobedeleted"),
            bundles.enrolled("lea", sourcedId="E-again", beginDate="2026-11-01"),
        ]
    )
    assert nights.active("class_students") == {"E-5A-lea", "E-again"}
    assert nights.active("class_teachers") == {"E-5A-ana"}


def test_delta_of_a_student_replaces_only_their_own_links(nights):
    nights.sync_changes(users=[dict(nights.user("sam"), agentSourcedIds="")])
    assert nights.links() == {("sam", "maria"), ("lea", "joao")}, "Maria names Sam herself"


def test_delta_of_1_1_changes_roles_with_the_person(nights):
    nights.tables = bundles.a_district_in_1_1()
    nights.sync()
    nights.sync_changes(users=[dict(nights.user("ana"), orgSourcedIds="roosevelt")])
    assert nights.rows(
        "SELECT s.name FROM staff_roles r JOIN schools s ON s.id = r.school_id "
        "JOIN staff t ON t.id = r.staff_id WHERE t.sourced_id = 'ana'"
    ) == [("Roosevelt High",)]
    assert nights.active("students") == {"sam", "lea"}


def test_export_may_mix_bulk_and_delta_files(nights):
    joao = dict(nights.user("joao"), status="active", dateLastModified="2026-11-24T00:00:00.000Z", sms="312-555-0188")
    tables = nights.tables | {"users": [joao], "enrollments": nights.tables["enrollments"][:2]}
    report = nights.read(bundles.write(tables, nights.folder, delta=["users"]))
    assert changed(report) == {"contacts": (0, 1, 0), "class_students": (0, 0, 1)}
    assert nights.phone("joao") == "+13125550188"


def test_bulk_file_declared_as_delta_is_bulk(nights):
    nights.leave("lea")
    report = nights.read(bundles.write(nights.tables, nights.folder, delta=nights.tables))
    assert nights.active("students") == {"sam"}
    assert {file.mode for file in report.files.values()} == {"bulk"}
