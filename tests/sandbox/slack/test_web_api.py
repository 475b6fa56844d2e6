"""The Web API refuses what Slack refuses, with Slack's error codes."""

import http.client
import urllib.error
from dataclasses import dataclass

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient
from support.tiny_bolt_app import MANIFEST, dialog, section

from bot.sandbox.slack import message_store, server
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.workspace import Workspace
from bot.slack.kit.charts import line_chart


@dataclass
class ManualClock:
    now: float = 1_790_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def slack(clock):
    slack = Workspace(MANIFEST, clock=clock)
    with server.serve(slack) as slack.api_url:
        yield slack


@pytest.fixture
def client(slack):
    return WebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])


@pytest.fixture
def dana(slack):
    return slack.add_user("Dana Whitfield", email="dana@riverbend.example")


@pytest.fixture
def texts(slack, dana):
    return slack.add_channel("family-texts", members=[dana.id], with_bot=True).id


def refusal(call, *args, **kwargs):
    with pytest.raises(SlackApiError) as caught:
        call(*args, **kwargs)
    return caught.value.response


def test_missing_method_is_unknown(client):
    assert refusal(client.api_call, "chat.shout")["error"] == "unknown_method"


def test_token_is_required_and_checked(slack):
    assert refusal(WebClient(base_url=slack.api_url).auth_test)["error"] == "not_authed"
    assert refusal(WebClient("xoxb-other", base_url=slack.api_url).auth_test)["error"] == "invalid_auth"


def test_granted_scopes_are_in_a_header(client):
    assert client.auth_test().headers["x-oauth-scopes"].split(",") == MANIFEST["oauth_config"]["scopes"]["bot"]


def test_scope_outside_the_manifest_is_missing(client, dana):
    answer = refusal(client.users_lookupByEmail, email="dana@riverbend.example")
    assert (answer["error"], answer["needed"]) == ("missing_scope", "users:read.email")
    assert "chat:write" in answer["provided"]


def test_email_requires_its_scope(slack, client, dana):
    assert "email" not in client.users_info(user=dana.id)["user"]["profile"]
    slack.manifest = {"oauth_config": {"scopes": {"bot": ["users:read", "users:read.email"]}}}
    assert client.users_info(user=dana.id)["user"]["profile"]["email"] == "dana@riverbend.example"


def test_private_channel_requires_its_own_scope(slack, client, texts):
    assert client.conversations_info(channel=texts)["channel"]["is_ext_shared"] is False
    office = slack.add_channel("office", private=True, with_bot=True).id
    assert refusal(client.conversations_info, channel=office)["needed"] == "groups:read"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, "not_in_channel"),
        ({"private": True}, "channel_not_found"),
        ({"with_bot": True, "archived": True}, "is_archived"),
    ],
)
def test_message_requires_membership_of_the_app(slack, client, fields, error):
    channel = slack.add_channel("elsewhere", **fields).id
    assert refusal(client.chat_postMessage, channel=channel, text="hello")["error"] == error


def test_message_to_a_user_opens_the_dm(slack, client, dana):
    sent = client.chat_postMessage(channel=dana.id, text="hello")
    assert sent["channel"] == slack.app_dm(dana.id).id
    assert Person(slack, dana.id).last().text == "hello"


def test_message_requires_text(client, texts):
    assert refusal(client.api_call, "chat.postMessage", json={"channel": texts, "blocks": [section("x")]})["error"] == (
        "no_text"
    )


def test_invalid_blocks_are_refused_with_a_pointer(client, texts):
    answer = refusal(client.chat_postMessage, channel=texts, text="x", blocks=[section("ok"), section("x" * 3001)])
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/1/text/text]"
    ]
    assert refusal(client.chat_postMessage, channel=texts, text="x", blocks="[{")["error"] == "invalid_blocks_format"


def test_workspace_without_charts_refuses_them(slack, client, dana, texts):
    chart = line_chart("Reached", ["Nov 1", "Nov 8"], {"%": [94, 95.5]})
    client.chat_postMessage(channel=texts, text="x", blocks=[chart])
    slack.refused_blocks.add("data_visualization")
    answer = refusal(client.chat_postMessage, channel=texts, text="x", blocks=[chart])
    assert answer["error"] == "invalid_blocks"
    home = {"type": "home", "blocks": [chart]}
    assert refusal(client.views_publish, user_id=dana.id, view=home)["error"] == "invalid_arguments"


