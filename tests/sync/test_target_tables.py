"""What an export means: roles, schools, dates and links; variants of real exports; rejected rows."""

from datetime import date

import pytest
from support import sis_bundles as bundles
from support.sis_nights import changed, reasons


def test_roles_decide_who_is_student_contact_or_staff(nights):
    assert nights.sync().rejected == 0
    assert nights.active("students") == {"sam", "lea"}
    assert nights.active("contacts") == {"maria", "joao"}
    assert nights.active("staff") == {"ana", "clara", "dana"}
    assert nights.active("schools") == {"lincoln", "roosevelt"}
    assert set(
        nights.rows(
            "SELECT s.sourced_id, r.role, p.sourced_id FROM staff_roles r JOIN staff s ON s.id = r.staff_id "
            "LEFT JOIN schools p ON p.id = r.school_id"
        )
    ) == {
        ("ana", "teacher", "lincoln"),
        ("clara", "siteAdministrator", "lincoln"),
        ("dana", "districtAdministrator", None),
    }


def test_either_side_of_a_link_may_name_the_other(nights):
    assert nights.links() == {("sam", "maria"), ("sam", "joao"), ("lea", "joao")}


def test_sms_number_is_preferred_to_phone_number(nights):
    assert (nights.phone("maria"), nights.phone("joao")) == ("+13125550142", "+13125550143")


def test_names_are_cleaned_and_folded_for_search(nights):
    nights.user("lea")["familyName"] = "  O\u2019Brien\u200b-Núñez "
    nights.sync()
    assert nights.rows("SELECT family_name, search FROM students WHERE sourced_id = 'lea'") == [
        ("O\u2019Brien-Núñez", "lea obriennunez")
    ]


def test_one_person_may_be_staff_and_contact(nights):
    nights.tables["roles"].append(bundles.role("ana", "parent"))
    nights.user("lea")["agentSourcedIds"] = "ana"
    nights.sync()
    assert "ana" in nights.active("staff") & nights.active("contacts")
    assert ("lea", "ana") in nights.links()


def test_disabled_staff_and_ended_roles_do_not_count(nights):
    nights.user("clara")["enabledUser"] = "false"
    nights.tables["roles"].append(bundles.role("ana", "principal", beginDate="2024-08-01", endDate="2026-08-01"))
    nights.tables["roles"].append(bundles.role("ana", "aide", beginDate="2027-01-10"))
    nights.sync()
    assert nights.active("staff") == {"ana", "dana"}
    assert nights.rows(
        "SELECT r.role FROM staff_roles r JOIN staff s ON s.id = r.staff_id WHERE s.sourced_id = 'ana'"
    ) == [("teacher",)]


def test_student_attends_schools_of_current_roles_and_classes(nights):
    roles = {row["userSourcedId"]: row for row in nights.tables["roles"]}
    roles["sam"]["orgSourcedId"] = "roosevelt"
    roles["lea"] |= {"endDate": "2026-10-01"}
    nights.tables["roles"].append(bundles.role("lea", "student", "roosevelt", beginDate="2026-10-01"))
    nights.tables["enrollments"] = [
        bundles.enrolled("ana", "teacher"),
        bundles.enrolled("sam"),
        bundles.enrolled("lea", endDate="2026-10-01"),
    ]
    nights.sync()
    assert set(
        nights.rows(
            "SELECT s.sourced_id, p.sourced_id FROM student_schools l JOIN students s ON s.id = l.student_id "
            "JOIN schools p ON p.id = l.school_id"
        )
    ) == {("sam", "lincoln"), ("sam", "roosevelt"), ("lea", "roosevelt")}


def enrollment_dates(nights, who):
    return nights.rows(
        "SELECT e.begins_on, e.ends_on FROM class_students e JOIN students s ON s.id = e.student_id "
        "WHERE s.sourced_id = :who",
        who=who,
    )


def test_undated_enrollment_takes_the_dates_of_its_terms(nights):
    nights.tables["enrollments"][2] |= {"beginDate": "2026-09-14"}
    nights.sync()
    assert enrollment_dates(nights, "sam") == [(date(2026, 8, 17), date(2027, 6, 5))]
    assert enrollment_dates(nights, "lea") == [(date(2026, 9, 14), date(2027, 6, 5))]


def test_outdated_calendar_ends_no_enrollment(nights):
    nights.tables["academicSessions"][0] |= {"startDate": "2021-08-23", "endDate": "2022-05-27"}
    nights.tables["enrollments"][2] |= {"endDate": "2026-10-01"}
    nights.sync()
    assert enrollment_dates(nights, "sam") == [(None, None)]
    assert enrollment_dates(nights, "lea") == [(None, date(2026, 10, 1))]


