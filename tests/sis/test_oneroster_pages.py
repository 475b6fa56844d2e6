"""Pages of an SIS that does not count its rows, or that names pages wrongly: nothing may get lost unnoticed."""

import itertools
import json

import pytest
from support import sis_bundles as bundles
from support import sis_server as server
from support.errors import refused
from support.sis_nights import Nights, changed, reasons
from support.sis_server import EVERYONE, Fault, read, read_user_ids, serving, with_headers

from bot.errors import UserError
from bot.sis.rows import Rejection, UserRow


@pytest.fixture
def nights(empty_database, tmp_path):
    return Nights(empty_database, tmp_path / "small")


@pytest.fixture(params=[1, 2])
def sis(request):
    """The small district on pages of two, not counted."""
    with serving(bundles.a_district(), request.param, page_size=2, counts=False) as sis:
        yield sis


def test_row_added_while_reading_shows_as_overlap(sis):
    def add_user(page, _request):
        sis.tables["users"].insert(0, {"sourcedId": "abe"})
        return page

    sis.faults = [Fault("users", from_offset=2, after=add_user)]
    assert read_user_ids(sis) == ["abe", *EVERYONE]


def not_there(_page, _request):
    return server.JSONResponse({}, 404)


def test_404_past_the_end_is_the_end(sis):
    sis.links = False
    sis.faults = [Fault("users", from_offset=len(EVERYONE), after=not_there, times=99)]
    assert read_user_ids(sis) == EVERYONE


@pytest.mark.parametrize("links", [True, False])
def test_single_404_within_the_pages_loses_nothing(sis, links):
    sis.links = links
    sis.faults = [Fault("users", from_offset=4, after=not_there)]
    assert read_user_ids(sis) == EVERYONE


def test_linked_page_that_is_missing_fails_the_sync(nights):
    nights.sync()
    fault = Fault("users", from_offset=4, after=not_there, times=99)
    failed = pytest.raises(UserError, match="with gaps, twice: a page was not there")
    with serving(nights.tables, 2, page_size=2, counts=False, faults=[fault]) as sis, failed:
        nights.read(sis.source())


def linking_to(offset):
    def change(page, request):
        page.headers["link"] = f'<{request.url.include_query_params(offset=offset)}>; rel="next"'
        return page

    return change


@pytest.mark.parametrize("counts", [True, False])
def test_pages_in_a_circle_fail_at_once(sis, counts):
    sis.counts = counts
    sis.faults = [Fault("users", from_offset=2, after=linking_to(0), times=99)]
    with pytest.raises(UserError, match="with gaps, twice"):
        read_user_ids(sis)
    assert len([request for request in sis.requests if request.startswith("users")]) <= 10


@pytest.mark.parametrize("counts", [True, False])
def test_empty_last_page_may_link_to_itself(sis, counts):
    sis.counts = counts
    sis.faults = [
        Fault("users", from_offset=8, after=linking_to(8), times=99),
        Fault("users", from_offset=6, after=linking_to(8), times=99),
    ]
    assert read_user_ids(sis) == EVERYONE


def empty(_page, _request):
    return server.JSONResponse({"users": []})


def without_the_last(page, _request):
    users = json.loads(page.body)["users"][:-1]
    headers = {name: value for name, value in page.headers.items() if name != "content-length"}
    return server.JSONResponse({"users": users}, headers=headers)


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize(
    "fault",
    [
        Fault("users", after=empty),
        Fault("users", from_offset=4, after=empty),
        Fault("users", after=without_the_last),
        Fault("users", from_offset=2, after=without_the_last),
        Fault("users", from_offset=6, after=without_the_last),
        Fault("users", from_offset=4, after=with_headers(link="")),
    ],
    ids=["first empty", "empty", "first short", "short", "last short", "no link"],
)
def test_single_bad_page_loses_nothing_without_counts(sis, fault, links):
    sis.links = links
    sis.faults = [server.replace(fault)]
    assert read_user_ids(sis) == EVERYONE


@pytest.mark.parametrize("links", [True, False])
def test_page_that_keeps_changing_fails_the_sync(nights, links):
    nights.sync()
    before = nights.active("students")
    numbers = itertools.count()

    def another(_page, _request):
        return server.JSONResponse({"users": [{"sourcedId": f"nobody-{next(numbers)}"}]})

    fault = Fault("users", from_offset=4, after=another, times=99)
    failed = pytest.raises(UserError, match="with gaps, twice: a page kept changing")
    with serving(nights.tables, 2, page_size=2, links=links, counts=False, faults=[fault]) as sis, failed:
        nights.read(sis.source())
    assert nights.active("students") == before


