import csv
import itertools
import logging

import pytest
from support import sis_bundles as bundles
from support import sis_server as server
from support.people import NOW
from support.sis_nights import Nights, changed, reasons
from support.sis_server import (
    EVERYONE,
    Fault,
    Sis,
    disconnect,
    read,
    read_user_ids,
    redirecting,
    responding,
    serving,
    slow,
    with_headers,
)

from bot.errors import UserError
from bot.sandbox.district.maplewood import write_export
from bot.sandbox.slack.server import serve_app
from bot.sis.rows import Rejection, UserRow
from bot.sync.hold import SyncHeld

VERSIONS = pytest.mark.parametrize("minor", [1, 2])
STORED = {
    "schools": "SELECT sourced_id, name, active FROM schools",
    "staff": "SELECT sourced_id, given_name, family_name, email, active FROM staff",
    "roles": "SELECT s.sourced_id, r.role, o.sourced_id FROM staff_roles r JOIN staff s ON s.id = r.staff_id "
    "LEFT JOIN schools o ON o.id = r.school_id",
    "students": "SELECT sourced_id, given_name, family_name, search, grade, active FROM students",
    "places": "SELECT s.sourced_id, o.sourced_id FROM student_schools p JOIN students s ON s.id = p.student_id "
    "JOIN schools o ON o.id = p.school_id",
    "contacts": "SELECT sourced_id, given_name, family_name, email, sis_phone, sis_phone_written, active FROM contacts",
    "links": "SELECT s.sourced_id, c.sourced_id, l.relationship, l.active FROM student_contacts l "
    "JOIN students s ON s.id = l.student_id JOIN contacts c ON c.id = l.contact_id",
    "classes": "SELECT c.sourced_id, c.title, c.homeroom, o.sourced_id, c.active FROM classes c "
    "LEFT JOIN schools o ON o.id = c.school_id",
    "class_students": "SELECT sourced_id, begins_on, ends_on, active FROM class_students",
    "class_teachers": "SELECT sourced_id, is_primary, begins_on, ends_on, active FROM class_teachers",
}


@pytest.fixture
def nights(empty_database, tmp_path):
    return Nights(empty_database, tmp_path / "small")


@pytest.fixture
def maplewood(tmp_path):
    """Its export, and the same as tables."""
    folder = tmp_path / "maplewood"
    write_export(folder, NOW.date())
    return folder, {file.stem: rows_of(file) for file in folder.glob("*.csv")}


def rows_of(file):
    with file.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def stored(nights):
    return {name: set(nights.rows(select)) for name, select in STORED.items()}


@pytest.fixture(params=[1, 2])
def sis(request):
    """The small district on pages of two."""
    tables = bundles.a_district()
    with serving(tables, request.param, page_size=2) as sis:
        yield sis


@VERSIONS
@pytest.mark.parametrize("links", [True, False])
def test_server_and_export_give_the_same_district(nights, maplewood, minor, links):
    folder, tables = maplewood
    with serving(tables, minor, links=links) as sis:
        first = nights.read(sis.source())
        from_sis = stored(nights)
        assert changed(nights.read(sis.source())) == {}
    assert first.totals["students"] == 600
    assert first.source == "127.0.0.1"
    assert changed(nights.read(folder)) == {}
    assert stored(nights) == from_sis


@VERSIONS
def test_server_changes_nothing_after_the_export(nights, maplewood, minor):
    folder, tables = maplewood
    nights.read(folder)
    with serving(tables, minor) as sis:
        assert changed(nights.read(sis.source())) == {}


def test_missing_people_become_inactive_and_lose_their_roles(nights):
    nights.sync()
    nights.leave("lea")
    nights.tables["roles"] = [role for role in nights.tables["roles"] if role["userSourcedId"] != "clara"]
    with serving(nights.tables, 2) as sis:
        nights.read(sis.source())
    assert nights.active("students") == {"sam"}
    assert nights.active("staff") == {"ana", "dana"}


def test_rows_marked_as_deleted_become_inactive(nights):
    nights.sync()
    nights.user("lea")["status"] = "tobedeleted"
    with serving(nights.tables, 2) as sis:
        nights.read(sis.source())
    assert nights.active("students") == {"sam"}


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("most", [1, 2, 7, 100])
def test_every_page_is_read_with_and_without_links_and_counts(links, counts, most):
    with serving(bundles.a_district(), 2, page_size=most, links=links, counts=counts) as sis:
        assert read_user_ids(sis) == EVERYONE


