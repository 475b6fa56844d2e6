import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from support.powerschool_server import add_small_families, serving, small_district
from support.sis_faults import Fault, disconnect, responding
from support.sis_nights import Nights

from bot.errors import UserError
from bot.settings import Settings
from bot.sis.choose_source import choose_source
from bot.sis.contact_phones import Phone, choose_number
from bot.sis.powerschool_queries import PREFIX
from bot.sis.rows import Rejection, UserRow

PLUGIN = Path(__file__).parents[2] / "docs/sis/powerschool"
LINKS = (
    "SELECT s.sourced_id, c.sourced_id, l.relationship, l.priority FROM student_contacts l "
    "JOIN students s ON s.id = l.student_id JOIN contacts c ON c.id = l.contact_id WHERE l.active"
)
CONTACTS = "SELECT sourced_id, sis_phone, sis_note_kind, email FROM contacts WHERE active ORDER BY 1"
STUDENTS = "SELECT sourced_id, grade, identifier FROM students WHERE active ORDER BY 1"
ROLES = (
    "SELECT s.given_name, r.role, o.name FROM staff_roles r JOIN staff s ON s.id = r.staff_id "
    "LEFT JOIN schools o ON o.id = r.school_id"
)


@pytest.fixture
def powerschool():
    with serving(tables=small_district()) as running:
        add_small_families(running)
        yield running


@pytest.fixture
def nights(empty_database, tmp_path):
    return Nights(empty_database, tmp_path / "unused")


def read(source):
    with source.open(region="US", watermarks={}) as parts:
        return [row for part in parts for row in part.rows()]


def read_users(running):
    return [row.sourced_id for row in read(running.source()) if isinstance(row, UserRow)]


EVERYONE = ["S1", "S2", "S3", "S4", "T1", "T2", "T3", "1001", "1002", "1003"]


def test_a_sync_reads_people_phones_links_and_classes(powerschool, nights):
    nights.read(powerschool.source())
    rejected = nights.rows("SELECT file, line, column_name FROM sync_rejections")
    assert rejected == [("users/1003", None, "phone")]
    assert nights.rows(STUDENTS) == [("S1", "5", "9001"), ("S2", "9", "9002"), ("S3", "K", "9003"), ("S4", "PK", "")]
    assert nights.rows(CONTACTS) == [
        ("1001", "+13125550142", None, "maria@example.com"),
        ("1002", None, None, None),
        ("1003", "+13125550144", "refused", None),
    ]
    assert set(nights.rows(LINKS)) == {
        ("S1", "1001", "mother", 1),
        ("S2", "1001", "mother", 1),
        ("S1", "1002", "guardian", 2),
        ("S3", "1003", "grandparent", 1),
    }
    assert nights.rows("SELECT count(*) FROM contacts WHERE is_powerschool_id") == [(3,)]
    assert set(nights.rows(ROLES)) == {
        ("Ana", "teacher", "Lincoln Elementary"),
        ("Clara", "administrator", "Lincoln Elementary"),
        ("Dana", "administrator", None),
    }
    assert nights.rows("SELECT title FROM classes ORDER BY 1") == [("ALG1",), ("Grade 5",)]
    assert nights.rows("SELECT count(*) FROM class_students WHERE active") == [(3,)]
    assert nights.rows("SELECT is_primary FROM class_teachers WHERE active") == [(True,)]


def test_a_second_night_without_changes_changes_nothing(powerschool, nights):
    nights.read(powerschool.source())
    before = nights.roster()
    nights.read(powerschool.source())
    assert nights.roster() == before


def test_a_lost_role_a_contact_without_students_and_a_new_number_are_followed(powerschool, nights):
    nights.read(powerschool.source())
    powerschool.tables["staff"] = powerschool.tables["staff"][::2]
    powerschool.tables["contact_links"].pop()
    del powerschool.people[1003]
    next(iter(powerschool.people[1001].phones.values()))["phoneType"] = "Fax"
    powerschool.people[1001].phones.popitem()
    nights.read(powerschool.source(), hold_percent=100, confirm=True)
    assert {name for name, *_ in nights.rows(ROLES)} == {"Ana", "Dana"}
    assert nights.rows(CONTACTS) == [("1001", None, None, "maria@example.com"), ("1002", None, None, None)]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("says_limit", [True, False])
def test_pages_of_any_limit_are_read_whole(powerschool, limit, says_limit):
    powerschool.page_limit, powerschool.says_limit = limit, says_limit
    assert read_users(powerschool) == EVERYONE


def test_a_token_that_ends_in_the_middle_is_replaced(powerschool):
    powerschool.calls_per_token, powerschool.page_limit = 3, 1
    assert read_users(powerschool) == EVERYONE
    assert powerschool.tokens > 5


@pytest.mark.parametrize(
    "answer",
    [responding(429, retry_after=0), responding(503), responding(502), responding(500), disconnect],
)
def test_a_busy_server_is_asked_again(powerschool, answer):
    powerschool.faults = [Fault("query/.*students$", answer, times=2), Fault("token", responding(503))]
    assert read_users(powerschool) == EVERYONE


@pytest.mark.parametrize(
    ("request_", "answer", "code"),
    [
        ("token", responding(401), "sis.no_token"),
        ("students/count", responding(403), "sis.forbidden"),
        ("students/count", responding(404), "sis.no_plugin"),
        ("students/count", responding(200, {"errorMessage": {"message": "ORA-00904"}}), "sis.query_failed"),
        ("students$", responding(200, {"name": "x", "message": "Internal error"}), "sis.query_failed"),
        ("students$", responding(200, {"record": "x"}), "sis.query_failed"),
        ("students$", responding(200, {"name": "x"}), "sis.changed_meanwhile"),
        ("students$", responding(503), "sis.refused"),
    ],
)
def test_what_is_not_an_answer_fails_the_sync_and_changes_nothing(powerschool, nights, request_, answer, code):
    nights.read(powerschool.source())
    before = nights.roster()
    powerschool.faults = [Fault(request_, answer, times=99)]
    with pytest.raises(UserError) as refused:
        nights.read(powerschool.source())
    assert refused.value.code == code
    assert "127.0.0.1" in refused.value.sentence or "Check SIS" in refused.value.sentence
    assert nights.roster() == before


