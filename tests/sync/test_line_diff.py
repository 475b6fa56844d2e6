"""A narrowed read gives the same result as a whole read.

The district has sixty students, so that one night changes little of it. After each night, a dry run reads everything: it must find
no change and the same rejections.
"""

import copy
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from support import sis_bundles as bundles
from support.empty_tables import empty_tables
from support.sis_nights import Nights, changed

from bot.sync.hold import SyncHeld

STUDENTS = 60


def larger_district():
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
        tables["roles"] += [bundles.role(contact, "guardian") for contact in (both, named, naming)]
        tables["enrollments"] += [bundles.enrolled(student), bundles.enrolled(student, in_class="5B")]
    tables["classes"].append(dict(tables["classes"][0], sourcedId="5B", classType="scheduled"))
    return tables


class LargeDistrict(Nights):
    """As `Nights`; each sync is compared with a whole read."""

    def __init__(self, engine, folder):
        super().__init__(engine, folder)
        self.tables = larger_district()

    def night(self):
        """Sync, compare with a whole read, and return whether the sync read only changes."""
        report = self.sync()
        narrow = not read_whole(self)
        self.now -= timedelta(days=1)
        whole = self.read(self.folder, dry_run=True, whole_every=timedelta())
        assert changed(whole) == {}
        assert sorted(map(str, report.rejections)) == sorted(map(str, whole.rejections))
        assert report.totals == whole.totals
        assert [counts.read for counts in report.counts.values()] == [counts.read for counts in whole.counts.values()]
        assert report.files == whole.files
        return narrow

    def rows_of(self, table, sourced_id):
        return [row for row in self.tables[table] if sourced_id in (row["sourcedId"], row.get("userSourcedId"))]


def read_whole(nights):
    return nights.rows("SELECT is_whole FROM sync_runs ORDER BY id DESC LIMIT 1") == [(True,)]


@pytest.fixture
def nights(empty_database, tmp_path):
    nights = LargeDistrict(empty_database, tmp_path / "large")
    nights.night()
    return nights


def edit_user(sourced_id, **cells):
    return lambda nights: nights.user(sourced_id).update(cells)


def edit_row(table, sourced_id, **cells):
    return lambda nights: nights.rows_of(table, sourced_id)[0].update(cells)


def repeat_row(table, sourced_id, **cells):
    return lambda nights: nights.tables[table].append(nights.rows_of(table, sourced_id)[0] | cells)


def leave(sourced_id):
    return lambda nights: nights.leave(sourced_id)


def remove_role(nights):
    nights.tables["roles"].remove(nights.rows_of("roles", "b7")[0])


def add_student_with_contact(nights):
    nights.add("new", "New", "Comer", "student", agentSourcedIds="newer,a7")
    nights.add("newer", "Newer", "Comer", "parent", sms="(312) 555-0177")
    nights.tables["enrollments"].append(bundles.enrolled("new"))


def make_contact_a_teacher(nights):
    nights.user("a7")["email"] = "a7@district.example"
    nights.tables["roles"].append(bundles.role("a7", "teacher", "roosevelt"))


def make_contact_with_shared_email_a_teacher(nights):
    """In two nights: the email first, the role the next."""
    nights.user("a7")["email"] = "ana.garcia@district.example"
    nights.night()
    nights.tables["roles"].append(bundles.role("a7", "teacher", "roosevelt"))


def add_role_of_unknown_person(nights):
    nights.tables["roles"].append(bundles.role("unknown", "teacher"))


def reverse_rows(nights):
    for name in ("users", "roles", "enrollments"):
        nights.tables[name].reverse()


