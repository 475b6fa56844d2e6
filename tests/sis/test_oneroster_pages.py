"""Pages of an SIS that does not count its rows, or that names pages wrongly: nothing may get lost unnoticed."""

import itertools
import json

import pytest
from support import sis_bundles as bundles
from support import sis_server as server
from support.sis_nights import Nights
from support.sis_server import EVERYONE, Fault, read_user_ids, serving, with_headers

from bot.errors import UserError


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
    refused = pytest.raises(UserError, match="with gaps, twice: a page was not there")
    with serving(nights.tables, 2, page_size=2, counts=False, faults=[fault]) as sis, refused:
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
    refused = pytest.raises(UserError, match="with gaps, twice: a page kept changing")
    with serving(nights.tables, 2, page_size=2, links=links, counts=False, faults=[fault]) as sis, refused:
        nights.read(sis.source())
    assert nights.active("students") == before