def test_homeroom_and_its_primary_teacher_are_stored(nights):
    assert nights.rows("SELECT title, homeroom FROM classes") == [("Homeroom 5A", True)]
    assert nights.rows("SELECT s.sourced_id, t.is_primary FROM class_teachers t JOIN staff s ON s.id = t.staff_id") == [
        ("ana", True)
    ]


def test_each_rejected_row_has_file_line_and_column(nights):
    nights.tables["orgs"].append({"sourcedId": "", "name": "Nowhere", "type": "school"})
    nights.user("lea")["agentSourcedIds"] = "lea,nobody,ana"
    nights.user("maria")["phone"] = "555-014"
    nights.tables["users"].append(bundles.person("sam", "Samuel", "Rivera"))
    nights.tables["users"].append(bundles.person("ghost", "Gus", "Ghost"))
    nights.tables["roles"].append(bundles.role("clara", "janitor"))
    nights.tables["roles"].append(bundles.role("nobody", "student"))
    nights.tables["roles"].append(bundles.role("dana", "principal", "atlantis"))
    nights.tables["enrollments"] += [
        bundles.enrolled("lea", in_class="9Z"),
        bundles.enrolled("nobody"),
        bundles.enrolled("maria"),
        bundles.enrolled("sam", sourcedId="E-2", beginDate="someday"),
    ]
    report = nights.sync()
    assert [(file, line, column) for file, line, column, _ in reasons(report)] == [
        ("enrollments.csv", 5, "classSourcedId"),
        ("enrollments.csv", 6, "userSourcedId"),
        ("enrollments.csv", 7, "userSourcedId"),
        ("enrollments.csv", 8, "beginDate"),
        ("orgs.csv", 5, "sourcedId"),
        ("roles.csv", 9, "role"),
        ("roles.csv", 10, "userSourcedId"),
        ("roles.csv", 11, "orgSourcedId"),
        ("users.csv", 6, "agentSourcedIds"),
        ("users.csv", 6, "agentSourcedIds"),
        ("users.csv", 6, "agentSourcedIds"),
        ("users.csv", 7, "phone"),
        ("users.csv", 9, "sourcedId"),
        ("users.csv", 10, "role"),
    ]
    assert report.rejected == len(report.rejections)
    assert nights.active("students") == {"sam", "lea"}
    assert nights.rows("SELECT sis_phone, sis_phone_written FROM contacts WHERE sourced_id = 'maria'") == [
        (None, "555-014")
    ]


def test_email_shared_by_staff_of_different_names_is_rejected(nights):
    nights.user("clara")["email"] = "ANA.garcia@district.example"
    nights.add("ana2", "Ana", "Garcia", "teacher", email="ana.garcia@district.example")
    nights.user("maria")["email"] = "dana.diaz@district.example"  # A contact who shares it gets no rights.
    report = nights.sync()
    assert [(file, line, column) for file, line, column, _ in reasons(report)] == [
        ("users.csv", 2, "email"),
        ("users.csv", 3, "email"),
        ("users.csv", 9, "email"),
    ]
    assert report.counts["staff"].rejected == 3
    assert ("clara", "ana.garcia@district.example") in nights.rows("SELECT sourced_id, email FROM staff")


def test_no_reason_repeats_the_cell(nights):
    nights.user("maria")["phone"] = "555-0142 / Wednesday"
    nights.user("lea")["agentSourcedIds"] = "wednesday-addams"
    nights.tables["enrollments"][1]["beginDate"] = "Wednesday"
    rejections = str(nights.sync().as_json()["rejections"]).lower()
    assert "wednesday" not in rejections
    assert "555" not in rejections.replace("(312) 555-0142", ""), "only the example in our reason"


def one_way_from_students(tables):
    people = bundles.users_by_id(tables)
    people["maria"]["agentSourcedIds"] = people["joao"]["agentSourcedIds"] = ""
    people["lea"]["agentSourcedIds"] = "joao"


def one_way_from_contacts(tables):
    people = bundles.users_by_id(tables)
    people["sam"]["agentSourcedIds"] = ""
    people["joao"]["agentSourcedIds"] = "sam,lea"


def repeated_links(tables):
    bundles.users_by_id(tables)["sam"]["agentSourcedIds"] = "maria,joao,maria, joao"


def repeated_roles(tables):
    tables["roles"] += [dict(row, sourcedId=f"{row['sourcedId']}-2") for row in tables["roles"]]


