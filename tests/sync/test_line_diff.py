"""An export is read by the lines that changed, and nothing is different from reading all of it.

The district has sixty students, so that what one night changes is little of it. After each night everything is read once more
without writing: it must find nothing to change, and the same rows to complain about.
"""

import copy
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from support import sis_bundles as bundles
from support.sis_nights import Nights, changed

from bot.sync.hold import SyncHeld

STUDENTS = 60


def a_larger_district():
    """Student s7 has the contacts a7 (named by both sides), b7 (by the student only) and c7 (who only names the student)."""
    tables = bundles.a_district()
    for number in range(STUDENTS):
        student, (both, named, naming) = f"s{number}", (f"{kind}{number}" for kind in "abc")
        tables["users"] += [
            bundles.person(student, f"Kim{number}", "Lee", grades="05", agentSourcedIds=f"{both},{named}"),
            bundles.person(both, f"Alex{number}", "Lee", sms=f"(312) 555-{number:04}", agentSourcedIds=student),
            bundles.person(named, f"Bo{number}", "Lee", sms=f"(312) 556-{number:04}"),
            bundles.person(naming, f"Cy{number}", "Lee", sms=f"(312) 557-{number:04}", agentSourcedIds=student),
        ]
        tables["roles"] += [bundles.role(student, "student")]
        tables["roles"] += [bundles.role(one, "guardian") for one in (both, named, naming)]
        tables["enrollments"] += [bundles.enrolled(student), bundles.enrolled(student, in_class="5B")]
    tables["classes"].append(dict(tables["classes"][0], sourcedId="5B", classType="scheduled"))
    return tables


class Large(Nights):
    """As `Nights`; each sync is held against reading everything."""

    def __init__(self, engine, folder):
        super().__init__(engine, folder)
        self.tables = a_larger_district()

    def night(self):
        """A sync, and whether it read only what changed."""
        report = self.sync()
        narrow = not read_whole(self)
        self.now -= timedelta(days=1)
        whole = self.read(self.folder, dry_run=True, whole_every=timedelta())
        assert changed(whole) == {}
        assert sorted(map(str, report.rejections)) == sorted(map(str, whole.rejections))
        assert report.totals == whole.totals
        assert {name: one.read for name, one in report.counts.items()} == {
            name: one.read for name, one in whole.counts.items()
        }
        assert report.files == whole.files
        return narrow

    def rows_of(self, table, who):
        return [one for one in self.tables[table] if who in (one["sourcedId"], one.get("userSourcedId"))]


def read_whole(nights):
    return nights.rows("SELECT is_whole FROM sync_runs ORDER BY id DESC LIMIT 1") == [(True,)]


@pytest.fixture
def nights(empty_database, tmp_path):
    made = Large(empty_database, tmp_path / "large")
    made.night()
    return made


def another_phone(nights):
    nights.user("a7")["sms"] = "312-555-0199"


def no_phone(nights):
    nights.user("a7")["sms"] = ""


def a_phone_that_is_none(nights):
    nights.user("a7")["sms"] = "555-01"


def another_name(nights):
    nights.user("s7")["familyName"] = "O'Brien-Nuñez"


def a_contact_leaves(nights):
    nights.leave("a7")


def a_contact_leaves_whom_only_the_student_names(nights):
    nights.leave("b7")


def a_student_leaves(nights):
    nights.leave("s7")


def a_teacher_leaves(nights):
    nights.leave("ana")


def somebody_leaves_only_the_roles(nights):
    nights.tables["roles"].remove(nights.rows_of("roles", "b7")[0])


def somebody_is_marked_as_gone(nights):
    nights.user("b7")["status"] = "tobedeleted"


def a_link_is_no_longer_said(nights):
    nights.user("s7")["agentSourcedIds"] = "a7"


def a_link_to_nobody(nights):
    nights.user("s7")["agentSourcedIds"] = "a7,b7,nobody"


def a_link_to_another_student(nights):
    nights.user("c7")["agentSourcedIds"] = "s8,s7"


