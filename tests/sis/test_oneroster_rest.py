import csv
import itertools
import logging

import pytest
from support import sis_bundles as bundles
from support import sis_server as server
from support.people import NOW
from support.sis_nights import Nights, changed, reasons
from support.sis_server import (
    EVERYBODY,
    Mishap,
    Sis,
    busy,
    hanging_up,
    moved,
    read,
    serving,
    slow,
    users_of,
    with_headers,
)

from bot.errors import UserError
from bot.sandbox import district
from bot.sandbox.slack.serving import running
from bot.sis.rows import Rejection, UserRow
from bot.sync.hold import SyncHeld

VERSIONS = pytest.mark.parametrize("minor", [1, 2])
HELD = {
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
    district.write(folder, NOW.date())
    return folder, {file.stem: rows_of(file) for file in folder.glob("*.csv")}


def rows_of(file):
    with file.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def held(nights):
    return {name: set(nights.rows(select)) for name, select in HELD.items()}


@pytest.fixture(params=[1, 2])
def sis(request):
    """The small district on pages of two."""
    tables = bundles.a_district()
    with serving(tables, request.param, most=2) as sis:
        yield sis


@VERSIONS
@pytest.mark.parametrize("links", [True, False])
def test_a_district_read_from_the_sis_is_the_one_read_from_its_export_and_a_second_sync_changes_nothing(
    nights, maplewood, minor, links
):
    folder, tables = maplewood
    with serving(tables, minor, links=links) as sis:
        first = nights.read(sis.source())
        from_sis = held(nights)
        assert changed(nights.read(sis.source())) == {}
    assert first.totals["students"] == 600
    assert first.source == "127.0.0.1"
    assert changed(nights.read(folder)) == {}
    assert held(nights) == from_sis


@VERSIONS
def test_an_export_read_before_is_not_changed_by_asking_the_sis(nights, maplewood, minor):
    folder, tables = maplewood
    nights.read(folder)
    with serving(tables, minor) as sis:
        assert changed(nights.read(sis.source())) == {}


def test_whoever_the_sis_no_longer_has_becomes_inactive_and_loses_their_roles(nights):
    nights.sync()
    nights.user("clara")
    nights.leave("lea")
    nights.tables["roles"] = [one for one in nights.tables["roles"] if one["userSourcedId"] != "clara"]
    with serving(nights.tables, 2) as sis:
        nights.read(sis.source())
    assert nights.active("students") == {"sam"}
    assert nights.active("staff") == {"ana", "dana"}


def test_rows_that_the_sis_marks_as_deleted_leave(nights):
    nights.sync()
    nights.user("lea")["status"] = "tobedeleted"
    with serving(nights.tables, 2) as sis:
        nights.read(sis.source())
    assert nights.active("students") == {"sam"}


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("most", [1, 2, 7, 100])
def test_every_page_is_read_whatever_its_size_with_and_without_links_and_counts(links, counts, most):
    with serving(bundles.a_district(), 2, most=most, links=links, counts=counts) as sis:
        assert users_of(sis) == EVERYBODY


def test_rows_are_asked_for_in_order_and_many_at_a_time(sis):
    users_of(sis)
    [first, *_] = [one for one in sis.asked if one.startswith("users")]
    assert first == "users?limit=5000&offset=0&sort=sourcedId&orderBy=asc"


def test_links_that_name_the_server_as_it_is_called_behind_its_proxy_are_followed_on_our_side(sis):
    sis.host_in_links = "http://internal.example:8080"
    assert users_of(sis) == EVERYBODY


def test_one_token_does_for_a_sync_and_is_renewed_when_it_ends(sis):
    users_of(sis)
    assert sis.tokens == ["token-0"]
    sis.token_seconds = 0
    assert users_of(sis) == EVERYBODY


def test_a_token_that_ends_before_its_time_is_renewed(sis):
    def ends(answer, _request):
        sis.tokens.append("another")
        return answer

    sis.mishaps = [Mishap("users", after=ends)]
    assert users_of(sis) == EVERYBODY
    assert sis.asked.count("token") == 2


@pytest.mark.parametrize("status", [429, 502, 503])
def test_a_busy_server_is_asked_again_when_it_says(sis, status):
    sis.mishaps = [
        Mishap("users", from_offset=2, answer=busy(status, retry_after=1)),
        Mishap("orgs", answer=busy(status)),
    ]
    assert users_of(sis) == EVERYBODY


@pytest.mark.parametrize(
    "mishap",
    [
        Mishap("users", from_offset=2, answer=hanging_up),
        Mishap("users", from_offset=2, answer=slow(1)),
        Mishap("users", from_offset=2, answer=lambda _request: server.JSONResponse({}, 404)),
        Mishap("users", from_offset=2, after=lambda _page, _request: server.JSONResponse({"users": []})),
        Mishap("users", from_offset=4, after=with_headers(x_total_count="6")),
        Mishap("users", after=with_headers(x_total_count="12")),
        Mishap("token", answer=busy(503)),
    ],
    ids=["hung up", "slow", "page gone", "page empty", "count changed", "count wrong once", "no token at once"],
)
def test_one_bad_moment_costs_nothing_but_time(sis, mishap):
    sis.mishaps = [server.replace(mishap)]
    assert users_of(sis) == EVERYBODY


@pytest.mark.parametrize(
    "mishap",
    [
        Mishap("users", from_offset=2, answer=lambda _request: server.JSONResponse({}, 404), times=99),
        Mishap("users", from_offset=2, after=lambda _page, _request: server.JSONResponse({"users": []}), times=99),
        Mishap("users", after=with_headers(x_total_count="8"), times=99),
        Mishap("users", after=with_headers(x_total_count="4"), times=99),
        Mishap("users", from_offset=4, after=with_headers(x_total_count="6"), times=99),
    ],
    ids=["page gone", "page empty", "count too high", "count too low", "count changed"],
)
@pytest.mark.parametrize("links", [True, False])
def test_pages_with_gaps_fail_the_sync_and_take_nobody_away(nights, mishap, links):
    nights.sync()
    before = held(nights)
    with serving(nights.tables, 2, most=2, links=links, mishaps=[server.replace(mishap)]) as sis:
        with pytest.raises(UserError, match="with gaps, twice"):
            nights.read(sis.source())
        assert sis.asked.count("users?limit=5000&offset=0&sort=sourcedId&orderBy=asc") == 2
    assert held(nights) == before
    assert nights.rows("SELECT state FROM sync_runs ORDER BY id") == [("done",), ("failed",)]


@pytest.mark.parametrize(
    "mishap",
    [
        Mishap("users", after=with_headers(x_total_count="9" * 5_000), times=99),
        Mishap("users", answer=busy(503, retry_after="Mon, 01 Jan 2024 00:00:00 +99999999999999999999")),
    ],
    ids=["count", "time to wait"],
)
def test_a_number_beyond_all_measure_is_as_if_it_were_not_said(sis, mishap):
    sis.mishaps = [server.replace(mishap)]
    assert users_of(sis) == EVERYBODY


def test_a_token_that_is_good_for_longer_than_can_be_told_is_used(sis):
    sis.token_seconds = 10**400
    assert users_of(sis) == EVERYBODY


def test_somebody_who_joins_while_we_read_makes_us_read_again(sis):
    def joins(answer, _request):
        sis.tables["users"].insert(0, {"sourcedId": "abe", "givenName": "Abe", "familyName": "Ash"})
        return answer

    sis.mishaps = [Mishap("users", after=joins)]
    assert users_of(sis) == ["abe", *EVERYBODY]


@pytest.mark.parametrize(
    ("mishap", "said"),
    [
        (Mishap("users", answer=busy(503), times=99), "answers 503"),
        (Mishap("users", answer=busy(429, retry_after=600), times=99), "busy"),
        (Mishap("users", answer=busy(403)), "roster-core.readonly"),
        (Mishap("users", answer=busy(401), times=2), "roster-core.readonly"),
        (Mishap("users", answer=busy(404)), "Check SIS_ONEROSTER_URL"),
        (Mishap("users", answer=busy(500)), "answers 500"),
        (Mishap("users", answer=busy(200)), "does not answer as OneRoster"),
        (Mishap("users", answer=lambda _request: server.JSONResponse({"users": {}})), "does not answer as OneRoster"),
        (
            Mishap("users", answer=lambda _request: server.Response("<html>Please sign in</html>")),
            "does not answer as OneRoster",
        ),
        (Mishap("users", from_offset=4, answer=hanging_up, times=99), "does not answer"),
        (Mishap("users", answer=slow(0.7), times=99), "too long"),
        (Mishap("users", answer=moved("https://elsewhere.example/users")), "another address"),
        (Mishap("users", answer=moved("/ims/oneroster/v1p9/users"), times=99), "404"),
        (Mishap("token", answer=busy(404)), "SIS_ONEROSTER_TOKEN_URL"),
        (Mishap("token", answer=busy(307, location="https://elsewhere.example/")), "SIS_ONEROSTER_TOKEN_URL"),
        (
            Mishap("token", answer=lambda _request: server.JSONResponse({"error": "invalid_scope"}, 400)),
            "does not grant",
        ),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence_that_says_what_to_do(sis, mishap, said):
    sis.mishaps = [server.replace(mishap)]
    with pytest.raises(UserError, match=said) as refused:
        read(sis.source())
    assert "sécret" not in refused.value.sentence
    assert "token-" not in refused.value.sentence


def test_a_wrong_secret_is_named_by_its_setting_and_not_shown(sis):
    source = sis.source(client_secret="wr0ng")
    with pytest.raises(UserError, match="SIS_ONEROSTER_CLIENT_SECRET") as refused:
        read(source)
    assert "wr0ng" not in refused.value.sentence + repr(source)


def test_a_server_that_is_not_there_is_said_so(sis):
    with pytest.raises(UserError, match=r"does not answer .* Check SIS_ONEROSTER_URL"):
        read(sis.source(url="http://127.0.0.1:9/ims/oneroster/v1p1"))


def test_a_redirect_to_the_same_host_is_followed_and_one_to_another_never_sees_the_token(sis):
    sis.mishaps = [Mishap("users", answer=moved("/moved/users"))]
    assert users_of(sis) == EVERYBODY
    with running((other := Sis(sis.tables, sis.minor)).app()) as elsewhere:
        sis.mishaps = [Mishap("users", answer=moved(f"{elsewhere}/moved/users"))]
        with pytest.raises(UserError, match="another address"):
            users_of(sis)
    assert other.asked == []


def test_a_row_of_the_wrong_shape_costs_itself_and_is_named_by_endpoint_and_id(nights):
    nights.sync()
    with serving(nights.tables, 2, most=3) as sis:
        users = {one["sourcedId"]: one for one in sis.tables["users"]}
        users["maria"]["agents"] = "sam"
        users["joao"]["phone"] = {"number": "3125550144"}
        users["clara"]["roles"] = [{"role": "siteAdministrator", "org": ["lincoln"]}]
        users["lea"]["givenName"], users["lea"]["familyName"] = None, ""
        sis.tables["enrollments"] += [7, {"sourcedId": None, "class": {"sourcedId": "5A"}}]
        report = nights.read(sis.source())
    shape = "has not the shape that OneRoster gives it; the row was left out, and what we hold of it stays"
    anybody = "whose row it is cannot be read, so nothing that is missing from this file becomes inactive"
    assert reasons(report) == [
        ("enrollments", None, "sourcedId", f"is blank; {anybody}"),
        ("enrollments", None, None, f"is no object; {anybody}"),
        ("users/clara", None, "roles.org", shape),
        ("users/joao", None, "phone", shape),
        ("users/lea", None, "familyName", "and givenName are blank; the person is kept without a name"),
        ("users/maria", None, "agents", shape),
    ]
    assert set(changed(report)) == {"students"}
    assert nights.rows("SELECT file, line FROM sync_rejections WHERE column_name = 'phone'") == [("users/joao", None)]


def test_a_doubt_that_only_all_rows_show_is_named_by_endpoint_and_id(nights):
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


def test_text_that_no_database_holds_is_read_without_it(sis):
    sis.tables["users"][0]["givenName"] = "A\x00na\ud800"
    given = {row.given_name for row in read(sis.source()) if isinstance(row, UserRow) and row.sourced_id == "ana"}
    assert given == {"Ana?"}


def test_numbers_and_flags_are_read_as_either_version_writes_them(sis):
    sis.tables["users"][0] |= {"identifier": 4711, "enabledUser": "false", "phone": None}
    [ana] = [row for row in read(sis.source()) if isinstance(row, UserRow) and row.sourced_id == "ana"]
    assert (ana.identifier, ana.enabled, ana.phone) == ("4711", False, None)


def test_an_endpoint_without_rows_brakes_the_sync_that_would_empty_a_table(nights):
    nights.sync()
    nights.tables["enrollments"] = []
    with serving(nights.tables, 2) as sis, pytest.raises(SyncHeld, match="enrollments holds no row"):
        nights.read(sis.source())


def test_neither_logs_nor_rejections_of_a_sync_tell_a_name_a_number_or_a_secret(nights, caplog):
    nights.user("maria")["phone"] = "555 0199 ask João"
    with caplog.at_level(logging.DEBUG), serving(nights.tables, 1, most=1) as sis:
        report = nights.read(sis.source())
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("bot")]
    told = " ".join(itertools.chain(ours, map(str, report.rejections)))
    assert not {word for word in ("0199", "João", "García", "token-", "sécret") if word in told}


def test_what_is_put_aside_holds_only_what_a_roster_needs(sis):
    sis.tables["users"][0] |= {"password": "hunter2", "demographics": {"birthDate": "2015-01-01"}}
    assert not [row for row in read(sis.source()) if isinstance(row, Rejection)]