new_phone = edit_user("a7", sms="312-555-0199")
repeat_line = repeat_row("users", "a7")
CHANGES = {
    "new phone": new_phone,
    "no phone": edit_user("a7", sms=""),
    "unreadable phone": edit_user("a7", sms="555-01"),
    "new name": edit_user("s7", familyName="O'Brien-Nuñez"),
    "backslash in a name": edit_user("s7", givenName="Ki\\m"),
    "contact leaves": leave("a7"),
    "contact named by the student leaves": leave("b7"),
    "student leaves": leave("s7"),
    "teacher leaves": leave("ana"),
    "role disappears": remove_role,
    "contact marked as deleted": edit_user("b7", status="tobedeleted"),
    "link disappears": edit_user("s7", agentSourcedIds="a7"),
    "link to unknown person": edit_user("s7", agentSourcedIds="a7,b7,unknown"),
    "link to another student": edit_user("c7", agentSourcedIds="s8,s7"),
    "link to oneself": edit_user("c7", agentSourcedIds="c7"),
    "new student with contact": add_student_with_contact,
    "student becomes contact": edit_row("roles", "s7", role="parent"),
    "contact becomes teacher, too": make_contact_a_teacher,
    "unknown role": edit_row("roles", "s7", role="studnet"),
    "role of unknown person": add_role_of_unknown_person,
    "role at unknown school": edit_row("roles", "s7", orgSourcedId="nowhere"),
    "email of a colleague": edit_user("clara", email="ana.garcia@district.example"),
    "contact with the email of a teacher becomes a teacher": make_contact_with_shared_email_a_teacher,
    "ended role": edit_row("roles", "clara", endDate="2026-09-01"),
    "disabled account": edit_user("ana", enabledUser="false"),
    "move to another class": edit_row("enrollments", "s7", sourcedId="E-new", classSourcedId="5B"),
    "ended enrollment": edit_row("enrollments", "s7", endDate="2026-09-01"),
    "enrollment of another student": edit_row("enrollments", "s7", userSourcedId="s8"),
    "enrollment of unknown person": edit_row("enrollments", "s7", userSourcedId="unknown"),
    "enrollment in unknown class": edit_row("enrollments", "s7", classSourcedId="none"),
    "student enrolled as teacher": edit_row("enrollments", "s7", role="teacher"),
    "teacher enrolled as student": edit_row("enrollments", "ana", role="student"),
    "enrollment id used twice": repeat_row("enrollments", "s7", userSourcedId="s9"),
    "person listed twice": repeat_row("users", "a7", sms="(312) 555-0188"),
    "reversed rows": reverse_rows,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_narrowed_read_equals_whole_read_and_can_be_undone(nights, change):
    before = {name: [dict(row) for row in rows] for name, rows in nights.tables.items()}
    people, links = nights.active("contacts"), nights.links()
    change(nights)
    assert nights.night()
    assert nights.night()
    nights.tables = before
    assert nights.night()
    assert (nights.active("contacts"), nights.links()) == (people, links)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=st.lists(st.lists(st.sampled_from([*CHANGES.values(), repeat_line]), max_size=4), min_size=2, max_size=4))
def test_no_sequence_of_nights_makes_a_difference(empty_database, tmp_path_factory, plan):
    empty_tables(empty_database)
    nights = LargeDistrict(empty_database, tmp_path_factory.mktemp("large"))
    nights.night()
    tables = larger_district()
    for changes in plan:
        nights.tables = copy.deepcopy(tables)
        for change in changes:
            with suppress(IndexError, KeyError):  # An earlier change removed the person.
                change(nights)
        nights.night()


def append(nights, name, text):
    with (nights.folder / f"{name}.csv").open("a", newline="", encoding="utf-8") as file:
        file.write(text)


BLANK = ["", ",,,,", '"","", ', "," * 60, " " * 39, " " * 5_000, ",".join(["      "] * 30), '""' + ',""' * 50]


LOOKS_BLANK = ["\t\t\t", "\x0b", "\u2003,,,", "\u3000,\u3000", '"', '"""', '""""', '" ",' * 8, '"" ', "\u00a0" * 30]


@pytest.mark.parametrize("blank", BLANK)
def test_blank_lines_are_not_rows(nights, blank):
    for name in ("users", "roles", "enrollments"):
        append(nights, name, f"{blank}\r\n\r\n{blank}\r\n")
    report = nights.read(nights.folder)
    assert not read_whole(nights)
    assert {name: report.files[f"{name}.csv"].read for name in ("users", "roles", "enrollments")} == {
        name: len(nights.tables[name]) for name in ("users", "roles", "enrollments")
    }
    assert changed(report) == {}
    nights.read(nights.folder, whole_every=timedelta())
    assert nights.read(nights.folder).files == report.files
    assert not read_whole(nights)


@pytest.mark.parametrize("line", LOOKS_BLANK)
def test_nearly_blank_line_keeps_everyone(nights, line):
    nights.leave("s7")
    bundles.write(nights.tables, nights.folder)
    append(nights, "users", f"{line}\r\n")
    report = nights.read(nights.folder)
    assert "s7" in nights.active("students")
    assert report.files["users.csv"].rejected


@pytest.mark.parametrize("sign", ["\0", "\x01", "\x02", "\x03"])
def test_control_characters_cause_a_whole_read(nights, sign):
    for _ in range(2):
        append(nights, "users", f"x,,,true,,,A{sign}b,Lee\r\n")
        nights.read(nights.folder)
        assert read_whole(nights)


@pytest.mark.parametrize("name", ["\\N", "\\.", "Ki\\\\m", "\\x02", "Kim\\"])
def test_backslash_in_a_name_is_kept(nights, name):
    nights.user("s7")["givenName"] = name
    assert nights.night()
    assert nights.rows("SELECT given_name FROM students WHERE sourced_id = 's7'") == [(name,)]