def a_link_to_oneself(nights):
    nights.user("c7")["agentSourcedIds"] = "c7"


def a_new_student_with_a_contact(nights):
    nights.add("new", "New", "Comer", "student", agentSourcedIds="newer,a7")
    nights.add("newer", "Newer", "Comer", "parent", sms="(312) 555-0177")
    nights.tables["enrollments"].append(bundles.enrolled("new"))


def a_student_becomes_a_contact(nights):
    nights.rows_of("roles", "s7")[0]["role"] = "parent"


def a_contact_becomes_staff_too(nights):
    nights.user("a7")["email"] = "a7@district.example"
    nights.tables["roles"].append(bundles.role("a7", "teacher", "roosevelt"))


def a_role_that_is_none(nights):
    nights.rows_of("roles", "s7")[0]["role"] = "studnet"


def a_role_of_nobody(nights):
    nights.tables["roles"].append(bundles.role("nobody", "teacher"))


def a_role_at_no_school(nights):
    nights.rows_of("roles", "s7")[0]["orgSourcedId"] = "nowhere"


def a_role_that_is_over(nights):
    nights.rows_of("roles", "clara")[0]["endDate"] = "2026-09-01"


def an_account_that_is_closed(nights):
    nights.user("ana")["enabledUser"] = "false"


def a_move_to_another_class(nights):
    nights.rows_of("enrollments", "s7")[0] |= {"sourcedId": "E-new", "classSourcedId": "5B"}


def an_enrolment_that_is_over(nights):
    nights.rows_of("enrollments", "s7")[0]["endDate"] = "2026-09-01"


def an_enrolment_of_another(nights):
    nights.rows_of("enrollments", "s7")[0]["userSourcedId"] = "s8"


def an_enrolment_of_nobody(nights):
    nights.rows_of("enrollments", "s7")[0]["userSourcedId"] = "nobody"


def an_enrolment_in_no_class(nights):
    nights.rows_of("enrollments", "s7")[0]["classSourcedId"] = "none"


def an_enrolment_as_a_teacher(nights):
    nights.rows_of("enrollments", "s7")[0]["role"] = "teacher"


def a_teacher_who_learns(nights):
    nights.rows_of("enrollments", "ana")[0]["role"] = "student"


def an_enrolment_said_twice(nights):
    nights.tables["enrollments"].append(dict(nights.rows_of("enrollments", "s7")[0], userSourcedId="s9"))


def a_person_said_twice(nights):
    nights.tables["users"].append(dict(nights.user("a7"), sms="(312) 555-0188"))


def the_same_line_twice(nights):
    nights.tables["users"].append(dict(nights.user("a7")))


def a_backslash_in_a_name(nights):
    nights.user("s7")["givenName"] = "Ki\\m"


def another_order(nights):
    for name in ("users", "roles", "enrollments"):
        nights.tables[name].reverse()


CHANGES = [
    another_phone,
    no_phone,
    a_phone_that_is_none,
    another_name,
    a_contact_leaves,
    a_contact_leaves_whom_only_the_student_names,
    a_student_leaves,
    a_teacher_leaves,
    somebody_leaves_only_the_roles,
    somebody_is_marked_as_gone,
    a_link_is_no_longer_said,
    a_link_to_nobody,
    a_link_to_another_student,
    a_link_to_oneself,
    a_new_student_with_a_contact,
    a_student_becomes_a_contact,
    a_contact_becomes_staff_too,
    a_role_that_is_none,
    a_role_of_nobody,
    a_role_at_no_school,
    a_role_that_is_over,
    an_account_that_is_closed,
    a_move_to_another_class,
    an_enrolment_that_is_over,
    an_enrolment_of_another,
    an_enrolment_of_nobody,
    an_enrolment_in_no_class,
    an_enrolment_as_a_teacher,
    a_teacher_who_learns,
    an_enrolment_said_twice,
    a_person_said_twice,
    a_backslash_in_a_name,
    another_order,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_changed_is_read_alone_and_what_is_taken_back_comes_back(nights, change):
    before = {name: [dict(row) for row in rows] for name, rows in nights.tables.items()}
    people, links = nights.active("contacts"), nights.links()
    change(nights)
    assert nights.night()
    assert nights.night()
    nights.tables = before
    assert nights.night()
    assert (nights.active("contacts"), nights.links()) == (people, links)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=st.lists(st.lists(st.sampled_from([*CHANGES, the_same_line_twice]), max_size=4), min_size=2, max_size=4))