def test_people_who_leave_while_the_pages_are_read_fail_the_sync(powerschool, nights):
    powerschool.page_limit = 2

    def leaves(_request):
        powerschool.tables["students"].pop(0)
        return responding(503)(None)

    powerschool.faults = [Fault("students$", leaves)]
    with pytest.raises(UserError) as refused:
        nights.read(powerschool.source())
    assert refused.value.code == "sis.changed_meanwhile"
    assert not refused.value.permanent


def test_a_record_without_an_id_costs_only_itself_and_nobody_leaves(powerschool, nights):
    nights.read(powerschool.source())
    powerschool.tables["students"][0] = {"student_first_name": "Sam"}
    powerschool.tables["students"][1] |= {"student_grade": ["x"], "student_last_name": {"x": 1}}
    nights.read(powerschool.source(), hold_percent=100, confirm=True)
    assert {sourced_id for sourced_id, *_ in nights.rows(STUDENTS)} == {"S1", "S2", "S3", "S4"}
    rejections = nights.rows("SELECT file, column_name FROM sync_rejections")
    assert ("users", "student_dcid") in rejections


def test_a_single_record_may_come_without_its_list(powerschool):
    one = {"name": "x", "record": powerschool.tables["section_teachers"][0]}
    powerschool.faults = [Fault("section_teachers$", responding(200, one))]
    assert not any(isinstance(row, Rejection) for row in read(powerschool.source()))


def test_wrong_credentials_are_named(powerschool):
    with pytest.raises(UserError) as refused:
        powerschool.source(client_secret="wrong").probe()
    assert "SIS_POWERSCHOOL_CLIENT_SECRET" in refused.value.sentence
    assert powerschool.source().probe() == "gives a token, and 2 schools"
    assert "sécret" not in repr(powerschool.source())


@pytest.mark.parametrize(
    ("phones", "number"),
    [
        ([], None),
        ([Phone(1, "312-555-0101", "Home"), Phone(2, "312-555-0102", "Mobile")], "+13125550102"),
        ([Phone(1, "312-555-0101", "Home", is_sms=True), Phone(2, "312-555-0102", "Work")], "+13125550101"),
        ([Phone(1, "312-555-0101", "Mobile"), Phone(2, "312-555-0102", "Mobile", is_preferred=True)], "+13125550102"),
        (
            [Phone(1, "312-555-0101", "Mobile", sequence=2), Phone(2, "312-555-0102", "Mobile", sequence=1)],
            "+13125550102",
        ),
        ([Phone(1, "312-555-0101 wrong number", "Mobile"), Phone(2, "312-555-0102", "Home")], "+13125550102"),
        ([Phone(1, "312-555-0101", "Mobile", extension="12"), Phone(2, "312-555-0102", "Custom")], "+13125550102"),
        ([Phone(1, "312-555-0101", "Home Fax"), Phone(2, "none", "Mobile")], None),
    ],
)
def test_the_number_that_takes_texts_best_is_the_contacts(phones, number):
    assert choose_number(phones, region="US").e164 == number


def test_a_refusal_beside_any_number_concerns_the_person():
    phones = [Phone(1, "312-555-0101 do not text", "Home"), Phone(2, "312-555-0102", "Mobile")]
    assert choose_number(phones, region="US").kind == "refused"


def test_the_plugin_reads_every_field_of_its_queries_and_changes_none():
    granted = {(field.get("table"), field.get("field")): field.get("access") for field in _fields("plugin.xml")}
    sql = "\n".join(query.find("sql").text for query in _queries())
    named = set(re.findall(r"\b([a-z]+)\.([a-z_]+)\b", sql))
    assert named == set(granted)
    assert set(granted.values()) == {"ViewOnly"}
    writable = {(f.get("table")) for f in _fields("plugin_write_back.xml") if f.get("access") != "ViewOnly"}
    assert writable == {"personphonenumberassoc", "phonenumber"}


def test_the_server_of_the_tests_answers_with_the_columns_of_the_plugin(powerschool):
    tables = powerschool.tables | {"contacts": powerschool.contact_rows()}
    columns = {query.get("name"): {column.text for column in query.iter("column")} for query in _queries()}
    assert columns == {PREFIX + name: {field for row in rows for field in row} for name, rows in tables.items()}


def _queries():
    return list(ET.parse(PLUGIN / "named_queries.xml").getroot().iter("query"))  # noqa: S314 - our own file.


def _fields(name):
    root = ET.parse(PLUGIN / name).getroot()  # noqa: S314 - our own file.
    return list(root.iter("{http://plugin.powerschool.pearson.com}field"))


def test_settings_choose_powerschool():
    values = {"sis_powerschool_url": "https://ps.example", "sis_powerschool_client_id": "x"}
    with pytest.raises(UserError, match="SIS_POWERSCHOOL_CLIENT_SECRET"):
        choose_source(Settings(**values))
    values["sis_powerschool_client_secret"] = "y"
    assert choose_source(Settings(**values)).name == "ps.example"
    with pytest.raises(UserError, match="keep the one to read"):
        choose_source(Settings(**values, sis_oneroster_csv="export"))
