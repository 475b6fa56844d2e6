"""A bundle of the SIS becomes the roster: who is what, where, with whom; and a second sync changes nothing."""

from datetime import date

import pytest
from sqlalchemy.orm import Session
from support import sis_bundles as bundles
from support.sis_nights import Nights, changed, reasons

from bot.db.models.roster import last_sync_query
from bot.errors import UserError
from bot.sandbox import district


@pytest.fixture
def nights(empty_database, tmp_path):
    return Nights(empty_database, tmp_path / "bundle")


def test_a_whole_district_is_read_and_the_second_sync_changes_nothing(nights, tmp_path):
    maplewood = district.make()
    district.write(tmp_path / "maplewood", date(2026, 11, 23))
    first, second = nights.read(tmp_path / "maplewood"), nights.read(tmp_path / "maplewood")
    children = sum(len(family.children) for family in maplewood.families)
    adults = sum(len(family.adults) for family in maplewood.families)
    assert (first.totals["students"], first.totals["contacts"]) == (children, adults)
    assert (changed(first)["students"], changed(first)["contacts"]) == ((children, 0, 0), (adults, 0, 0))
    assert changed(second) == {}
    assert first.totals == second.totals


def test_everybody_is_what_their_role_says(nights):
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


def test_a_contact_belongs_to_a_student_whichever_of_the_two_names_the_other(nights):
    nights.sync()
    assert nights.links() == {("sam", "maria"), ("sam", "joao"), ("lea", "joao")}


def test_a_contact_is_texted_at_the_number_for_texts_if_it_has_one(nights):
    nights.sync()
    assert (nights.phone("maria"), nights.phone("joao")) == ("+13125550142", "+13125550143")


def test_1_1_and_1_2_a_folder_and_a_zip_make_the_same_roster(nights, tmp_path):
    nights.sync()
    later = nights.read(bundles.write_zip(nights.tables, tmp_path / "export.zip", inside="export/"))
    assert changed(later) == {}
    older = nights.read(bundles.write(bundles.a_district_in_1_1(), tmp_path / "older"))
    assert set(changed(older)) == {"staff_roles"}, "1.1 has one word for administrators of a school and of the district"
    assert older.rejected == 0


def test_names_are_found_however_they_are_typed(nights):
    nights.user("lea")["familyName"] = "  O\u2019Brien\u200b-Núñez "
    nights.sync()
    assert nights.rows("SELECT family_name, search FROM students WHERE sourced_id = 'lea'") == [
        ("O\u2019Brien-Núñez", "lea obriennunez")
    ]


def test_only_what_changed_is_written(nights):
    nights.sync()
    before = nights.rows("SELECT sourced_id, xmin::text FROM contacts ORDER BY 1")
    nights.user("maria")["familyName"] = "Rivera-Lopez"
    assert changed(nights.sync()) == {"contacts": (0, 1, 0)}
    after = nights.rows("SELECT sourced_id, xmin::text FROM contacts ORDER BY 1")
    assert [(one[0], one == other) for one, other in zip(before, after, strict=True)] == [
        ("joao", True),
        ("maria", False),
    ]


def test_the_version_of_a_contact_moves_with_its_number_and_with_nothing_else(nights):
    nights.sync()
    nights.user("maria")["email"] = "maria@work.example"
    nights.sync()
    assert nights.rows("SELECT version FROM contacts WHERE sourced_id = 'maria'") == [(1,)]
    nights.user("maria")["phone"] = "(312) 555-0199"
    nights.sync()
    assert nights.rows("SELECT version, sis_phone FROM contacts WHERE sourced_id = 'maria'") == [(2, "+13125550199")]


def test_the_same_number_written_otherwise_is_no_change_of_the_number(nights):
    nights.sync()
    nights.user("maria")["phone"] = "1-312-555-0142"
    nights.sync()
    assert nights.rows("SELECT version, sis_phone_written FROM contacts WHERE sourced_id = 'maria'") == [
        (1, "1-312-555-0142")
    ]
    assert nights.rows("SELECT FROM audit") == []


def test_who_is_missing_is_inactive_and_who_returns_is_the_same_as_before(nights):
    nights.sync()
    known = nights.rows("SELECT id, sourced_id FROM contacts ORDER BY id")
    gone = [one for one in nights.tables["users"] if one["sourcedId"] == "maria"]
    nights.leave("maria")
    report = nights.sync()
    assert (nights.active("contacts"), nights.links()) == ({"joao"}, {("sam", "joao"), ("lea", "joao")})
    assert changed(report) == {"contacts": (0, 0, 1), "student_contacts": (0, 0, 1)}
    nights.tables["users"] += gone
    nights.tables["roles"].append(bundles.role("maria", "parent"))
    assert changed(nights.sync()) == {"contacts": (0, 1, 0), "student_contacts": (0, 1, 0)}
    assert nights.rows("SELECT id, sourced_id FROM contacts ORDER BY id") == known


@pytest.mark.parametrize("status", ["tobedeleted", "inactive"])
def test_who_is_marked_as_deleted_has_left(nights, status):
    nights.user("maria")["status"] = status
    assert nights.sync().rejected == 0, "Sam still names her, which is no mistake"
    assert nights.active("contacts") == {"joao"}


def test_a_person_may_be_staff_and_a_contact(nights):
    nights.tables["roles"].append(bundles.role("ana", "parent"))
    nights.user("lea")["agentSourcedIds"] = "ana"
    nights.sync()
    assert "ana" in nights.active("staff") & nights.active("contacts")
    assert ("lea", "ana") in nights.links()


