"""How Slack writes things down: the JSON of users, conversations, messages and views, and of what people do."""

from typing import Any

from bot.sandbox.slack.things import Channel, ChannelKind, File, Json, Message, User, View
from bot.sandbox.slack.workspace import Workspace

VERIFICATION_TOKEN = "sandbox-verification-token"  # noqa: S105 - Slack's deprecated token; nobody should trust it.


def team(slack: Workspace) -> Json:
    return {"id": slack.team_id, "domain": slack.name.lower().replace(" ", "-")}


def user(slack: Workspace, one: User, *, with_email: bool) -> Json:
    profile = {"real_name": one.name, "display_name": one.handle, "title": one.title, "team": one.team_id}
    return {
        "id": one.id,
        "team_id": one.team_id,
        "name": one.handle,
        "real_name": one.name,
        "deleted": one.deleted,
        "tz": one.tz,
        "profile": {**profile, **({"email": one.email} if with_email and one.email else {})},
        "is_admin": False,
        "is_owner": False,
        "is_restricted": one.guest or one.single_channel_guest,
        "is_ultra_restricted": one.single_channel_guest,
        "is_bot": one.bot,
        "is_app_user": False,
        "updated": int(slack.clock()),
        **_of_organisation(slack, one),
        **({"is_stranger": True} if one.stranger else {}),
    }


def _of_organisation(slack: Workspace, one: User) -> Json:
    if slack.organisation is None or one.team_id != slack.team_id:
        return {}
    return {"enterprise_user": {"id": one.id, "enterprise_id": slack.organisation, "teams": [slack.team_id]}}


def _installed_by(slack: Workspace) -> Json:
    """Who installed the app: this workspace, or the organisation with no workspace named."""
    return {
        "team": None if slack.organisation else team(slack),
        "enterprise": {"id": slack.organisation, "name": slack.name} if slack.organisation else None,
        "is_enterprise_install": slack.organisation is not None,
    }


def acting_user(slack: Workspace, one: User) -> Json:
    """The person of an interaction, as Slack names them there."""
    return {"id": one.id, "username": one.handle, "name": one.handle, "team_id": one.team_id or slack.team_id}


def channel(slack: Workspace, one: Channel) -> Json:
    im = one.kind is not ChannelKind.CHANNEL
    base = {
        "id": one.id,
        "is_im": im,
        "is_mpim": False,
        "is_channel": not im and not one.private,
        "is_group": not im and one.private,
        "is_private": one.private,
        "is_archived": one.archived,
        "is_shared": one.shared,
        "is_ext_shared": one.shared,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "context_team_id": slack.team_id,
    }
    if im:
        other = sorted(one.members - {slack.bot_user_id})
        return {**base, "user": other[0] if other else slack.bot_user_id, "is_open": True}
    return {
        **base,
        "name": one.name,
        "name_normalized": one.name,
        "is_general": False,
        "is_member": slack.bot_user_id in one.members,
        "num_members": len(one.members),
        "topic": {"value": ""},
        "purpose": {"value": ""},
    }


def message(slack: Workspace, one: Message, *, with_metadata: bool = False) -> Json:
    said: Json = {"type": "message", "user": one.user, "ts": one.ts, "text": one.text, "team": slack.team_id}
    if one.by_app:
        said |= {"bot_id": slack.bot_id, "app_id": slack.app_id}
    if one.blocks:
        said["blocks"] = one.blocks
    if one.thread_ts:
        said["thread_ts"] = one.thread_ts
    if one.edited:
        said["edited"] = {"user": one.user, "ts": one.ts}
    if one.files:
        said["files"] = [file(slack, held) for held in one.files]
    if with_metadata and one.metadata:
        said["metadata"] = one.metadata
    return said


def file(slack: Workspace, one: File) -> Json:
    url = f"{slack.base_url}/files/{one.id}/{one.name}"
    return {"id": one.id, "name": one.name, "title": one.title or one.name, "size": one.size, "url_private": url}


def view(slack: Workspace, one: View) -> Json:
    """A view as interactions and `views.*` carry it, with the state that would be submitted."""
    return {
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "clear_on_close": False,
        "notify_on_close": False,
        "close": None,
        "submit": None,
        "title": None,
        **one.body,
        "id": one.id,
        "team_id": slack.team_id,
        "app_id": slack.app_id,
        "app_installed_team_id": slack.team_id,
        "bot_id": slack.bot_id,
        "hash": one.hash,
        "root_view_id": one.root_id,
        "previous_view_id": one.previous_id,
        "state": {"values": one.state},
    }


def interaction(slack: Workspace, kind: str, one: User, **rest: Any) -> Json:
    """What every interaction carries, whatever it is."""
    return {
        "type": kind,
        "user": acting_user(slack, one),
        "api_app_id": slack.app_id,
        "token": VERIFICATION_TOKEN,
        **_installed_by(slack),
        **rest,
    }


def channel_ref(one: Channel) -> Json:
    """A conversation as interactions name it; private ones keep their name to themselves."""
    if one.kind is not ChannelKind.CHANNEL:
        return {"id": one.id, "name": "directmessage"}
    return {"id": one.id, "name": "privategroup" if one.private else one.name}


def event(slack: Workspace, body: Json) -> Json:
    """The Events API envelope."""
    authorization = {
        "enterprise_id": slack.organisation,
        "team_id": None if slack.organisation else slack.team_id,
        "user_id": slack.bot_user_id,
        "is_bot": True,
        "is_enterprise_install": slack.organisation is not None,
    }
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": authorization["team_id"],
        "enterprise_id": slack.organisation,
        "api_app_id": slack.app_id,
        "event": {"event_ts": slack.new_ts(), **body},
        "type": "event_callback",
        "event_id": slack.new_id("Ev"),
        "event_time": int(slack.clock()),
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
    }