def warnings(sis):
    """Return the ids of the users that were read, and what is said of the endpoint as a whole."""
    rows = read(sis.source())
    users = sorted(row.sourced_id for row in rows if isinstance(row, UserRow))
    return users, [row.reason for row in rows if isinstance(row, Rejection) and row.line is None]


def number_of_the_page(page, _request):
    page.headers["x-total-count"] = str(len(json.loads(page.body)["users"]))
    return page


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize(
    "fault",
    [
        Fault("users", after=with_headers(x_total_count="8"), times=99),
        Fault("users", after=with_headers(x_total_count="4"), times=99),
        Fault("users", after=with_headers(x_total_count="0"), times=99),
        Fault("users", from_offset=4, after=with_headers(x_total_count="6"), times=99),
        Fault("users", after=number_of_the_page, times=99),
    ],
    ids=["too high", "too low", "zero", "changed", "of the page"],
)
def test_count_that_is_wrong_twice_the_same_is_believed_over(fault, links):
    with serving(bundles.a_district(), 2, page_size=2, links=links, faults=[server.replace(fault)]) as sis:
        users, [warning] = warnings(sis)
    assert users == EVERYONE
    assert warning.startswith("came twice the same although ")


def test_wrong_count_is_a_warning_of_the_report_and_changes_nothing(nights):
    nights.sync()
    fault = Fault("users", after=with_headers(x_total_count="8"), times=99)
    with serving(nights.tables, 2, page_size=2, faults=[fault]) as sis:
        report = nights.read(sis.source())
    assert changed(report) == {}
    warning = "came twice the same although 7 of 8 came; what came was used"
    assert reasons(report) == [("users", None, None, warning)]
    assert report.files["users"].state == "read"


@pytest.mark.parametrize("after", [None, not_there, empty])
def test_end_that_links_show_is_an_end_whatever_comes_after_it(after):
    faults = [Fault("users", from_offset=7, after=after, times=99)] if after else []
    faults.append(Fault("users", after=with_headers(x_total_count="40"), times=99))
    with serving(bundles.a_district(), 2, page_size=2, faults=faults) as sis:
        assert warnings(sis)[0] == EVERYONE


def test_whole_page_that_is_missing_is_no_wrong_count():
    def without_objects(page, request):
        return server.JSONResponse({"users": []}, headers={"x-total-count": page.headers["x-total-count"]})

    fault = Fault("users", from_offset=4, after=without_objects, times=99)
    with serving(bundles.a_district(), 2, page_size=2, links=False, faults=[fault]) as sis, refused("sis.incomplete"):
        read_user_ids(sis)


@pytest.mark.parametrize("refusal", [400, 422, 500])
@pytest.mark.parametrize(("sorts", "most"), [(False, 10_000), (True, 1_000), (True, 200), (False, 100)])
def test_server_that_refuses_a_parameter_gets_less(sorts, most, refusal):
    options = {"sorts": sorts, "most": most, "refusal": refusal}
    with serving(bundles.a_district(), 2, page_size=2, **options) as sis:
        assert warnings(sis) == (EVERYONE, [])
        accepted = {request for request in sis.requests if request.startswith("classes")}
        assert len({request.split("offset")[0] for request in accepted}) == 1


def test_changes_are_requested_in_the_way_that_the_server_takes(nights):
    with serving(nights.tables, 2, page_size=2, sorts=False, most=100) as sis:
        nights.read(sis.source())
        assert nights.read(sis.source()).files["enrollments"].mode == "delta"


def shuffling(page, request):
    users = json.loads(page.body)["users"]
    page.body = json.dumps({"users": [*users[1:], {"sourcedId": "sam"}]}).encode()
    page.headers["content-length"] = str(len(page.body))
    return page


def test_row_in_place_of_another_is_a_gap_where_nothing_is_sorted():
    """The first page lacks a user and has one of the last page instead, in the first read only."""
    with serving(bundles.a_district(), 2, page_size=2, sorts=False) as sis:
        sis.faults = [Fault("users", after=shuffling, times=1)]
        assert warnings(sis) == (EVERYONE, [])


@pytest.mark.parametrize("links", [True, False])
def test_server_that_sends_everything_at_once_is_read(links):
    with serving(bundles.a_district(), 2, page_size=100, starts=False, links=links) as sis:
        assert warnings(sis) == (EVERYONE, [])


@pytest.mark.parametrize("counts", [True, False])
def test_server_without_pages_is_read(counts):
    with serving(bundles.a_district(), 2, most=0, starts=False, links=False, counts=counts) as sis:
        assert warnings(sis) == (EVERYONE, [])


@pytest.mark.parametrize("counts", [True, False])
def test_server_that_repeats_a_part_is_not_believed(counts):
    options = {"page_size": 2, "starts": False, "links": False, "counts": counts}
    with serving(bundles.a_district(), 2, **options) as sis, refused("sis.incomplete"):
        read_user_ids(sis)
