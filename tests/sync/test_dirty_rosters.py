"""What real exports do to a bundle changes nothing of the roster, or costs one cell and says so."""

import pytest
from support import sis_bundles as bundles
from support.sis_nights import Nights, changed, reasons


@pytest.fixture
def nights(empty_database, tmp_path):
    nights = Nights(empty_database, tmp_path / "bundle")
    nights.sync()
    return nights


def one_way_from_students(tables):
    people = bundles.users_by_id(tables)
    people["maria"]["agentSourcedIds"] = people["joao"]["agentSourcedIds"] = ""
    people["lea"]["agentSourcedIds"] = "joao"


def one_way_from_contacts(tables):
    people = bundles.users_by_id(tables)
    people["sam"]["agentSourcedIds"] = ""
    people["joao"]["agentSourcedIds"] = "sam,lea"


def links_said_twice(tables):
    bundles.users_by_id(tables)["sam"]["agentSourcedIds"] = "maria,joao,maria, joao"


def roles_said_twice(tables):
    tables["roles"] += [dict(one, sourcedId=f"{one['sourcedId']}-2") for one in tables["roles"]]


def roles_repeated_whole(tables):
    tables["roles"] += [dict(one) for one in tables["roles"]]


def booleans_in_capitals(tables):
    for one in tables["users"]:
        one["enabledUser"] = "TRUE"
    tables["enrollments"][0]["primary"] = "TRUE"


def american_dates(tables):
    tables["academicSessions"][0] |= {"startDate": "8/17/2026", "endDate": "6/5/27"}


def dates_with_times(tables):
    tables["academicSessions"][0] |= {"startDate": "2026-08-17 00:00:00", "endDate": "2027-06-05T00:00:00.000Z"}


def european_dates(tables):
    tables["academicSessions"][0] |= {"startDate": "17/08/2026", "endDate": "05/06/2027"}


def columns_of_the_districts_own(tables):
    for one in tables["users"]:
        one |= {"metadata.sms": "312-555-0000", "ext_phone": "312-555-0000", "metadata.agentSourcedIds": "clara"}


def statuses_of_a_delta(tables):
    for rows in tables.values():
        for row in rows:
            row |= {"status": "Active", "dateLastModified": "2026-11-23T12:00:00.000Z"}


def words_in_another_case(tables):
    for one in tables["roles"]:
        one["role"] = one["role"].upper()
    for one in tables["orgs"]:
        one["type"] = one["type"].title()
    tables["classes"][0]["classType"] = "Homeroom"


def padding_everywhere(tables):
    for rows in tables.values():
        for row in rows:
            row |= {column: f" \u200b{cell}\u00a0 " for column, cell in row.items()}


DIRT = (
    one_way_from_students,
    one_way_from_contacts,
    links_said_twice,
    roles_said_twice,
    roles_repeated_whole,
    booleans_in_capitals,
    american_dates,
    dates_with_times,
    european_dates,
    columns_of_the_districts_own,
    statuses_of_a_delta,
    words_in_another_case,
    padding_everywhere,
)


@pytest.mark.parametrize("dirt", DIRT, ids=lambda dirt: dirt.__name__)
def test_what_another_export_writes_otherwise_is_the_same_roster(nights, dirt):
    links = nights.links()
    dirt(nights.tables)
    report = nights.sync()
    assert {table: done for table, done in changed(report).items() if table != "student_contacts"} == {}
    assert nights.links() == links
    assert reasons(report) == []


NO_NUMBERS = ("N/A", "000-000-0000", "5.10799E+09", "555-0142", "unlisted")


@pytest.mark.parametrize("cell", NO_NUMBERS)
def test_a_contact_whose_number_cannot_be_read_is_kept_without_it(nights, cell):
    nights.user("maria")["phone"] = cell
    report = nights.sync()
    assert [one[:3] for one in reasons(report)] == [("users.csv", 7, "phone")]
    assert nights.active("contacts") == {"maria", "joao"}
    assert nights.phone("maria") is None


WRONG_LINKS = {
    "somebody who is not there": "nobody",
    "oneself": "lea",
    "a teacher": "ana",
    "another student": "sam",
}


@pytest.mark.parametrize("agent", WRONG_LINKS.values(), ids=WRONG_LINKS)
def test_a_link_to_no_contact_is_left_out_and_said(nights, agent):
    nights.user("lea")["agentSourcedIds"] = agent
    report = nights.sync()
    assert changed(report) == {}
    assert [one[:3] for one in reasons(report)] == [("users.csv", 6, "agentSourcedIds")]


@pytest.mark.parametrize("name", ["orgs", "classes", "users", "enrollments", "academicSessions"])
def test_of_two_rows_with_one_id_the_first_counts_and_the_second_is_said(nights, name):
    nights.tables[name].append(dict(nights.tables[name][0]))
    report = nights.sync()
    assert changed(report) == {}
    [(file, line, column, reason)] = reasons(report)
    assert (file, line, column) == (f"{name}.csv", len(nights.tables[name]) + 1, "sourcedId")
    assert reason == "is also on line 2, which counts"


LIES = {
    "all of it a delta": "file.users,delta\nfile.roles,delta\nfile.orgs,delta\nfile.enrollments,delta\n",
    "nothing there": "file.users,absent\nfile.roles,absent\n",
    "another version": "oneroster.version,1.0\nfile.users,bulk\n",
    "nothing that can be read": '\x00\x01,\n"',
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_what_the_files_say_wins_over_a_manifest_that_lies(nights, lie):
    nights.leave("lea")
    folder = bundles.write(nights.tables, nights.folder)
    (folder / "manifest.csv").write_text(f"propertyName,value\n{lie}")
    nights.read(folder)
    assert nights.active("students") == {"sam"}