def test_pages_are_requested_large_and_in_order(sis):
    read_user_ids(sis)
    [first, *_] = [request for request in sis.requests if request.startswith("users")]
    assert first == "users?limit=5000&offset=0&sort=sourcedId&orderBy=asc"


def test_links_with_the_internal_host_of_a_proxy_are_followed(sis):
    sis.host_in_links = "http://internal.example:8080"
    assert read_user_ids(sis) == EVERYONE


def test_token_is_used_until_it_ends(sis):
    read_user_ids(sis)
    assert sis.tokens == ["token-0"]
    sis.token_seconds = 0
    assert read_user_ids(sis) == EVERYONE


def test_token_that_ends_early_is_renewed(sis):
    def revoke(response, _request):
        sis.tokens.append("another")
        return response

    sis.faults = [Fault("users", after=revoke)]
    assert read_user_ids(sis) == EVERYONE
    assert sis.requests.count("token") == 2


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 522])
def test_busy_server_is_retried_after_its_pause(sis, status):
    sis.faults = [
        Fault("users", from_offset=2, answer=responding(status, retry_after=1)),
        Fault("orgs", answer=responding(status)),
    ]
    assert read_user_ids(sis) == EVERYONE


@pytest.mark.parametrize(
    "fault",
    [
        Fault("users", from_offset=2, answer=disconnect),
        Fault("users", from_offset=2, answer=slow(1)),
        Fault("users", from_offset=2, answer=lambda _request: server.JSONResponse({}, 404)),
        Fault("users", from_offset=2, after=lambda _page, _request: server.JSONResponse({"users": []})),
        Fault("users", from_offset=4, after=with_headers(x_total_count="6")),
        Fault("users", after=with_headers(x_total_count="12")),
        Fault("token", answer=responding(503)),
    ],
    ids=["hung up", "slow", "page gone", "page empty", "count changed", "count wrong once", "no token at once"],
)
def test_single_fault_only_delays_the_read(sis, fault):
    sis.faults = [server.replace(fault)]
    assert read_user_ids(sis) == EVERYONE


@pytest.mark.parametrize(
    "fault",
    [
        Fault("users", from_offset=2, answer=lambda _request: server.JSONResponse({}, 404), times=99),
        Fault("users", from_offset=2, after=lambda _page, _request: server.JSONResponse({"users": []}), times=99),
    ],
    ids=["page gone", "page empty"],
)
@pytest.mark.parametrize("links", [True, False])
def test_pages_with_gaps_fail_the_sync_and_change_nothing(nights, fault, links):
    nights.sync()
    before = stored(nights)
    with serving(nights.tables, 2, page_size=2, links=links, faults=[server.replace(fault)]) as sis:
        with pytest.raises(UserError, match="with gaps, twice"):
            nights.read(sis.source())
        assert sis.requests.count("users?limit=5000&offset=0&sort=sourcedId&orderBy=asc") == 2
    assert stored(nights) == before
    assert nights.rows("SELECT state FROM sync_runs ORDER BY id") == [("done",), ("failed",)]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("users", after=with_headers(x_total_count="9" * 5_000), times=99),
        Fault("users", answer=responding(503, retry_after="Mon, 01 Jan 2024 00:00:00 +99999999999999999999")),
    ],
    ids=["count", "time to wait"],
)
def test_absurd_header_values_are_ignored(sis, fault):
    sis.faults = [server.replace(fault)]
    assert read_user_ids(sis) == EVERYONE


def test_absurd_token_lifetime_is_ignored(sis):
    sis.token_seconds = 10**400
    assert read_user_ids(sis) == EVERYONE