def test_total_length_of_blocks_is_limited(client, texts):
    blocks = [section("x" * 2900) for _ in range(5)]
    assert refusal(client.chat_postMessage, channel=texts, text="x", blocks=blocks)["error"] == "msg_blocks_too_long"


def test_length_of_text_is_limited(client, texts):
    assert refusal(client.chat_postMessage, channel=texts, text="x" * 40_001)["error"] == "msg_too_long"
    ts = client.chat_postMessage(channel=texts, text="x")["ts"]
    assert refusal(client.chat_update, channel=texts, ts=ts, text="x" * 4_001)["error"] == "msg_too_long"


def test_missing_argument_is_named(client):
    answer = refusal(client.api_call, "chat.postMessage", json={"text": "x"})
    assert answer["error"] == "invalid_arguments"
    assert "missing required field: channel" in answer["response_metadata"]["messages"][0]


def test_app_can_change_only_its_own_messages(slack, client, dana, texts):
    sent = client.chat_postMessage(channel=texts, text="before", blocks=[section("before")])
    client.chat_update(channel=texts, ts=sent["ts"], text="after")
    message = Person(slack, dana.id).last(texts)
    assert (message.text, message.edited, message.blocks[0]["text"]["text"]) == ("after", True, "before")
    theirs = Person(slack, dana.id).write("mine", channel=texts)
    assert refusal(client.chat_update, channel=texts, ts=theirs.ts, text="x")["error"] == "cant_update_message"
    client.chat_delete(channel=texts, ts=sent["ts"])
    assert refusal(client.chat_update, channel=texts, ts=sent["ts"], text="x")["error"] == "message_not_found"


def test_ephemeral_message_can_be_neither_changed_nor_fetched(slack, client, dana, texts):
    slack.manifest = {"oauth_config": {"scopes": {"bot": ["chat:write", "channels:history"]}}}
    ts = client.chat_postEphemeral(channel=texts, user=dana.id, text="psst")["message_ts"]
    assert Person(slack, dana.id).last(texts).text == "psst"
    assert refusal(client.chat_update, channel=texts, ts=ts, text="x")["error"] == "message_not_found"
    assert client.conversations_history(channel=texts)["messages"] == []


def test_ephemeral_message_requires_a_member_of_the_channel(slack, client, texts):
    marcus = slack.add_user("Marcus Lee")
    answer = refusal(client.chat_postEphemeral, channel=texts, user=marcus.id, text="psst")
    assert answer["error"] == "user_not_in_channel"


def test_history_is_newest_first_with_metadata_on_request(client, texts):
    key = {"event_type": "cleanup_digest", "event_payload": {"k": "17"}}
    for text in ("first", "second", "third"):
        client.chat_postMessage(channel=texts, text=text, metadata=key)
    first = client.conversations_history(channel=texts, limit=2)
    assert [m["text"] for m in first["messages"]] == ["third", "second"]
    assert "metadata" not in first["messages"][0]
    cursor = first["response_metadata"]["next_cursor"]
    rest = client.conversations_history(channel=texts, cursor=cursor, include_all_metadata=True)
    assert [(m["text"], m["metadata"]) for m in rest["messages"]] == [("first", key)]


def test_trigger_opens_one_dialog_within_three_seconds(slack, client, clock, dana):
    used = slack.new_trigger(dana.id)
    client.views_open(trigger_id=used, view=dialog())
    assert refusal(client.views_open, trigger_id=used, view=dialog())["error"] == "exchanged_trigger_id"
    late = slack.new_trigger(dana.id)
    clock.now += 3.1
    assert refusal(client.views_open, trigger_id=late, view=dialog())["error"] == "expired_trigger_id"
    assert refusal(client.views_open, trigger_id="made.up", view=dialog())["error"] == "invalid_trigger_id"


def test_invalid_dialog_is_refused_with_a_pointer(slack, client, dana):
    broken = dialog(private_metadata="x" * 3001)
    answer = refusal(client.views_open, trigger_id=slack.new_trigger(dana.id), view=broken)
    assert answer["error"] == "invalid_arguments"
    assert "json-pointer:/view/private_metadata" in answer["response_metadata"]["messages"][0]


