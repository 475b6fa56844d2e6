"""The ways into a OneRoster server: tokens for a client, signed requests, and a token that does not change."""

import pytest
from support import sis_bundles as bundles
from support import sis_server as server
from support.errors import refused
from support.sis_logins import Entry
from support.sis_server import EVERYONE, Fault, read, read_user_ids, responding, serving

from bot.sis.oneroster_login import default_token_url
from bot.sis.rows import UserRow

SIGNED = ("HMAC-SHA256", "HMAC-SHA1")


def serving_entry(minor=1, **entry):
    return serving(bundles.a_district(), minor, page_size=2, entry=Entry(**entry))


def user_ids(source):
    return [row.sourced_id for row in read(source) if isinstance(row, UserRow)]


@pytest.mark.parametrize("minor", [1, 2])
def test_secret_goes_in_the_body_where_the_header_is_refused(minor):
    with serving_entry(minor, kind="body") as sis:
        assert read_user_ids(sis) == EVERYONE
        assert sis.requests.count("token") == 2


def test_client_that_is_refused_both_ways_is_named():
    with serving_entry(2, kind="body") as sis, refused("sis.no_token") as error:
        read(sis.source(client_secret="wr0ng"))
    assert "SIS_ONEROSTER_CLIENT_SECRET" in error.value.sentence
    assert "wr0ng" not in error.value.sentence


def test_token_server_with_an_app_name_gets_it():
    with serving_entry(2, app_name="maplewood") as sis:
        assert user_ids(sis.source(token_url=f"{sis.url}/token?appName=maplewood")) == EVERYONE


@pytest.mark.parametrize(
    ("url", "token_url"),
    [
        ("https://x.example/ims/oneroster/v1p1", "https://x.example/token"),
        ("https://x.example/api/ims/oneroster/rostering/v1p2/", "https://x.example/api/token"),
        (
            "https://x.example/campus/api/oneroster/v1p2/maplewood/ims/oneroster/rostering/v1p2",
            "https://x.example/campus/oauth2/token?appName=maplewood",
        ),
        (
            "https://x.example/campus/api/ims/oneroster/rostering/v1p2",
            "https://x.example/campus/oauth2/token",
        ),
    ],
)
def test_place_of_the_token_follows_from_the_address(url, token_url):
    assert default_token_url(url) == token_url


@pytest.mark.parametrize("refusal", [400, 401, 403])
@pytest.mark.parametrize("signature", SIGNED)
def test_requests_are_signed_where_no_token_is_given(signature, refusal):
    with serving_entry(kind="signed", signatures=(signature,), refusal=refusal) as sis:
        assert read_user_ids(sis) == EVERYONE
        assert sis.requests.count("token") == 1
        assert sis.source().probe() == f"accepts requests signed with {signature}, and lists 2 organizations"


def test_signed_request_for_changes_and_after_a_redirect_is_accepted():
    with serving_entry(kind="signed", signatures=SIGNED) as sis:
        sis.faults = [Fault("users", answer=server.redirecting("/moved/users"))]
        assert read_user_ids(sis) == EVERYONE
        since = {"enrollments": server.datetime_of("2026-08-01")}
        with sis.source().open(region="US", watermarks=since) as parts:
            [enrollments] = [part for part in parts if part.name == "enrollments"]
            assert len(list(enrollments.rows())) == 3
        assert enrollments.is_delta


@pytest.mark.parametrize("signature", SIGNED)
def test_signature_that_was_accepted_is_kept(signature):
    with serving_entry(kind="signed", signatures=(signature,)) as sis:
        sis.faults = [Fault("users", from_offset=2, answer=responding(401))]
        assert read_user_ids(sis) == EVERYONE


@pytest.mark.parametrize("refusal", [400, 401])
@pytest.mark.parametrize("signature", SIGNED)
def test_signature_is_found_on_a_server_that_cannot_sort(signature, refusal):
    with serving_entry(kind="signed", signatures=(signature,), refusal=refusal) as sis:
        sis.sorts = False
        assert sorted(read_user_ids(sis)) == EVERYONE
        assert signature in sis.source().probe()


def test_refused_signature_names_both_ways_in():
    with serving_entry(kind="signed", signatures=SIGNED) as sis, refused("sis.forbidden") as error:
        read(sis.source(client_secret="wr0ng"))
    for words in (
        "/token (404, a web page)",
        "OAuth 1.0a, 401",
        "SIS_ONEROSTER_TOKEN_URL",
        "SIS_ONEROSTER_CLIENT_SECRET",
        "clock",
    ):
        assert words in error.value.sentence
    assert "wr0ng" not in error.value.sentence


def test_nothing_is_signed_for_1_2_or_where_the_token_url_is_set():
    with serving_entry(2, kind="signed", signatures=SIGNED) as sis, refused("sis.no_token"):
        read(sis.source())
    with serving_entry(1, kind="signed", signatures=SIGNED) as sis, refused("sis.no_token"):
        read(sis.source(token_url=f"{sis.url}/token"))


@pytest.mark.parametrize("minor", [1, 2])
def test_token_that_does_not_change_needs_no_client(minor):
    with serving_entry(minor, kind="static") as sis:
        source = sis.source(client_id="", client_secret="", token=sis.entry.static_token)
        assert user_ids(source) == EVERYONE
        assert source.probe() == "accepts our token, and lists 2 organizations"
        assert "token" not in sis.requests
        assert sis.entry.static_token not in repr(source)


@pytest.mark.parametrize(("status", "words"), [(401, "have ended"), (403, "does not let us read users")])
def test_refused_static_token_is_named_but_not_shown(status, words):
    with serving_entry(kind="static") as sis, refused("sis.forbidden") as error:
        sis.faults = [Fault("users", answer=responding(status), times=9)]
        read(sis.source(client_id="", client_secret="", token=sis.entry.static_token))
    assert words in error.value.sentence
    assert "SIS_ONEROSTER_TOKEN" in error.value.sentence
    assert sis.entry.static_token not in error.value.sentence


@pytest.mark.parametrize("offset", [0, 2, 4])
def test_token_that_ends_in_the_middle_is_renewed(offset):
    with serving_entry(2) as sis:
        sis.faults = [Fault("users", from_offset=offset, answer=responding(401))]
        assert read_user_ids(sis) == EVERYONE
        assert len(sis.tokens) == 2


def test_token_that_ends_after_each_answer_is_renewed():
    with serving_entry(2) as sis:

        def end_token(response, _request):
            sis.tokens.append("another")
            return response

        sis.faults = [Fault("users", after=end_token, times=3), Fault("enrollments", after=end_token, times=2)]
        assert read_user_ids(sis) == EVERYONE


def test_infinite_campus_without_its_app_name_is_named():
    with serving_entry(2) as sis, refused("sis.no_token") as error:
        read(sis.source(token_url=f"{sis.url}/campus/oauth2/token"))
    assert "?appName=" in error.value.sentence
