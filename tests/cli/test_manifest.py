"""Every manifest is valid against Slack's schema, and asks for what the app uses and no more."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import SecretStr
from slack_bolt import BoltRequest

from bot import app
from bot.app import build_bolt_app
from bot.cli import manifest
from bot.sandbox.slack.server import serve
from bot.sandbox.slack.workspace import Workspace
from bot.settings import Settings
from bot.slack.shortcuts import OPEN_LIST, WHO_IS_AFFECTED

MANIFEST = manifest.read()
FEATURES, SETTINGS = MANIFEST["features"], MANIFEST["settings"]
SCOPES = MANIFEST["oauth_config"]["scopes"]
# As Slack publishes it: slackapi/manifest-schema, schemas/manifest.schema.2.0.0.json of 21 July 2026 (MIT license).
SCHEMA = json.loads((Path(__file__).parents[1] / "support" / "slack_manifest_schema.json").read_text())
MANIFESTS = {
    "the file": MANIFEST,
    "for a host": yaml.safe_load(manifest.for_host("cleanup.maplewood.org")),
    "for Socket Mode": yaml.safe_load(manifest.for_socket_mode()),
}
# The scopes that Slack requires for each method we call.
REQUIRED_SCOPES = {
    "auth_test": set(),
    "apps_connections_open": set(),
    "views_open": set(),
    "views_push": set(),
    "views_update": set(),
    "views_publish": set(),
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_info": {"channels:read", "groups:read"},
    "conversations_history": {"channels:history", "groups:history", "im:history"},
    "conversations_open": {"im:write"},
    "files_completeUploadExternal": {"files:write"},
    "files_delete": {"files:write"},
    "files_info": {"files:read"},
    "files_getUploadURLExternal": {"files:write"},
    "users_info": {"users:read"},
    "users_lookupByEmail": {"users:read", "users:read.email"},
}

# The same for the events to which we subscribe.
SCOPES_OF_EVENTS = {"app_home_opened": set(), "message.im": {"im:history"}}


@pytest.mark.parametrize("name", MANIFESTS)
def test_every_manifest_is_valid(name):
    errors = jsonschema.Draft7Validator(SCHEMA).iter_errors(MANIFESTS[name])
    assert [error.message for error in errors] == []


def test_the_schema_refuses_an_unknown_feature():
    wrong = {**MANIFEST, "features": {**FEATURES, "rich_previews": {}}}
    assert list(jsonschema.Draft7Validator(SCHEMA).iter_errors(wrong))


def test_slack_accepts_the_name_of_the_bot():
    assert re.fullmatch("[a-z0-9._-]{1,80}", FEATURES["bot_user"]["display_name"])


def test_scopes_are_those_that_our_calls_require():
    sources = "".join(
        path.read_text()
        for path in Path(app.__file__).parent.glob("**/*.py")
        if not {"sandbox", "sis"} & set(path.parts)
    )
    methods = set(re.findall(r"client\.((?:[a-z]+_)+[a-zA-Z0-9]+)\b", sources)) - {"base_url", "wss_uri"}
    assert methods == set(REQUIRED_SCOPES)
    of_events = set().union(*SCOPES_OF_EVENTS.values())
    assert {"commands"}.union(of_events, *REQUIRED_SCOPES.values()) == set(SCOPES["bot"])


def test_scopes_of_events_are_not_optional():
    """Slack sends no event without them, and no error would say so."""
    assert set(SETTINGS["event_subscriptions"]["bot_events"]) == set(SCOPES_OF_EVENTS)
    assert set().union(*SCOPES_OF_EVENTS.values()).isdisjoint(SCOPES["bot_optional"])


def test_people_can_write_to_the_app():
    assert FEATURES["app_home"]["messages_tab_enabled"]
    assert not FEATURES["app_home"]["messages_tab_read_only_enabled"]


def test_every_address_is_the_same_endpoint():
    addresses = {
        *(command["url"] for command in FEATURES["slash_commands"]),
        SETTINGS["event_subscriptions"]["request_url"],
        SETTINGS["interactivity"]["request_url"],
    }
    assert len(addresses) == 1
    assert re.fullmatch("https://[a-z.]+/slack/events", addresses.pop())


def test_optional_scopes_are_scopes_and_none_is_repeated():
    assert set(SCOPES["bot_optional"]) <= set(SCOPES["bot"])
    assert len(set(SCOPES["bot"])) == len(SCOPES["bot"])


def test_no_user_token_is_requested():
    assert "user" not in SCOPES


@pytest.fixture
def dispatch(empty_database):
    """Dispatch a request to the app; return the HTTP status, 404 where no listener matches."""
    slack = Workspace(MANIFEST)
    user = slack.add_user("Pat Lee")
    with serve(slack) as url:
        settings = Settings(_env_file=None, slack_bot_token=SecretStr(slack.bot_token), slack_api_url=url)
        bolt = build_bolt_app(settings, empty_database)
        origin = {"team_id": slack.team_id, "user_id": user.id, "response_url": f"{url}nowhere"}

        def status(body):
            filled = json.loads(json.dumps(body).replace("<user>", user.id)) | origin
            return bolt.dispatch(BoltRequest(body=filled, mode="socket_mode")).status

        yield status


def event(kind):
    kind, _, place = kind.partition(".")
    return {
        "type": "event_callback",
        "event": {"type": kind, "channel_type": place, "user": "<user>", "channel": "D1", "tab": "home"},
    }


def test_app_listens_to_every_command_and_event(dispatch):
    bodies = [{"command": command["command"], "text": "help"} for command in FEATURES["slash_commands"]]
    bodies += [event(kind) for kind in SETTINGS["event_subscriptions"]["bot_events"]]
    assert {dispatch(body) for body in bodies} == {200}


def test_app_handles_every_shortcut():
    """A dispatch would not tell: a shortcut that no one handles is answered, too, as one of an older version."""
    assert {shortcut["callback_id"] for shortcut in FEATURES["shortcuts"]} == {OPEN_LIST, WHO_IS_AFFECTED}


def test_other_commands_and_events_are_not_found(dispatch):
    assert [dispatch({"command": "/other", "text": ""}), dispatch(event("team_join"))] == [404, 404]


def test_manifest_for_a_host_differs_by_the_host_only():
    text = manifest.for_host("cleanup.maplewood.org")
    assert yaml.safe_load(text) == json.loads(
        json.dumps(MANIFEST).replace("cleanup.district.example", "cleanup.maplewood.org")
    )
    assert "district.example" not in text


def test_manifest_for_socket_mode_has_no_address():
    content = yaml.safe_load(manifest.for_socket_mode())
    assert "https://" not in json.dumps(content)
    assert content["settings"].pop("socket_mode_enabled") is True
    assert content["settings"]["interactivity"] == {"is_enabled": True}
    assert content["settings"]["event_subscriptions"] == {"bot_events": SETTINGS["event_subscriptions"]["bot_events"]}
    assert content["oauth_config"] == MANIFEST["oauth_config"]
    assert [command["command"] for command in content["features"]["slash_commands"]] == ["/cleanup"]


def test_the_command_prints_either_manifest(run):
    assert (
        "url: https://cleanup.maplewood.org/slack/events" in run("manifest", "--host", "cleanup.maplewood.org").stdout
    )
    assert "socket_mode_enabled: true" in run("manifest", "--socket").stdout
    for wrong in (
        (),
        ("--socket", "--host", "a.org"),
        ("--host", "https://a.org"),
        ("--host", "a b.org"),
        ("--host", ""),
    ):
        assert run("manifest", *wrong).returncode == 2