def test_external_id_belongs_to_one_open_view(slack, client, dana):
    client.views_open(trigger_id=slack.new_trigger(dana.id), view=dialog(external_id="edit-17"))
    again = refusal(client.views_open, trigger_id=slack.new_trigger(dana.id), view=dialog(external_id="edit-17"))
    assert again["error"] == "duplicate_external_id"
    assert client.views_update(external_id="edit-17", view=dialog(external_id="edit-17"))["ok"]


def test_stale_hash_conflicts_and_closed_view_is_not_found(slack, client, dana):
    view = client.views_open(trigger_id=slack.new_trigger(dana.id), view=dialog())["view"]
    client.views_update(view_id=view["id"], view=dialog(), hash=view["hash"])
    stale = refusal(client.views_update, view_id=view["id"], view=dialog(), hash=view["hash"])
    assert stale["error"] == "hash_conflict"
    Person(slack, dana.id).close()
    assert refusal(client.views_update, view_id=view["id"], view=dialog())["error"] == "not_found"


def test_home_tab_accepts_home_views_only(client, dana):
    assert client.views_publish(user_id=dana.id, view={"type": "home", "blocks": [section("x")]})["ok"]
    assert refusal(client.views_publish, user_id=dana.id, view=dialog())["error"] == "invalid_arguments"
    assert refusal(client.views_publish, user_id="U9", view={"type": "home", "blocks": []})["error"] == "user_not_found"


def test_response_url_works_five_times_within_thirty_minutes(slack, clock, dana, texts):
    hook = WebhookClient(slack.new_response_url(dana.id, texts))
    assert [hook.send(text=str(n)).status_code for n in range(6)] == [200] * 5 + [404]
    late = WebhookClient(slack.new_response_url(dana.id, texts))
    clock.now += 1801
    assert late.send(text="late").body.find("expired_url") > 0


def test_response_url_replaces_its_first_response(slack, dana, texts):
    hook = WebhookClient(slack.new_response_url(dana.id, texts))
    hook.send(text="Looking")
    hook.send(text="Found", replace_original=True)
    person = Person(slack, dana.id)
    assert [(m.text, m.ephemeral_for) for m in person.messages(texts)] == [("Found", dana.id)]
    hook.send(text="", delete_original=True)
    assert person.messages(texts) == []


def test_file_is_uploaded_in_three_steps_and_attached(slack, client, dana):
    dm = slack.app_dm(dana.id).id
    client.files_upload_v2(channel=dm, filename="list.csv", content="a,b\n", initial_comment="Your list")
    message = Person(slack, dana.id).last()
    assert (message.text, message.files[0].name, message.files[0].content) == ("Your list", "list.csv", b"a,b\n")
    answer = refusal(client.files_upload_v2, channel=dana.id, filename="x", content="y")
    assert answer["error"] == "channel_not_found"


def test_socket_mode_requires_another_token(client):
    assert refusal(client.api_call, "apps.connections.open")["error"] == "not_allowed_token_type"


@pytest.mark.parametrize(("applied", "posted"), [(False, 0), (True, 1)])
def test_connection_drops_before_or_after_the_message_was_applied(slack, client, texts, applied, posted):
    slack.faults.inject("chat.postMessage", Fault.DROP, applied=applied)
    with pytest.raises((http.client.RemoteDisconnected, urllib.error.URLError)):
        client.chat_postMessage(channel=texts, text="x")
    assert len(message_store.in_channel(slack, texts)) == posted
    assert client.chat_postMessage(channel=texts, text="x")["ok"]


def test_injected_faults_look_like_slacks(slack, client, texts):
    slack.faults.inject("chat.postMessage", Fault.RATELIMITED, seconds=7)
    limited = refusal(client.chat_postMessage, channel=texts, text="x")
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "7")
    slack.faults.inject("chat.postMessage", Fault.INTERNAL_ERROR)
    assert refusal(client.chat_postMessage, channel=texts, text="x")["error"] == "internal_error"
    slack.faults.inject("chat.postMessage", Fault.HTTP_500)
    assert refusal(client.chat_postMessage, channel=texts, text="x").status_code == 500


def test_requests_are_recorded_without_the_token(slack, client, texts):
    client.chat_postMessage(channel=texts, text="x")
    httpx.post(f"{slack.api_url}users.info", data={"token": slack.bot_token, "user": "U1"})
    assert [(call.method, call.arguments.get("channel")) for call in slack.calls] == [
        ("chat.postMessage", texts),
        ("users.info", None),
    ]
    assert slack.bot_token not in str(slack.calls)