@pytest.mark.parametrize("line", ["\\.", "\\", "x7,,,true,,,Lea,Lee\\"])
def test_line_ending_with_a_backslash_is_one_line(nights, line):
    bundles.write(nights.tables, nights.folder)
    append(nights, "users", f"{line}\r\n{line}x\r\n")
    report = nights.read(nights.folder)
    assert report.files["users.csv"].read == len(nights.tables["users"]) + 2


def test_overlong_line_causes_a_whole_read(nights):
    nights.user("a7")["username"] = "x" * 121_000
    assert [nights.night() for _ in range(2)] == [False, False]


def test_repeated_line_that_disappears_ends_its_enrollment(nights):
    [row] = [row for row in nights.rows_of("enrollments", "s7") if row["classSourcedId"] == "5B"]
    nights.tables["enrollments"].append(dict(row))
    nights.night()
    nights.tables["enrollments"] = [
        other for other in nights.tables["enrollments"] if other["sourcedId"] != row["sourcedId"]
    ]
    assert nights.night()
    assert row["sourcedId"] not in nights.active("class_students")


def test_enrollment_moves_from_teacher_to_student(nights):
    nights.rows_of("enrollments", "ana")[0].update(userSourcedId="s7", role="student")
    assert nights.night()
    nights.user("ana")["email"] = "ana2@district.example"
    assert nights.night()


@pytest.mark.parametrize("blank", BLANK)
def test_file_with_only_a_blank_line_holds(nights, blank):
    nights.tables["enrollments"] = nights.tables["enrollments"][:15]
    nights.read(bundles.write(nights.tables, nights.folder), confirm=True)
    nights.tables["enrollments"].clear()
    bundles.write(nights.tables, nights.folder)
    append(nights, "enrollments", f"{blank}\r\n")
    with pytest.raises(SyncHeld, match=r"enrollments\.csv holds no row"):
        nights.read(nights.folder)


def test_export_without_classes_is_read_whole(nights):
    del nights.tables["classes"]
    for _ in range(2):
        new_phone(nights)
        nights.sync()
        assert read_whole(nights)


def test_broken_line_causes_a_whole_read(nights):
    file = nights.folder / "users.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("Cy59", '"Cy59'), encoding="utf-8")
    report = nights.read(nights.folder)
    assert "opened and not closed" in report.rejections[0].reason
    assert read_whole(nights)
    nights.sync()
    assert read_whole(nights)
    new_phone(nights)
    assert nights.night()


@pytest.mark.parametrize("table", ["orgs", "academicSessions", "classes"])
def test_changed_orgs_terms_or_classes_cause_a_whole_read(nights, table):
    nights.tables[table][0]["title" if table == "classes" else "sourcedId"] = "another"
    nights.sync(hold_percent=100)
    assert read_whole(nights)


def test_many_changed_lines_cause_a_whole_read(nights):
    for number in range(STUDENTS):
        nights.user(f"a{number}")["email"] = f"a{number}@home.example"
    assert not nights.night()


def test_newly_repeated_line_causes_a_whole_read(nights):
    repeat_line(nights)
    assert not nights.night()
    assert nights.night()


def test_whole_read_each_week_and_when_a_date_comes(nights):
    assert [nights.night() for _ in range(8)] == [True] * 6 + [False, True]
    nights.rows_of("enrollments", "s7")[0]["endDate"] = (nights.now + timedelta(days=3)).date().isoformat()
    assert [nights.night() for _ in range(4)] == [True, True, False, True]


def test_whole_read_after_a_failed_sync(nights):
    with nights.engine.begin() as connection:
        connection.execute(text("INSERT INTO sync_runs (source, started_at, state) VALUES ('x', now(), 'failed')"))
    new_phone(nights)
    assert not nights.night()
    assert nights.night()


def test_whole_read_after_the_unlogged_table_was_emptied(nights):
    with nights.engine.begin() as connection:
        connection.execute(text("TRUNCATE known_lines"))
    assert not nights.night()


def test_dates_of_ambiguous_order_cause_a_whole_read(nights):
    nights.rows_of("enrollments", "s7")[0]["beginDate"] = "3/4/2026"
    assert not nights.night()
    nights.rows_of("enrollments", "s8")[0]["beginDate"] = "13/4/2026"
    assert not nights.night()


def test_contacts_overlay_causes_whole_reads(nights, tmp_path):
    overlay = tmp_path / "contacts.csv"
    overlay.write_text("student id,contact name,phone\ns7,Rosa Rivera,312 555 0188\n")
    for _ in range(2):
        nights.sync(contacts=overlay)
        assert read_whole(nights)
    assert not nights.night()