def test_no_sequence_of_nights_makes_a_difference(empty_database, tmp_path_factory, plan):
    with empty_database.begin() as connection:
        tables = "contacts, students, staff, schools, classes, class_students, sync_runs, known_lines"
        connection.execute(text(f"TRUNCATE {tables} CASCADE"))
    nights = Large(empty_database, tmp_path_factory.mktemp("large"))
    nights.night()
    tables = a_larger_district()
    for changes in plan:
        nights.tables = copy.deepcopy(tables)
        for change in changes:
            with suppress(IndexError, KeyError):  # An earlier change took away whom this one is about.
                change(nights)
        nights.night()


def append(nights, name, text):
    with (nights.folder / f"{name}.csv").open("a", newline="", encoding="utf-8") as file:
        file.write(text)


BLANK = ["", ",,,,", '"","", ', "," * 60, " " * 39, " " * 5_000, ",".join(["      "] * 30), '""' + ',""' * 50]
LOOKS_BLANK = ["\t\t\t", "\x0b", "\u2003,,,", "\u3000,\u3000", '"', '"""', '""""', '" ",' * 8, '"" ', "\u00a0" * 30]


@pytest.mark.parametrize("blank", BLANK)
def test_blank_lines_are_no_rows(nights, blank):
    for name in ("users", "roles", "enrollments"):
        append(nights, name, f"{blank}\r\n\r\n{blank}\r\n")
    report = nights.read(nights.folder)
    assert not read_whole(nights)
    assert {name: report.files[f"{name}.csv"].read for name in ("users", "roles", "enrollments")} == {
        name: len(nights.tables[name]) for name in ("users", "roles", "enrollments")
    }
    assert changed(report) == {}


@pytest.mark.parametrize("line", LOOKS_BLANK)
def test_a_line_that_only_looks_blank_may_be_anybodys_and_takes_nobody_away(nights, line):
    nights.leave("s7")
    bundles.write(nights.tables, nights.folder)
    append(nights, "users", f"{line}\r\n")
    report = nights.read(nights.folder)
    assert "s7" in nights.active("students")
    assert report.files["users.csv"].rejected


@pytest.mark.parametrize("sign", ["\0", "\x01", "\x02", "\x03"])
def test_signs_that_no_line_should_have_leave_the_comparing_to_a_whole_reading(nights, sign):
    for _ in range(2):
        append(nights, "users", f"x,,,true,,,A{sign}b,Lee\r\n")
        nights.read(nights.folder)
        assert read_whole(nights)


@pytest.mark.parametrize("name", ["\\N", "\\.", "Ki\\\\m", "\\x02", "Kim\\"])
def test_a_backslash_is_a_letter_of_a_name(nights, name):
    nights.user("s7")["givenName"] = name
    assert nights.night()
    assert nights.rows("SELECT given_name FROM students WHERE sourced_id = 's7'") == [(name,)]


@pytest.mark.parametrize("line", ["\\.", "\\", "x7,,,true,,,Lea,Lee\\"])
def test_a_line_that_ends_with_a_backslash_is_one_line(nights, line):
    bundles.write(nights.tables, nights.folder)
    append(nights, "users", f"{line}\r\n{line}x\r\n")
    report = nights.read(nights.folder)
    assert report.files["users.csv"].read == len(nights.tables["users"]) + 2


def test_a_line_longer_than_any_row_has_everything_read(nights):
    nights.user("a7")["username"] = "x" * 121_000
    assert not nights.night()