def repeated_role_rows(tables):
    tables["roles"] += [dict(row) for row in tables["roles"]]


def uppercase_booleans(tables):
    for user in tables["users"]:
        user["enabledUser"] = "TRUE"
    tables["enrollments"][0]["primary"] = "TRUE"


def american_dates(tables):
    tables["academicSessions"][0] |= {"startDate": "8/17/2026", "endDate": "6/5/27"}


def dates_with_times(tables):
    tables["academicSessions"][0] |= {"startDate": "2026-08-17 00:00:00", "endDate": "2027-06-05T00:00:00.000Z"}


def european_dates(tables):
    tables["academicSessions"][0] |= {"startDate": "17/08/2026", "endDate": "05/06/2027"}


def custom_columns(tables):
    for user in tables["users"]:
        user |= {"metadata.sms": "312-555-0000", "ext_phone": "312-555-0000", "metadata.agentSourcedIds": "clara"}


def delta_statuses(tables):
    for rows in tables.values():
        for row in rows:
            row |= {"status": "Active", "dateLastModified": "2026-11-23T12:00:00.000Z"}


def words_in_other_case(tables):
    for row in tables["roles"]:
        row["role"] = row["role"].upper()
    for org in tables["orgs"]:
        org["type"] = org["type"].title()
    tables["classes"][0]["classType"] = "Homeroom"


def padding_everywhere(tables):
    for rows in tables.values():
        for row in rows:
            row |= {column: f" \u200b{cell}\u00a0 " for column, cell in row.items()}


VARIANTS = (
    one_way_from_students,
    one_way_from_contacts,
    repeated_links,
    repeated_roles,
    repeated_role_rows,
    uppercase_booleans,
    american_dates,
    dates_with_times,
    european_dates,
    custom_columns,
    delta_statuses,
    words_in_other_case,
    padding_everywhere,
)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.__name__)
def test_variants_of_an_export_are_the_same_roster(nights, variant):
    links = nights.links()
    variant(nights.tables)
    report = nights.sync()
    assert {table: counts for table, counts in changed(report).items() if table != "student_contacts"} == {}
    assert nights.links() == links
    assert [reason for reason in reasons(report) if not reason[3].startswith("is a column that is not read")] == []


NO_NUMBERS = ("N/A", "000-000-0000", "5.10799E+09", "555-0142", "unlisted")


@pytest.mark.parametrize("cell", NO_NUMBERS)
def test_contact_with_an_unreadable_number_is_kept_without_it(nights, cell):
    nights.user("maria")["phone"] = cell
    report = nights.sync()
    assert [reason[:3] for reason in reasons(report)] == [("users.csv", 7, "phone")]
    assert nights.active("contacts") == {"maria", "joao"}
    assert nights.phone("maria") is None


WRONG_LINKS = {
    "unknown person": "nobody",
    "oneself": "lea",
    "a teacher": "ana",
    "another student": "sam",
}


@pytest.mark.parametrize("agent", WRONG_LINKS.values(), ids=WRONG_LINKS)
def test_link_to_no_contact_is_rejected(nights, agent):
    nights.user("lea")["agentSourcedIds"] = agent
    report = nights.sync()
    assert changed(report) == {}
    assert [reason[:3] for reason in reasons(report)] == [("users.csv", 6, "agentSourcedIds")]


@pytest.mark.parametrize("name", ["orgs", "classes", "users", "enrollments", "academicSessions"])
def test_first_of_two_rows_with_one_id_counts(nights, name):
    nights.tables[name].append(dict(nights.tables[name][0]))
    report = nights.sync()
    assert changed(report) == {}
    [(file, line, column, reason)] = reasons(report)
    assert (file, line, column) == (f"{name}.csv", len(nights.tables[name]) + 1, "sourcedId")
    assert reason == "is also on line 2, which counts"


WRONG_MANIFESTS = {
    "all of it a delta": "file.users,delta\nfile.roles,delta\nfile.orgs,delta\nfile.enrollments,delta\n",
    "nothing there": "file.users,absent\nfile.roles,absent\n",
    "another version": "oneroster.version,1.0\nfile.users,bulk\n",
    "nothing that can be read": '\x00\x01,\n"',
}


@pytest.mark.parametrize("manifest", WRONG_MANIFESTS.values(), ids=WRONG_MANIFESTS)
def test_files_win_over_a_wrong_manifest(nights, manifest):
    nights.leave("lea")
    folder = bundles.write(nights.tables, nights.folder)
    (folder / "manifest.csv").write_text(f"propertyName,value\n{manifest}")
    nights.read(folder)
    assert nights.active("students") == {"sam"}