def test_row_added_while_reading_is_read(sis):
    def add_user(response, _request):
        sis.tables["users"].insert(0, {"sourcedId": "abe", "givenName": "Abe", "familyName": "Ash"})
        return response

    sis.faults = [Fault("users", after=add_user)]
    assert read_user_ids(sis) == ["abe", *EVERYONE]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault("users", answer=responding(503), times=99), "answers 503"),
        (Fault("users", answer=responding(429, retry_after=600), times=99), "busy"),
        (Fault("users", answer=responding(403)), "roster-core.readonly"),
        (Fault("users", answer=responding(401), times=2), "roster-core.readonly"),
        (Fault("users", answer=responding(404)), "Check SIS_ONEROSTER_URL"),
        (Fault("users", answer=responding(500), times=99), "answers 500"),
        (Fault("users", answer=responding(200)), "does not answer as OneRoster"),
        (Fault("users", answer=lambda _request: server.JSONResponse({"users": {}})), "does not answer as OneRoster"),
        (
            Fault("users", answer=lambda _request: server.Response("<html>Please sign in</html>")),
            "with a login page",
        ),
        (Fault("users", from_offset=4, answer=disconnect, times=99), "closes the connection"),
        (Fault("users", answer=slow(0.7), times=99), "too long"),
        (Fault("users", answer=redirecting("https://elsewhere.example/users")), "another address"),
        (Fault("users", answer=redirecting("/ims/oneroster/v1p9/users"), times=99), "404"),
        (Fault("token", answer=responding(404)), "SIS_ONEROSTER_TOKEN_URL"),
        (Fault("token", answer=responding(307, location="https://elsewhere.example/")), "SIS_ONEROSTER_TOKEN_URL"),
        (
            Fault("token", answer=lambda _request: server.JSONResponse({"error": "invalid_scope"}, 400)),
            "does not grant",
        ),
    ],
)
def test_error_says_what_to_do_and_no_secret(sis, fault, message):
    sis.faults = [server.replace(fault)]
    with pytest.raises(UserError, match=message) as refused:
        read(sis.source())
    assert "sécret" not in refused.value.sentence
    assert "token-" not in refused.value.sentence


def test_wrong_secret_is_named_but_not_shown(sis):
    source = sis.source(client_secret="wr0ng")
    with pytest.raises(UserError, match="SIS_ONEROSTER_CLIENT_SECRET") as refused:
        read(source)
    assert "wr0ng" not in refused.value.sentence + repr(source)


def test_unreachable_server_is_reported(sis):
    with pytest.raises(UserError, match=r"refuses the connection .* Check SIS_ONEROSTER_URL"):
        read(sis.source(url="http://127.0.0.1:9/ims/oneroster/v1p1"))


def test_token_never_goes_to_another_host(sis):
    sis.faults = [Fault("users", answer=redirecting("/moved/users"))]
    assert read_user_ids(sis) == EVERYONE
    with serve_app((other := Sis(sis.tables, sis.minor)).app()) as elsewhere:
        sis.faults = [Fault("users", answer=redirecting(f"{elsewhere}/moved/users"))]
        with pytest.raises(UserError, match="another address"):
            read_user_ids(sis)
    assert other.requests == []


def test_field_of_the_wrong_shape_costs_itself(nights):
    nights.sync()
    links = nights.links()
    with serving(nights.tables, 2, page_size=3) as sis:
        users = {user["sourcedId"]: user for user in sis.tables["users"]}
        users["sam"]["agents"] = "maria"
        users["joao"]["phone"] = {"number": "3125550144"}
        users["joao"]["email"] = ["joao@example.org"]
        users["clara"]["roles"] = [{"role": "siteAdministrator", "org": ["lincoln"]}]
        users["lea"]["givenName"], users["lea"]["familyName"] = None, ""
        sis.tables["users"].append(users["lea"] | {"sourcedId": "new", "givenName": "New", "grades": [{"grade": "5"}]})
        report = nights.read(sis.source())
    shape = "does not have the shape that OneRoster defines; the row was read without it"
    assert reasons(report) == [
        ("users/clara", None, "orgSourcedId", "is blank, but this role needs one; the role was left out"),
        ("users/clara", None, "roles.org", shape),
        ("users/joao", None, "email", shape),
        ("users/joao", None, "phone", shape),
        ("users/lea", None, "familyName", "and givenName are blank; the person is kept without a name"),
        ("users/new", None, "grades", shape),
        ("users/sam", None, "agents", shape),
    ]
    assert nights.active("students") == {"sam", "lea", "new"}
    assert nights.links() == links
    assert nights.phone("joao") == "+13125550143"  # The number in `sms`.
    assert nights.rows("SELECT file, line FROM sync_rejections WHERE column_name = 'phone'") == [("users/joao", None)]


def test_row_without_a_readable_id_or_status_is_left_out(nights):
    nights.sync()
    with serving(nights.tables, 2, page_size=3) as sis:
        users = {user["sourcedId"]: user for user in sis.tables["users"]}
        users["sam"]["status"] = {"value": "tobedeleted"}
        sis.tables["enrollments"] += [7, {"sourcedId": None, "class": {"sourcedId": "5A"}}]
        sis.tables["enrollments"].append({"sourcedId": "E-new", "class": [], "user": {"sourcedId": "sam"}})
        report = nights.read(sis.source())
    shape = "does not have the shape that OneRoster defines; the row was left out, and what we hold of it stays"
    anybody = "whose row it is cannot be read, so nothing that is missing from this file becomes inactive"
    assert reasons(report) == [
        ("enrollments", None, "sourcedId", f"is blank; {anybody}"),
        ("enrollments", None, None, f"is not an object; {anybody}"),
        ("enrollments/E-new", None, "class", shape),
        ("users/sam", None, "status", shape),
    ]
    assert changed(report) == {}


