"""Pages of a SIS that does not count its people, or names pages wrongly: what it does not show has to be proven gone."""

import itertools
import json

import pytest
from support import sis_bundles as bundles
from support import sis_server as server
from support.sis_nights import Nights
from support.sis_server import EVERYBODY, Mishap, serving, users_of, with_headers

from bot.errors import UserError


@pytest.fixture
def nights(empty_database, tmp_path):
    return Nights(empty_database, tmp_path / "small")


@pytest.fixture(params=[1, 2])
def sis(request):
    """The small district on pages of two, not counted."""
    with serving(bundles.a_district(), request.param, most=2, counts=False) as sis:
        yield sis


def test_somebody_who_joins_unseen_by_the_count_shows_where_pages_overlap(sis):
    def joins(page, _request):
        sis.tables["users"].insert(0, {"sourcedId": "abe"})
        return page

    sis.mishaps = [Mishap("users", from_offset=2, after=joins)]
    assert users_of(sis) == ["abe", *EVERYBODY]


def not_there(_page, _request):
    return server.JSONResponse({}, 404)


def test_a_server_without_counts_and_links_may_say_that_nothing_is_there_past_its_end(sis):
    sis.links = False
    sis.mishaps = [Mishap("users", from_offset=len(EVERYBODY), after=not_there, times=99)]
    assert users_of(sis) == EVERYBODY


@pytest.mark.parametrize("links", [True, False])
def test_a_page_that_is_not_there_for_once_takes_nobody_away_where_nothing_is_counted(sis, links):
    sis.links = links
    sis.mishaps = [Mishap("users", from_offset=4, after=not_there)]
    assert users_of(sis) == EVERYBODY


def test_a_page_that_is_named_and_not_there_is_no_end(nights):
    nights.sync()
    mishap = Mishap("users", from_offset=4, after=not_there, times=99)
    refused = pytest.raises(UserError, match="with gaps, twice: a page was not there")
    with serving(nights.tables, 2, most=2, counts=False, mishaps=[mishap]) as sis, refused:
        nights.read(sis.source())


def names_page(offset):
    def changed(page, request):
        page.headers["link"] = f'<{request.url.include_query_params(offset=offset)}>; rel="next"'
        return page

    return changed


@pytest.mark.parametrize("counts", [True, False])
def test_pages_that_lead_back_to_the_first_fail_the_read_at_once(sis, counts):
    sis.counts = counts
    sis.mishaps = [Mishap("users", from_offset=2, after=names_page(0), times=99)]
    with pytest.raises(UserError, match="with gaps, twice"):
        users_of(sis)
    assert len([one for one in sis.asked if one.startswith("users")]) <= 10


@pytest.mark.parametrize("counts", [True, False])
def test_a_last_page_without_rows_may_name_itself_as_the_next(sis, counts):
    sis.counts = counts
    sis.mishaps = [
        Mishap("users", from_offset=8, after=names_page(8), times=99),
        Mishap("users", from_offset=6, after=names_page(8), times=99),
    ]
    assert users_of(sis) == EVERYBODY


def empty(_page, _request):
    return server.JSONResponse({"users": []})


def without_the_last(page, _request):
    """Its headers as they were."""
    some = json.loads(page.body)["users"][:-1]
    told = {name: value for name, value in page.headers.items() if name != "content-length"}
    return server.JSONResponse({"users": some}, headers=told)


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize(
    "mishap",
    [
        Mishap("users", after=empty),
        Mishap("users", from_offset=4, after=empty),
        Mishap("users", after=without_the_last),
        Mishap("users", from_offset=2, after=without_the_last),
        Mishap("users", from_offset=6, after=without_the_last),
        Mishap("users", from_offset=4, after=with_headers(link="")),
    ],
    ids=["first empty", "empty", "first short", "short", "last short", "no link"],
)
def test_one_bad_page_of_a_server_that_does_not_count_takes_nobody_away(sis, mishap, links):
    sis.links = links
    sis.mishaps = [server.replace(mishap)]
    assert users_of(sis) == EVERYBODY


@pytest.mark.parametrize("links", [True, False])
def test_a_server_that_neither_counts_nor_says_the_same_twice_fails_the_sync_and_takes_nobody_away(nights, links):
    nights.sync()
    before = nights.active("students")
    others = itertools.count()

    def another(_page, _request):
        return server.JSONResponse({"users": [{"sourcedId": f"nobody-{next(others)}"}]})

    mishap = Mishap("users", from_offset=4, after=another, times=99)
    refused = pytest.raises(UserError, match="with gaps, twice: a page kept changing")
    with serving(nights.tables, 2, most=2, links=links, counts=False, mishaps=[mishap]) as sis, refused:
        nights.read(sis.source())
    assert nights.active("students") == before
