"""The page's door: what a browser needs to be somebody's Slack, as JSON under `/sandbox/slack/`. It shows a person only
what that person may see, and acts only through the same doors as `people`; there is no login, for it is a sandbox.

Every call says who is at the screen: `as=<user id>` in the query of a GET, `"as"` in the body of a POST.

    GET  people                            {team, me, people: [{id, name, title, avatar_initials, kind}]}
    GET  commands, shortcuts               as the manifest has them
    GET  screen                            {version, conversations, home, views (top last), toast}
    GET  messages?channel                  {version, messages}, oldest first, which reads them
    GET  wait?since                        {version}, when there is a newer one, or after 20 s
    GET  files/<id>                        a file's bytes, for whoever sees its message
    POST type {channel, text}              a command or a message
    POST press {where, block_id, action_id, value, values?}
    POST suggest {where, block_id, action_id, query}      {options}
    POST enter {where, block_id, action_id, value}        typed, without telling the app
    POST submit {view, values}             {ok} or {errors: {block_id: sentence}}
    POST close {view, all}  open {channel | home: true}  dismiss {ts}  shortcut {callback_id, message?}  invite {channel}

`where` is {"message": {channel, ts}} or {"view": id}. What went wrong is {"error": Slack's word, "text": a sentence};
what is no longer on the screen is the error `not_on_screen`, with status 409.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.slack import browser, commands, people
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.outcome import NotOnScreen
from bot.sandbox.slack.things import Json, UserKind
from bot.sandbox.slack.workspace import Workspace

LONGEST_WAIT = 20.0
_PREFIX = "/sandbox/slack"

Act = Callable[[Workspace, str, Json], Json]


def routes(slack: Workspace) -> list[Route]:
    """The routes of the door, to be mounted in whatever application serves the page."""
    readers = {"screen": browser.screen, "messages": browser.messages}
    actors = {
        "type": browser.typed,
        "press": browser.press,
        "suggest": browser.suggest,
        "submit": browser.submit,
        "close": browser.close,
        "open": browser.open_place,
        "dismiss": browser.dismiss,
        "shortcut": browser.shortcut,
        "enter": browser.enter,
        "invite": browser.invite,
    }
    return [
        Route(f"{_PREFIX}/people", _plain(lambda: everybody(slack))),
        Route(f"{_PREFIX}/commands", _plain(lambda: known_commands(slack))),
        Route(f"{_PREFIX}/shortcuts", _plain(lambda: people.shortcuts(slack))),
        Route(f"{_PREFIX}/wait", _wait(slack)),
        Route(f"{_PREFIX}/files/{{file}}", _download(slack)),
        *[Route(f"{_PREFIX}/{name}", _reader(slack, read)) for name, read in readers.items()],
        *[Route(f"{_PREFIX}/{name}", _actor(slack, act), methods=["POST"]) for name, act in actors.items()],
    ]


def everybody(slack: Workspace) -> Json:
    """All people, members first, in the order in which they came; `me` is who sits down when nobody was chosen."""
    order = list(UserKind)
    users = sorted(slack.users.values(), key=lambda user: order.index(user.kind))
    listed = [
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
    first = next((user.id for user in users if user.kind is UserKind.MEMBER), None)
    return {"team": {"id": slack.team_id, "name": slack.name}, "me": first, "people": listed}


def known_commands(slack: Workspace) -> list[Json]:
    return [
        {
            "command": known["command"],
            "usage_hint": known.get("usage_hint", ""),
            "description": known.get("description", ""),
        }
        for known in commands.commands(slack)
    ]


Endpoint = Callable[[Request], Awaitable[Response]]


def _plain(read: Callable[[], Any]) -> Endpoint:
    async def endpoint(request: Request) -> Response:  # noqa: ARG001
        return JSONResponse(read())

    return endpoint


def _reader(slack: Workspace, read: Act) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        asked = dict(request.query_params)
        return _said(lambda: read(slack, slack.user(asked.get("as", "")).id, asked))

    return endpoint


def _actor(slack: Workspace, act: Act) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        asked = await request.json()
        return await run_in_threadpool(_said, lambda: act(slack, slack.user(asked.get("as", "")).id, asked))

    return endpoint


def _said(answer: Callable[[], Json]) -> Response:
    """The answer, or the sentence why there is none; what is no longer on the screen is an answer, too."""
    try:
        return JSONResponse(answer())
    except NotOnScreen as gone:
        return JSONResponse({"error": "not_on_screen", "text": str(gone)}, status_code=409)
    except SlackError as refusal:
        return JSONResponse({"error": refusal.error, "text": str(refusal)}, status_code=404)


def _wait(slack: Workspace) -> Endpoint:
    """Answer when something has changed since `since`, or after a while."""

    async def endpoint(request: Request) -> Response:
        since = int(request.query_params.get("since", "-1"))
        end = time.monotonic() + LONGEST_WAIT
        while not await _over(slack, since, end, request):  # noqa: ASYNC110 - changes come from many threads.
            await asyncio.sleep(0.05)
        return JSONResponse({"version": slack.version})

    return endpoint


async def _over(slack: Workspace, since: int, end: float, request: Request) -> bool:
    return slack.version > since or time.monotonic() > end or await request.is_disconnected()


def _download(slack: Workspace) -> Endpoint:
    """A file, for somebody who sees a message that it hangs on."""

    async def endpoint(request: Request) -> Response:
        user, file_id = request.query_params.get("as", ""), request.path_params["file"]
        for channel in slack.channels.values():
            for file in browser.files_seen(slack, user, channel.id):
                if file.id == file_id:
                    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}"}
                    return Response(file.content, media_type="application/octet-stream", headers=headers)
        return JSONResponse({"error": "file_not_found"}, status_code=404)

    return endpoint
