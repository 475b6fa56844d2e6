"""The JSON in which Slack writes users, conversations, messages, views, interactions, and events."""

from typing import Any
from urllib.parse import quote

from bot.sandbox.slack.models import Channel, ChannelKind, File, Json, Message, User, View
from bot.sandbox.slack.workspace import Workspace

# Slack's deprecated token, which no app should verify.
VERIFICATION_TOKEN = "sandbox-verification-token"  # noqa: S105 - made up.


def team_json(slack: Workspace) -> Json:
    return {"id": slack.team_id, "domain": slack.name.lower().replace(" ", "-")}


def user_json(slack: Workspace, user: User, *, with_email: bool) -> Json:
    profile = {"real_name": user.name, "display_name": user.handle, "title": user.title, "team": user.team_id}
    in_enterprise = slack.enterprise_id is not None and user.team_id == slack.team_id
    enterprise_user = {"id": user.id, "enterprise_id": slack.enterprise_id, "teams": [slack.team_id]}
    return {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.handle,
        "real_name": user.name,
        "deleted": user.deleted,
        "tz": user.tz,
        "profile": {**profile, **({"email": user.email} if with_email and user.email else {})},
        "is_admin": False,
        "is_owner": False,
        "is_restricted": user.guest or user.single_channel_guest,
        "is_ultra_restricted": user.single_channel_guest,
        "is_bot": user.bot,
        "is_app_user": False,
        "is_email_confirmed": user.email_confirmed,
        "updated": int(slack.clock()),
        **({"enterprise_user": enterprise_user} if in_enterprise else {}),
        **({"is_stranger": True} if user.stranger else {}),
    }


def channel_json(slack: Workspace, channel: Channel) -> Json:
    is_dm = channel.kind is not ChannelKind.CHANNEL
    common = {
        "id": channel.id,
        "is_im": is_dm,
        "is_mpim": False,
        "is_channel": not is_dm and not channel.private,
        "is_group": not is_dm and channel.private,
        "is_private": channel.private,
        "is_archived": channel.archived,
        "is_shared": channel.shared,
        "is_ext_shared": channel.shared,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "context_team_id": slack.team_id,
    }
    if is_dm:
        others = sorted(channel.members - {slack.bot_user_id})
        return {**common, "user": others[0] if others else slack.bot_user_id, "is_open": True}
    return {
        **common,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_general": False,
        "is_member": slack.bot_user_id in channel.members,
        "num_members": len(channel.members),
        "topic": {"value": ""},
        "purpose": {"value": ""},
    }


def channel_ref_json(channel: Channel) -> Json:
    """A conversation in an interaction, which does not name private channels."""
    if channel.kind is not ChannelKind.CHANNEL:
        return {"id": channel.id, "name": "directmessage"}
    return {"id": channel.id, "name": "privategroup" if channel.private else channel.name}


def message_json(slack: Workspace, message: Message, *, with_metadata: bool = False) -> Json:
    payload: Json = {
        "type": "message",
        "user": message.user,
        "ts": message.ts,
        "text": message.text,
        "team": slack.team_id,
    }
    if message.by_app:
        payload |= {"bot_id": slack.bot_id, "app_id": slack.app_id}
    if message.blocks:
        payload["blocks"] = message.blocks
    if message.thread_ts:
        payload["thread_ts"] = message.thread_ts
    if message.edited:
        payload["edited"] = {"user": message.user, "ts": message.ts}
    if message.files:
        payload["files"] = [file_json(slack, attached) for attached in message.files]
    if with_metadata and message.metadata:
        payload["metadata"] = message.metadata
    return payload


def file_json(slack: Workspace, file: File) -> Json:
    url = f"{slack.base_url}/files/{file.id}/{quote(file.name)}"
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title or file.name,
        "filetype": file.name.rpartition(".")[2].lower(),
        "user": file.user or slack.bot_user_id,
        "size": file.size,
        "mode": "hosted",
        "is_external": False,
        "url_private": url,
        "url_private_download": url,
        "permalink": f"{slack.base_url}/permalinks/{file.id}",
    }


def view_json(slack: Workspace, view: View) -> Json:
    """A view in interactions and in responses of `views.*`, with the state that would be submitted."""
    return {
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "clear_on_close": False,
        "notify_on_close": False,
        "close": None,
        "submit": None,
        "title": None,
        **view.body,
        "id": view.id,
        "team_id": slack.team_id,
        "app_id": slack.app_id,
        "app_installed_team_id": slack.team_id,
        "bot_id": slack.bot_id,
        "hash": view.hash,
        "root_view_id": view.root_id,
        "previous_view_id": view.previous_id,
        "state": {"values": view.state},
    }


def interaction_json(slack: Workspace, kind: str, user_id: str, **fields: Any) -> Json:
    """The fields of every interaction, and `fields`. An Enterprise Grid organization names no workspace."""
    user = slack.user(user_id)
    team_id = user.team_id or slack.team_id
    return {
        "type": kind,
        "user": {"id": user.id, "username": user.handle, "name": user.handle, "team_id": team_id},
        "api_app_id": slack.app_id,
        "token": VERIFICATION_TOKEN,
        "team": None if slack.enterprise_id else team_json(slack),
        "enterprise": {"id": slack.enterprise_id, "name": slack.name} if slack.enterprise_id else None,
        "is_enterprise_install": slack.enterprise_id is not None,
        **fields,
    }


def command_json(slack: Workspace, name: str, text: str, *, user_id: str, channel: Channel, response_url: str) -> Json:
    """The form fields of a slash command."""
    user, workspace = slack.user(user_id), team_json(slack)
    installed_by = {"enterprise_id": slack.enterprise_id} if slack.enterprise_id else {"team_id": workspace["id"]}
    return {
        "token": VERIFICATION_TOKEN,
        **installed_by,
        "team_domain": workspace["domain"],
        "channel_id": channel.id,
        "channel_name": channel_ref_json(channel)["name"],
        "user_id": user.id,
        "user_name": user.handle,
        "command": name,
        "text": text,
        "api_app_id": slack.app_id,
        "is_enterprise_install": "true" if slack.enterprise_id else "false",
        "response_url": response_url,
        "trigger_id": slack.new_trigger(user.id),
    }


def event_json(slack: Workspace, body: Json) -> Json:
    """An event in its envelope."""
    authorization = {
        "enterprise_id": slack.enterprise_id,
        "team_id": None if slack.enterprise_id else slack.team_id,
        "user_id": slack.bot_user_id,
        "is_bot": True,
        "is_enterprise_install": slack.enterprise_id is not None,
    }
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": authorization["team_id"],
        "enterprise_id": slack.enterprise_id,
        "api_app_id": slack.app_id,
        "event": {"event_ts": slack.new_ts(), **body},
        "type": "event_callback",
        "event_id": slack.new_id("Ev"),
        "event_time": int(slack.clock()),
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
    }
