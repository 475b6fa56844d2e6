"""Files that people choose in a dialog: what the dialog takes, what the app may read, and whose they stay."""

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from starlette.applications import Starlette

from bot.sandbox.slack import page_api, view_store
from bot.sandbox.slack.errors import NotOnScreen, SlackError
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.server import serve, serve_app
from bot.sandbox.slack.workspace import Workspace

SCOPES = ["chat:write", "files:read", "files:write"]


def dialog(**limits):
    element = {"type": "file_input", "action_id": "value", **limits}
    block = {"type": "input", "block_id": "file", "label": {"type": "plain_text", "text": "File"}, "element": element}
    title = {"type": "plain_text", "text": "Import"}
    return {"type": "modal", "title": title, "submit": title, "callback_id": "x", "blocks": [block]}


def workspace(*scopes):
    return Workspace({"oauth_config": {"scopes": {"bot": list(scopes)}}})


@pytest.fixture
def slack():
    slack = workspace(*SCOPES)
    with serve(slack) as slack.api_url:
        yield slack


@pytest.fixture
def client(slack):
    return WebClient(slack.bot_token, base_url=slack.api_url)


@pytest.fixture
def dana(slack):
    return Person(slack, slack.add_user("Dana Whitfield").id)


def show(slack, person, **limits):
    return view_store.push_modal(slack, person.id, dialog(**limits))


def test_app_gets_the_file_with_its_token(slack, client, dana):
    view = show(slack, dana, filetypes=["csv", "xlsx"], max_files=1)
    filled = dana.fill(view, {"file": [dana.choose_file("results.csv", b"a,b\n")]})
    [chosen] = filled.view.state["file"]["value"]["files"]
    info = client.files_info(file=chosen["id"])["file"]
    assert (info["name"], info["size"], info["user"]) == ("results.csv", 4, dana.id)
    content = httpx.get(info["url_private_download"], headers={"Authorization": f"Bearer {slack.bot_token}"})
    assert content.content == b"a,b\n"


def test_download_without_the_token_is_a_page_to_sign_in(slack, client, dana):
    file_id = dana.choose_file("results.csv", b"a,b\n")
    url = client.files_info(file=file_id)["file"]["url_private_download"]
    answers = [httpx.get(url, headers=headers) for headers in ({}, {"Authorization": "Bearer xoxb-other"})]
    assert {(answer.status_code, answer.headers["content-type"][:9]) for answer in answers} == {(200, "text/html")}


def test_app_may_not_delete_the_file_of_a_person(client, dana):
    file_id = dana.choose_file("results.csv", b"a,b\n")
    with pytest.raises(SlackApiError) as refused:
        client.files_delete(file=file_id)
    assert refused.value.response["error"] == "cant_delete_file"
    with pytest.raises(SlackApiError) as unknown:
        client.files_info(file="F0")
    assert unknown.value.response["error"] == "file_not_found"


REFUSED = {
    "another type": ({"filetypes": ["csv"]}, [("results.pdf", b"x")]),
    "too many": ({"max_files": 1}, [("a.csv", b"x"), ("b.csv", b"x")]),
    "too large": ({}, [("a.csv", b"x" * 10_000_001)]),
}


@pytest.mark.parametrize(("limits", "files"), REFUSED.values(), ids=REFUSED)
def test_dialog_takes_no_other_file(slack, dana, limits, files):
    view = show(slack, dana, **limits)
    with pytest.raises(NotOnScreen):
        dana.fill(view, {"file": [dana.choose_file(*file) for file in files]})


def test_file_of_another_person_cannot_be_chosen(slack, dana):
    marcus = Person(slack, slack.add_user("Marcus Lee").id)
    with pytest.raises(NotOnScreen):
        marcus.fill(show(slack, marcus), {"file": [dana.choose_file("a.csv", b"x")]})


def test_dialog_for_files_needs_the_scope():
    slack = workspace("chat:write")
    with pytest.raises(SlackError) as refused:
        view_store.push_modal(slack, slack.add_user("Dana").id, dialog())
    assert refused.value.error == "missing_scope"


def test_page_chooses_a_file(slack, dana):
    view = show(slack, dana)
    with serve_app(Starlette(routes=page_api.routes(slack))) as url:
        query = {"as": dana.id, "name": "results.csv"}
        file = httpx.post(f"{url}/sandbox/slack/files", params=query, content=b"a,b\n").json()["file"]
        entered = {"as": dana.id, "where": {"view": view.id}, "block_id": "file", "action_id": "value"}
        value = {"value": {"type": "file_input", "files": [file]}}
        assert httpx.post(f"{url}/sandbox/slack/enter", json=entered | value).json() == {"ok": True}
        too_large = httpx.post(f"{url}/sandbox/slack/files", params=query, content=b"x" * 10_000_001).json()
    assert dana.view.state["file"]["value"]["files"][0]["name"] == "results.csv"
    assert too_large["error"] == "file_upload_size_restricted"
