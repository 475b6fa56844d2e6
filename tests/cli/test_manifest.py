"""The manifests valid against Slack's published schema, and equal to what the app does."""

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
from bot.sandbox.slack.serving import serve
from bot.sandbox.slack.workspace import Workspace
from bot.settings import Settings

MANIFEST = manifest.read()
FEATURES, SETTINGS = MANIFEST["features"], MANIFEST["settings"]
SCOPES = MANIFEST["oauth_config"]["scopes"]
SCHEMA = json.loads((Path(__file__).parents[1] / "support" / "slack_manifest_schema.json").read_text())
"""As Slack publishes it: slackapi/manifest-schema, schemas/manifest.schema.2.0.0.json of 21 July 2026 (MIT licence)."""
MADE = {
    "the file": MANIFEST,
    "for a host": yaml.safe_load(manifest.for_host("cleanup.maplewood.org")),
    "for Socket Mode": yaml.safe_load(manifest.for_socket_mode()),
}
NEEDS = {
    "auth_test": set(),
    "apps_connections_open": set(),
    "views_open": set(),
    "views_push": set(),
    "views_update": set(),
    "views_publish": set(),
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_info": {"channels:read", "groups:read"},
    "conversations_history": {"channels:history", "groups:history"},
    "conversations_open": {"im:write"},
    "files_upload_v2": {"files:write"},
    "users_info": {"users:read"},
    "users_lookupByEmail": {"users:read", "users:read.email"},
}
"""Which scopes Slack wants for each method that we call."""


@pytest.mark.parametrize("made", MADE)
def test_every_manifest_is_valid_against_the_schema_that_slack_publishes(made):
    assert [one.message for one in jsonschema.Draft7Validator(SCHEMA).iter_errors(MADE[made])] == []


def test_the_schema_refuses_what_slack_does_not_know():
    wrong = {**MANIFEST, "features": {**FEATURES, "rich_previews": {}}}
    assert list(jsonschema.Draft7Validator(SCHEMA).iter_errors(wrong))


def test_the_name_of_the_bot_is_one_that_slack_takes():
    assert re.fullmatch("[a-z0-9._-]{1,80}", FEATURES["bot_user"]["display_name"])


def test_the_scopes_are_those_that_our_calls_need_and_no_more():
    sources = "".join(
        path.read_text() for path in Path(app.__file__).parent.glob("**/*.py") if "sandbox" not in path.parts
    )
    methods = set(re.findall(r"client\.((?:[a-z]+_)+[a-zA-Z0-9]+)\b", sources)) - {"base_url", "wss_uri"}
    assert methods == set(NEEDS)
    assert {"commands"}.union(*NEEDS.values()) == set(SCOPES["bot"])


def test_every_address_is_one_door_on_one_host():
    addresses = {
        *(command["url"] for command in FEATURES["slash_commands"]),
        SETTINGS["event_subscriptions"]["request_url"],
        SETTINGS["interactivity"]["request_url"],
    }
    assert len(addresses) == 1
    assert re.fullmatch("https://[a-z.]+/slack/events", addresses.pop())


def test_an_optional_scope_is_also_a_scope_and_none_is_asked_twice():
    assert set(SCOPES["bot_optional"]) <= set(SCOPES["bot"])
    assert len(set(SCOPES["bot"])) == len(SCOPES["bot"])


def test_no_token_of_a_person_is_asked_for():
    assert "user" not in SCOPES


@pytest.fixture
def dispatched(empty_database):
    """What the app answers to a request, by its HTTP status; Bolt says 404 to what it has no listener for."""
    slack = Workspace(MANIFEST)
    someone = slack.add_user("Somebody")
    with serve(slack) as url:
        settings = Settings(_env_file=None, slack_bot_token=SecretStr(slack.bot_token), slack_api_url=url)
        bolt = build_bolt_app(settings, empty_database)
        ours = {"team_id": slack.team_id, "user_id": someone.id, "response_url": f"{url}nowhere"}

        def dispatch(body):
            filled = json.loads(json.dumps(body).replace("<user>", someone.id)) | ours
            return bolt.dispatch(BoltRequest(body=filled, mode="socket_mode")).status

        yield dispatch


def event(kind):
    return {"type": "event_callback", "event": {"type": kind, "user": "<user>", "channel": "D1", "tab": "home"}}


def test_the_app_listens_to_every_command_and_event_of_the_manifest(dispatched):
    bodies = [{"command": command["command"], "text": "help"} for command in FEATURES["slash_commands"]]
    bodies += [event(kind) for kind in SETTINGS["event_subscriptions"]["bot_events"]]
    assert {dispatched(body) for body in bodies} == {200}


def test_the_app_listens_to_every_shortcut_of_the_manifest(dispatched):
    kinds = {"global": "shortcut", "message": "message_action"}
    for one in FEATURES["shortcuts"]:
        body = {
            "type": kinds[one["type"]],
            "callback_id": one["callback_id"],
            "trigger_id": "1.2",
            "user": {"id": "<user>"},
        }
        assert dispatched(body) == 200
    assert dispatched({"type": "shortcut", "callback_id": "list.closed", "user": {"id": "<user>"}}) == 404


def test_a_command_or_an_event_beside_the_manifest_is_not_found(dispatched):
    assert [dispatched({"command": "/other", "text": ""}), dispatched(event("team_join"))] == [404, 404]


def test_the_manifest_for_a_host_is_the_file_with_that_host_alone():
    made = manifest.for_host("cleanup.maplewood.org")
    assert yaml.safe_load(made) == json.loads(
        json.dumps(MANIFEST).replace("cleanup.district.example", "cleanup.maplewood.org")
    )
    assert "district.example" not in made


def test_the_manifest_for_socket_mode_has_no_address_and_all_else():
    made = yaml.safe_load(manifest.for_socket_mode())
    assert "https://" not in json.dumps(made)
    assert made["settings"].pop("socket_mode_enabled") is True
    assert made["settings"]["interactivity"] == {"is_enabled": True}
    assert made["settings"]["event_subscriptions"] == {"bot_events": SETTINGS["event_subscriptions"]["bot_events"]}
    assert made["oauth_config"] == MANIFEST["oauth_config"]
    assert [one["command"] for one in made["features"]["slash_commands"]] == ["/cleanup"]
