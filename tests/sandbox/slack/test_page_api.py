"""The page's JSON API shows and changes the screen of one user only."""

from dataclasses import dataclass

import httpx
import pytest
from slack_sdk import WebClient
from starlette.applications import Starlette
from support.tiny_bolt_app import LIST, MANIFEST, asgi, bolt_app

from bot.sandbox.slack import delivery, page_api, server
from bot.sandbox.slack.workspace import Workspace


@dataclass
class Browser:
    url: str
    me: str

    def get(self, name, **query):
        return httpx.get(f"{self.url}/sandbox/slack/{name}", params={"as": self.me, **query}, timeout=30).json()

    def post(self, name, **body):
        return httpx.post(f"{self.url}/sandbox/slack/{name}", json={"as": self.me, **body}, timeout=30).json()

    def messages(self, channel):
        return self.get("messages", channel=channel)["messages"]


@pytest.fixture
def slack():
    slack = Workspace(MANIFEST, name="Riverbend Schools")
    slack.received = []
    with (
        server.serve(slack) as slack.api_url,
        delivery.InProcess(asgi(bolt_app(slack, slack.api_url, slack.received))) as app,
    ):
        slack.connect(app)
        yield slack


@pytest.fixture
def url(slack):
    with server.serve_app(Starlette(routes=page_api.routes(slack))) as url:
        yield url


@pytest.fixture
def dana(slack, url):
    return Browser(url, slack.add_user("Dana Whitfield", title="Attendance clerk").id)


@pytest.fixture
def marcus(slack, url):
    return Browser(url, slack.add_user("Marcus Lee", title="Teacher").id)


@pytest.fixture
def texts(slack, dana, marcus):
    return slack.add_channel("family-texts", members=[dana.me, marcus.me], with_bot=True).id


def test_people_are_listed_members_first(slack, dana, marcus):
    slack.add_user("Gus Petersen", guest=True)
    answer = dana.get("people")
    assert answer["team"]["name"] == "Riverbend Schools"
    assert answer["me"] == dana.me
    assert [(person["name"], person["kind"]) for person in answer["people"]] == [
        ("Dana Whitfield", "member"),
        ("Marcus Lee", "member"),
        ("Gus Petersen", "guest"),
        ("Tiny", "bot"),
    ]
    assert answer["people"][0]["avatar_initials"] == "DW"


def test_screen_lists_the_users_conversations(slack, dana, marcus, texts):
    slack.add_channel("office", members=[marcus.me], private=True)
    conversations = dana.get("screen")["conversations"]
    assert [(item["name"], item["kind"]) for item in conversations] == [("family-texts", "channel"), ("Tiny", "app")]


def test_commands_and_shortcuts_come_from_the_manifest(dana):
    assert dana.get("commands")[0] == {"command": "/list", "usage_hint": "[anything]", "description": "Try it"}
    assert dana.get("shortcuts")[0]["callback_id"] == "list.open"


def test_command_response_is_private_and_can_be_dismissed(dana, marcus, texts):
    assert dana.post("type", channel=texts, text="/list grade 5") == {"ok": True}
    message = dana.messages(texts)[0]
    assert (message["ephemeral"], message["user"]["name"]) == (True, "Tiny")
    assert marcus.messages(texts) == []
    assert marcus.post("dismiss", channel=texts, ts=message["ts"])["error"] == "not_on_screen"
    assert dana.post("dismiss", channel=texts, ts=message["ts"]) == {"ok": True}
    assert dana.messages(texts) == []


@pytest.mark.parametrize("channel", [None, "C0NOWHERE"])
def test_typing_outside_a_conversation_is_refused(dana, channel):
    assert dana.post("type", channel=channel, text="/list")["error"] == "not_on_screen"
    assert dana.post("type", channel=channel, text="Hello")["error"] == "not_on_screen"
    assert dana.post("invite", channel=channel)["error"] == "not_on_screen"


def test_message_is_unread_until_it_is_read(dana, marcus, texts):
    dana.post("type", channel=texts, text="Hello <all>")
    assert marcus.get("screen")["conversations"][0]["unread"] == 1
    assert marcus.messages(texts)[0]["text"] == "Hello &lt;all&gt;"
    assert marcus.get("screen")["conversations"][0]["unread"] == 0
    assert dana.get("screen")["conversations"][0]["unread"] == 0