def test_staff_whose_account_is_off_and_roles_that_are_over_count_for_nothing(nights):
    nights.user("clara")["enabledUser"] = "false"
    nights.tables["roles"].append(bundles.role("ana", "principal", beginDate="2024-08-01", endDate="2026-08-01"))
    nights.tables["roles"].append(bundles.role("ana", "aide", beginDate="2027-01-10"))
    nights.sync()
    assert nights.active("staff") == {"ana", "dana"}
    assert nights.rows(
        "SELECT r.role FROM staff_roles r JOIN staff s ON s.id = r.staff_id WHERE s.sourced_id = 'ana'"
    ) == [("teacher",)]


def test_a_student_is_at_each_school_that_a_role_or_a_class_says_until_it_is_over(nights):
    roles = {one["userSourcedId"]: one for one in nights.tables["roles"]}
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


def dates_of(nights, who):
    return nights.rows(
        "SELECT e.begins_on, e.ends_on FROM class_students e JOIN students s ON s.id = e.student_id "
        "WHERE s.sourced_id = :who",
        who=who,
    )


def test_an_enrolment_without_dates_lasts_as_long_as_the_terms_of_its_class(nights):
    nights.tables["enrollments"][2] |= {"beginDate": "2026-09-14"}
    nights.sync()
    assert dates_of(nights, "sam") == [(date(2026, 8, 17), date(2027, 6, 5))]
    assert dates_of(nights, "lea") == [(date(2026, 9, 14), date(2027, 6, 5))]


def test_a_calendar_that_nobody_renewed_hides_no_student_from_their_teachers(nights):
    nights.tables["academicSessions"][0] |= {"startDate": "2021-08-23", "endDate": "2022-05-27"}
    nights.tables["enrollments"][2] |= {"endDate": "2026-10-01"}
    nights.sync()
    assert dates_of(nights, "sam") == [(None, None)]
    assert dates_of(nights, "lea") == [(None, date(2026, 10, 1))]


def test_a_homeroom_and_its_first_teacher_are_known(nights):
    nights.sync()
    assert nights.rows("SELECT title, homeroom FROM classes") == [("Homeroom 5A", True)]
    assert nights.rows("SELECT s.sourced_id, t.is_primary FROM class_teachers t JOIN staff s ON s.id = t.staff_id") == [
        ("ana", True)
    ]


def test_the_report_is_kept_and_says_when_the_sis_was_last_read_to_the_end(nights):
    nights.user("joao")["sms"] = "555-014"
    with Session(nights.engine) as session:
        assert session.scalar(last_sync_query()) is None
    report = nights.sync()
    assert nights.rows("SELECT id, state, counts -> 'contacts' ->> 'added' FROM sync_runs") == [
        (report.run_id, "done", "2")
    ]
    assert nights.rows("SELECT file, line, column_name FROM sync_rejections") == [("users.csv", 8, "sms")]
    with Session(nights.engine) as session:
        assert session.scalar(last_sync_query()) >= nights.now


def test_a_report_for_machines_holds_what_people_read_of_it(nights):
    nights.user("joao")["sms"] = "555-014"
    report = nights.sync()
    told = report.as_json()
    assert (told["state"], told["rejections"][0]["line"]) == ("done", 8)
    assert told["totals"] == report.totals == {"students": 2, "contacts": 2, "staff": 3, "teachers": 1, "schools": 2}
    assert told["rejections"][0]["reason"].startswith("cannot be read")


def test_a_dry_run_reports_all_and_writes_nothing(nights):
    report = nights.sync(dry_run=True)
    assert (report.run_id, changed(report)["students"]) == (None, (2, 0, 0))
    assert nights.rows("SELECT FROM students") == nights.rows("SELECT FROM sync_runs") == []


@pytest.mark.parametrize("source", ["nowhere", "notes.txt", "empty"])
def test_a_source_that_is_none_is_said_in_a_sentence_and_noted(nights, tmp_path, source):
    (tmp_path / "notes.txt").write_text("to do")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"There is nothing|not a zip|holds no OneRoster"):
        nights.read(tmp_path / source)
    assert nights.rows("SELECT state FROM sync_runs") == [("failed",)]


def test_every_row_that_is_left_out_says_where_and_why_and_the_others_go_in(nights):
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


def test_no_reason_repeats_what_a_cell_said(nights):
    nights.user("maria")["phone"] = "555-0142 / Wednesday"
    nights.user("lea")["agentSourcedIds"] = "wednesday-addams"
    nights.tables["enrollments"][1]["beginDate"] = "Wednesday"
    told = str(nights.sync().as_json()["rejections"]).lower()
    assert "wednesday" not in told
    assert "555" not in told.replace("(312) 555-0142", ""), "only the example of a number that we give"


def test_a_file_that_the_manifest_promises_and_nobody_sent_is_said_and_nothing_follows(nights):
    nights.sync()
    files = bundles.write(nights.tables, nights.folder)
    (files / "enrollments.csv").unlink()
    report = nights.read(files)
    assert [one[:3] for one in reasons(report)] == [("enrollments.csv", None, None)]
    assert changed(report) == {}


def test_a_file_that_cannot_be_read_takes_nobody_away(nights):
    nights.sync()
    files = bundles.write(nights.tables, nights.folder)
    (files / "users.csv").write_text("Name,Phone\r\nMaria,555\r\n")
    report = nights.read(files)
    assert changed(report) == {}
    assert report.files["users.csv"].mode == "unreadable"