def test_a_line_said_twice_and_then_not_at_all_takes_its_enrolment_away(nights):
    [row] = [one for one in nights.rows_of("enrollments", "s7") if one["classSourcedId"] == "5B"]
    nights.tables["enrollments"].append(dict(row))
    nights.night()
    nights.tables["enrollments"] = [one for one in nights.tables["enrollments"] if one["sourcedId"] != row["sourcedId"]]
    assert nights.night()
    assert row["sourcedId"] not in nights.active("class_students")


def test_an_enrolment_that_went_from_a_teacher_to_a_student_is_no_longer_the_teachers(nights):
    nights.rows_of("enrollments", "ana")[0].update(userSourcedId="s7", role="student")
    assert nights.night()
    nights.user("ana")["email"] = "ana2@district.example"
    assert nights.night()


@pytest.mark.parametrize("blank", BLANK)
def test_a_small_file_that_is_emptied_brakes_although_a_blank_line_is_left_in_it(nights, blank):
    nights.tables["enrollments"] = nights.tables["enrollments"][:15]
    nights.read(bundles.write(nights.tables, nights.folder), confirm=True)
    nights.tables["enrollments"].clear()
    bundles.write(nights.tables, nights.folder)
    append(nights, "enrollments", f"{blank}\r\n")
    with pytest.raises(SyncHeld, match=r"enrollments\.csv holds no row"):
        nights.read(nights.folder)


def test_without_classes_everything_is_read(nights):
    del nights.tables["classes"]
    for _ in range(2):
        another_phone(nights)
        nights.sync()
        assert read_whole(nights)


def test_a_broken_line_has_everything_read(nights):
    file = nights.folder / "users.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("Cy59", '"Cy59'), encoding="utf-8")
    report = nights.read(nights.folder)
    assert "opened and not closed" in report.rejections[0].reason
    assert read_whole(nights)
    nights.sync()
    assert read_whole(nights)
    another_phone(nights)
    assert nights.night()


@pytest.mark.parametrize("table", ["orgs", "academicSessions", "classes"])
def test_what_everybody_is_measured_by_has_everything_read(nights, table):
    nights.tables[table][0]["title" if table == "classes" else "sourcedId"] = "another"
    nights.sync(brake_percent=100)
    assert read_whole(nights)


def test_much_that_changed_has_everything_read(nights):
    for number in range(STUDENTS):
        nights.user(f"a{number}")["sms"] = f"(312) 559-{number:04}"
    assert not nights.night()


def test_the_same_line_once_more_has_everything_read_and_is_said(nights):
    the_same_line_twice(nights)
    assert not nights.night()
    assert nights.night()


def test_everything_is_read_once_a_week_and_on_the_day_on_which_a_date_comes(nights):
    assert [nights.night() for _ in range(8)] == [True] * 6 + [False, True]
    nights.rows_of("enrollments", "s7")[0]["endDate"] = (nights.now + timedelta(days=3)).date().isoformat()
    assert [nights.night() for _ in range(4)] == [True, True, False, True]


def test_everything_is_read_after_a_sync_that_did_not_end_well(nights):
    with nights.engine.begin() as connection:
        connection.execute(text("INSERT INTO sync_runs (source, started_at, state) VALUES ('x', now(), 'failed')"))
    another_phone(nights)
    assert not nights.night()
    assert nights.night()


def test_everything_is_read_when_the_database_lost_what_it_knew(nights):
    with nights.engine.begin() as connection:
        connection.execute(text("TRUNCATE known_lines"))
    assert not nights.night()


def test_dates_that_other_lines_decide_how_to_read_have_everything_read(nights):
    nights.rows_of("enrollments", "s7")[0]["beginDate"] = "3/4/2026"
    assert not nights.night()
    nights.rows_of("enrollments", "s8")[0]["beginDate"] = "13/4/2026"
    assert not nights.night()


def test_a_district_whose_contacts_stand_beside_is_read_whole(nights, tmp_path):
    beside = tmp_path / "contacts.csv"
    beside.write_text("student id,contact name,phone\ns7,Rosa Rivera,312 555 0188\n")
    for _ in range(2):
        nights.sync(contacts=beside)
        assert read_whole(nights)
    assert not nights.night()