def test_command_error_has_slacks_code_and_sentence(dana, texts):
    answer = dana.post("type", channel=texts, text="/broken")
    assert answer["error"] == "invalid_command_response"
    assert dana.get("screen")["toast"] == answer["text"]


def test_dialog_is_opened_corrected_and_saved(slack, dana, texts):
    dana.post("type", channel=texts, text="/list")
    where = {"message": {"channel": texts, "ts": dana.messages(texts)[0]["ts"]}}
    assert dana.post("press", where=where, block_id="row", action_id="contact.edit") == {"ok": True}
    view = dana.get("screen")["views"][0]
    typed = {"phone": {"typed": {"type": "plain_text_input", "value": "12"}}, "note": {"typed": {"value": "bad phone"}}}
    assert dana.post("submit", view=view["id"], values=typed) == {"errors": {"phone": "Write 10 digits."}}
    chosen = {"method": {"chosen": {"selected_option": {"value": "call"}}}, "note": {"typed": {"value": ""}}}
    assert dana.post("submit", view=view["id"], values=chosen) == {"ok": True}
    values = slack.received[-1]["view"]["state"]["values"]
    assert values["phone"]["typed"]["value"] == "12"
    assert values["note"]["typed"]["value"] is None
    assert values["method"]["chosen"]["selected_option"]["text"]["text"] == "Call"
    assert dana.get("screen")["views"] == []


def test_menu_sends_the_option_as_offered(slack, dana, texts):
    dana.post("type", channel=texts, text="/list")
    where = {"message": {"channel": texts, "ts": dana.messages(texts)[0]["ts"]}}
    menu = {"where": where, "block_id": "row", "action_id": "list.grade"}
    assert dana.post("press", **menu, value={"selected_option": {"value": "five"}}) == {"ok": True}
    assert slack.received[-1]["actions"][0]["selected_option"]["text"]["text"] == "Five"
    assert dana.post("press", **menu, value={"selected_option": {"value": "nine"}})["error"] == "not_on_screen"


def test_external_menu_gets_its_options_from_the_app(dana, texts):
    dana.post("type", channel=texts, text="/edit")
    where = {"view": dana.get("screen")["views"][0]["id"]}
    answer = dana.post("suggest", where=where, block_id="teacher", action_id="chosen", query="ruth")
    assert [option["value"] for option in answer["options"]] == ["ruth lee", "ruth okafor"]


def test_dialog_belongs_to_one_user(slack, dana, marcus, texts):
    dana.post("type", channel=texts, text="/edit")
    view = dana.get("screen")["views"][0]["id"]
    assert marcus.get("screen")["views"] == []
    assert marcus.post("submit", view=view, values={})["error"] == "not_on_screen"
    assert dana.post("close", view=view, all=True) == {"ok": True}
    assert slack.received[-1]["type"] == "view_closed"


def test_home_tab_is_published_when_opened(dana):
    assert dana.get("screen")["home"] is None
    assert dana.post("open", home=True) == {"ok": True}
    assert dana.get("screen")["home"]["blocks"][1]["text"]["text"] == "Welcome"


def test_opening_a_tab_of_the_app_sends_its_event(slack, dana):
    dana.post("open", channel=slack.app_dm(dana.me).id)
    dana.post("open", home=True)
    assert [event["tab"] for event in slack.received] == ["messages", "home"]


def test_shortcut_opens_its_dialog(dana):
    assert dana.post("shortcut", callback_id="list.open", message=None) == {"ok": True}
    assert len(dana.get("screen")["views"]) == 1


def test_waiting_ends_with_the_next_change(slack, dana, texts):
    version = dana.get("screen")["version"]
    WebClient(slack.bot_token, base_url=slack.api_url).chat_postMessage(channel=texts, text="3 of 12", blocks=LIST)
    assert dana.get("wait", since=version)["version"] > version


def test_file_requires_seeing_its_message(slack, dana, marcus):
    client = WebClient(slack.bot_token, base_url=slack.api_url)
    client.files_upload_v2(channel=slack.app_dm(dana.me).id, filename="list.csv", content="a,b\n")
    file = dana.messages(slack.app_dm(dana.me).id)[0]["files"][0]
    assert (file["name"], file["size"]) == ("list.csv", 4)
    assert httpx.get(dana.url + file["url"]).content == b"a,b\n"
    assert httpx.get(dana.url + file["url"].replace(dana.me, marcus.me)).status_code == 404