def test_one_odd_field_on_everyone_loses_no_one(nights, maplewood):
    folder, tables = maplewood
    nights.read(folder)
    before = stored(nights)
    with serving(tables, 2) as sis:
        for user in sis.tables["users"]:
            user["grades"], user["primaryOrg"] = {"grade": user["grades"]}, []
        report = nights.read(sis.source(), confirm=True)
    after = stored(nights)
    assert {name for name in STORED if after[name] != before[name]} == {"students"}
    assert len(after["students"]) == len(before["students"])
    assert report.files["users"].state == "read"


def test_roles_of_the_wrong_shape_keep_students_and_no_rights(nights):
    nights.sync()
    with serving(nights.tables, 2) as sis:
        for user in sis.tables["users"]:
            user["roles"] = "teacher"
        nights.read(sis.source(), confirm=True)
    assert nights.active("students") == {"sam", "lea"}
    assert nights.active("contacts") == {"maria", "joao"}
    assert nights.active("staff") == set()


def test_references_without_a_list_or_an_object_are_read(sis):
    expected = read(sis.source())
    for user in sis.tables["users"]:
        user["agents"] = [agent["sourcedId"] for agent in user.get("agents") or []]
        if len(user.get("orgs", user.get("roles", ()))) == 1:
            name = "orgs" if "orgs" in user else "roles"
            user[name] = user[name][0]
    for row in sis.tables["enrollments"]:
        row["class"] = row["class"]["sourcedId"]
    assert read(sis.source()) == expected


def test_problems_found_after_staging_name_endpoint_and_id(nights):
    nights.user("sam")["agentSourcedIds"] = "maria,nobody"
    nights.user("maria")["phone"] = "ask Sam"
    nights.tables["roles"].append(bundles.role("ana", "teacher", "atlantis"))
    with serving(nights.tables, 2) as sis:
        report = nights.read(sis.source())
    assert {(file, line, column) for file, line, column, _ in reasons(report)} == {
        ("users/ana", None, "orgSourcedId"),
        ("users/maria", None, "phone"),
        ("users/sam", None, "agentSourcedIds"),
    }
    assert report.files["users"].rejected == 3
    assert report.files["roles of users"].read == 8


def test_characters_that_no_database_stores_are_dropped(sis):
    sis.tables["users"][0]["givenName"] = "A\x00na\ud800"
    given = {row.given_name for row in read(sis.source()) if isinstance(row, UserRow) and row.sourced_id == "ana"}
    assert given == {"Ana?"}


def test_numbers_and_flags_of_both_versions_are_read(sis):
    sis.tables["users"][0] |= {"identifier": 4711, "enabledUser": "false", "phone": None}
    [ana] = [row for row in read(sis.source()) if isinstance(row, UserRow) and row.sourced_id == "ana"]
    assert (ana.identifier, ana.enabled, ana.phone) == ("4711", False, None)


def test_endpoint_without_rows_holds_the_sync(nights):
    nights.sync()
    nights.tables["enrollments"] = []
    with serving(nights.tables, 2) as sis, pytest.raises(SyncHeld, match="enrollments holds no row"):
        nights.read(sis.source())


def test_logs_and_rejections_hold_no_personal_data(nights, caplog):
    nights.user("maria")["phone"] = "555 0199 ask João"
    with caplog.at_level(logging.DEBUG), serving(nights.tables, 1, page_size=1) as sis:
        report = nights.read(sis.source())
    logged = [record.getMessage() for record in caplog.records if record.name.startswith("bot")]
    text = " ".join(itertools.chain(logged, map(str, report.rejections)))
    assert not {word for word in ("0199", "João", "García", "token-", "sécret") if word in text}


def test_fields_that_a_roster_does_not_need_are_ignored(sis):
    sis.tables["users"][0] |= {"password": "hunter2", "demographics": {"birthDate": "2015-01-01"}}
    assert not [row for row in read(sis.source()) if isinstance(row, Rejection)]
