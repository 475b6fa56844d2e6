"""The JSON API of the page under `/sandbox/slack/`. It shows a user only what that user may see and acts through the same
functions as `people`; it has no login, because this is a sandbox.

Every request names the user at the screen: `as=<user id>` in the query of a GET, `"as"` in the body of a POST.

    GET  people                            {team, me, people: [{id, name, title, avatar_initials, kind}]}
    GET  commands, shortcuts               as in the manifest
    GET  screen                            {version, conversations, home, views (top last), toast}
    GET  messages?channel                  {version, messages}, oldest first; marks them as read
    GET  wait?since                        {version} as soon as it is newer, or after 20 s
    GET  files/<id>                        the bytes of a file, for users who see its message
    POST files?as&name                     the bytes of a file that the user chooses in a dialog: {file}, as in Slack's state
    POST type {channel, text}              a command or a message
    POST press {where, block_id, action_id, value, values?}
    POST suggest {where, block_id, action_id, query}      {options}
    POST enter {where, block_id, action_id, value}        typed, without telling the app
    POST submit {view, values}             {ok} or {errors: {block_id: sentence}}
    POST close {view, all}  open {channel | home: true}  dismiss {ts}  shortcut {callback_id, message?}  invite {channel}

`where` is {"message": {channel, ts}} or {"view": id}. A failure is {"error": Slack's error code, "text": a sentence};
what is no longer on the screen has the error `not_on_screen` and status 409.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.slack import forms, message_store, page_actions, payloads
from bot.sandbox.slack.errors import NotOnScreen, SlackError
from bot.sandbox.slack.models import Channel, ChannelKind, Json, Message, UserKind
from bot.sandbox.slack.workspace import Workspace

_MAX_WAIT_SECONDS = 20.0
_TOAST_SECONDS = 5.0
_PREFIX = "/sandbox/slack"
_CHANNEL_ORDER = (ChannelKind.CHANNEL, ChannelKind.DM, ChannelKind.APP)

Handler = Callable[[Workspace, str, Json], Json]


def routes(slack: Workspace) -> list[Route]:
    """The routes of the API, for the application that serves the page."""

    async def read(request: Request) -> Response:
        name, query = request.path_params["name"], dict(request.query_params)
        return _respond(slack, _READS[name], query) if name in _READS else Response(status_code=404)

    async def act(request: Request) -> Response:
        name, body = request.path_params["name"], await request.json()
        if name not in page_actions.ACTIONS:
            return Response(status_code=404)
        return await run_in_threadpool(_respond, slack, page_actions.ACTIONS[name], body)

    async def wait(request: Request) -> Response:
        since = int(request.query_params.get("since", "-1"))
        end = time.monotonic() + _MAX_WAIT_SECONDS
        # Polled, because changes come from many threads.
        while slack.version <= since and time.monotonic() < end:
            if await request.is_disconnected():
                break
            await asyncio.sleep(0.05)
        return JSONResponse({"version": slack.version})

    async def download(request: Request) -> Response:
        return _file_response(slack, request.query_params.get("as", ""), request.path_params["file"])

    async def upload(request: Request) -> Response:
        query = {name: request.query_params.get(name, "") for name in ("as", "name")}
        content = await request.body()
        return _respond(slack, lambda slack, user, asked: _upload(slack, user, asked["name"], content), query)

    return [
        Route(f"{_PREFIX}/people", lambda _request: JSONResponse(_people(slack))),
        Route(f"{_PREFIX}/commands", lambda _request: JSONResponse(_commands(slack))),
        Route(f"{_PREFIX}/shortcuts", lambda _request: JSONResponse(slack.shortcuts)),
        Route(f"{_PREFIX}/wait", wait),
        Route(f"{_PREFIX}/files/{{file}}", download),
        Route(f"{_PREFIX}/files", upload, methods=["POST"]),
        Route(f"{_PREFIX}/{{name}}", read),
        Route(f"{_PREFIX}/{{name}}", act, methods=["POST"]),
    ]


def _respond(slack: Workspace, handler: Handler, asked: Json) -> Response:
    try:
        return JSONResponse(handler(slack, slack.user(asked.get("as", "")).id, asked))
    except NotOnScreen as error:
        return JSONResponse({"error": "not_on_screen", "text": str(error)}, status_code=409)
    except SlackError as refusal:
        return JSONResponse({"error": refusal.error, "text": str(refusal)}, status_code=404)


def _people(slack: Workspace) -> Json:
    """All people, members first, in the order in which they were added; `me` is the user at the screen by default."""
    order = list(UserKind)
    users = sorted(slack.users.values(), key=lambda user: order.index(user.kind))
    people = [
        {
            "id": user.id,
            "name": user.name,
            "title": user.title,
            "avatar_initials": user.initials,
            "kind": user.kind,
        }
        for user in users
        if not user.deleted
    ]
    first_member = next((user.id for user in users if user.kind is UserKind.MEMBER), None)
    return {"team": {"id": slack.team_id, "name": slack.name}, "me": first_member, "people": people}


def _commands(slack: Workspace) -> list[Json]:
    return [
        {"command": command["command"], **{name: command.get(name, "") for name in ("usage_hint", "description")}}
        for command in slack.commands
    ]


def _screen(slack: Workspace, user: str, _asked: Json) -> Json:
    """Everything around a conversation: conversations, open views, the toast."""
    with slack.lock:
        shown = [channel for channel in slack.channels.values() if user in channel.members and not channel.archived]
        conversations = [_conversation(slack, user, channel) for channel in shown]
        conversations.sort(key=lambda shown: (_CHANNEL_ORDER.index(shown["kind"]), shown["name"]))
        home = slack.homes.get(user)
        return {
            "version": slack.version,
            "conversations": conversations,
            "home": payloads.view_json(slack, slack.views[home]) if home else None,
            "views": [payloads.view_json(slack, slack.views[view_id]) for view_id in slack.modals.get(user, [])],
            "toast": slack.toast(user, within=_TOAST_SECONDS),
        }


def _conversation(slack: Workspace, user: str, channel: Channel) -> Json:
    read_up_to = slack.read_up_to.get((channel.id, user), "")
    return {
        "id": channel.id,
        "name": message_store.channel_title(slack, channel, viewer=user),
        "kind": channel.kind,
        "private": channel.private,
        "shared": channel.shared,
        "member": user in channel.members,
        "has_app": slack.bot_user_id in channel.members,
        "unread": sum(message.ts > read_up_to for message in message_store.visible_to(slack, user, channel.id)),
    }


def _messages(slack: Workspace, user: str, asked: Json) -> Json:
    channel = asked.get("channel", "")
    messages = message_store.visible_to(slack, user, channel)
    if messages and messages[-1].ts > slack.read_up_to.get((channel, user), ""):
        slack.mark_read(channel, user, messages[-1].ts)
    return {"version": slack.version, "messages": [_message(slack, user, message) for message in messages]}


def _message(slack: Workspace, user: str, message: Message) -> Json:
    author = slack.users[message.user]
    url = f"{_PREFIX}/files/{{}}?{urlencode({'as': user})}"
    return {
        "ts": message.ts,
        "user": {"id": author.id, "name": author.name, "initials": author.initials, "bot": author.bot},
        "text": message.text,
        "blocks": message.blocks,
        "state": forms.current_values(slack, user, message),
        "ephemeral": message.ephemeral_for is not None,
        "edited": message.edited,
        "thread_ts": message.thread_ts,
        "files": [{"name": file.name, "size": file.size, "url": url.format(file.id)} for file in message.files],
    }


def _upload(slack: Workspace, user: str, name: str, content: bytes) -> Json:
    if len(content) > forms.MAX_FILE_BYTES:
        raise SlackError("file_upload_size_restricted")
    return {"file": payloads.file_json(slack, slack.add_file(user, name, content))}


_READS: dict[str, Any] = {"screen": _screen, "messages": _messages}


def _file_response(slack: Workspace, user: str, file_id: str) -> Response:
    for channel in list(slack.channels):
        for message in message_store.visible_to(slack, user, channel):
            for file in message.files:
                if file.id == file_id:
                    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}"}
                    return Response(file.content, media_type="application/octet-stream", headers=headers)
    return JSONResponse({"error": "file_not_found"}, status_code=404)
