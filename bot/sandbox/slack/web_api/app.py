"""The Web API as an ASGI application: `POST /api/{method}` with a bearer token, response URLs, upload URLs, files.

Slack answers with HTTP 200 and `ok`, even if it refuses. The header `x-oauth-scopes` lists the granted scopes.
"""

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.sandbox.slack import message_store
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.faults import Fault, InjectedFault
from bot.sandbox.slack.models import Call, Json
from bot.sandbox.slack.web_api import chat, conversations, views
from bot.sandbox.slack.web_api.arguments import Arguments, Method
from bot.sandbox.slack.workspace import Workspace


def auth_test(slack: Workspace, _arguments: Arguments) -> Json:
    return {
        "url": f"{slack.base_url}/",
        "team": slack.name,
        "team_id": slack.enterprise_id or slack.team_id,
        "enterprise_id": slack.enterprise_id,
        "user": slack.users[slack.bot_user_id].handle,
        "user_id": slack.bot_user_id,
        "bot_id": slack.bot_id,
        "is_enterprise_install": slack.enterprise_id is not None,
    }


def open_socket(_slack: Workspace, _arguments: Arguments) -> Json:
    """Socket Mode needs an app-level token, and this Slack speaks HTTP only."""
    raise SlackError("not_allowed_token_type")


METHODS: Mapping[str, Method] = {
    "api.test": Method(lambda slack, arguments: {"args": arguments.given}),  # noqa: ARG005
    "auth.test": Method(auth_test),
    "apps.connections.open": Method(open_socket),
    **chat.METHODS,
    **views.METHODS,
    **conversations.METHODS,
}


def create_app(slack: Workspace) -> Starlette:
    async def api(request: Request) -> Response:
        name = request.path_params["method"]
        arguments, token = await _read(request)
        return await _respond(slack, name, arguments, lambda: _call(slack, name, arguments, token))

    async def response_url(request: Request) -> Response:
        body, _ = await _read(request)
        hook = request.path_params["hook"]
        return await _respond(slack, "response_url", body, lambda: _use_response_url(slack, hook, body))

    async def upload(request: Request) -> Response:
        content, file_id = await _uploaded_bytes(request), request.path_params["file"]
        return await _respond(slack, "upload", {"file": file_id}, lambda: _receive_upload(slack, file_id, content))

    async def download(request: Request) -> Response:
        file_id = request.path_params["file"]
        may_read = _bearer(request) == slack.bot_token and "files:read" in slack.scopes
        return await _respond(slack, "download", {"file": file_id}, lambda: _file(slack, file_id, may_read=may_read))

    return Starlette(
        routes=[
            Route("/api/{method}", api, methods=["GET", "POST"]),
            Route("/hooks/{hook}", response_url, methods=["POST"]),
            Route("/upload/{file}", upload, methods=["POST"]),
            Route("/files/{file}/{name}", download),
        ]
    )


def _call(slack: Workspace, name: str, given: Json, token: str | None) -> Response:
    arguments = Arguments(given)
    try:
        with slack.lock:
            method = _authorized_method(slack, name, arguments, token)
            body = {"ok": True, **method.call(slack, arguments)}
    except SlackError as refusal:
        body = refusal.body()
    headers = {"x-oauth-scopes": ",".join(slack.scopes), "x-slack-req-id": secrets.token_hex(8)}
    return JSONResponse(body, headers=headers)


def _authorized_method(slack: Workspace, name: str, arguments: Arguments, token: str | None) -> Method:
    if name not in METHODS:
        raise SlackError("unknown_method")
    if not token:
        raise SlackError("not_authed")
    if token != slack.bot_token:
        raise SlackError("invalid_auth")
    needed = METHODS[name].required_scope(slack, arguments)
    if needed and needed not in slack.scopes:
        raise SlackError("missing_scope", needed=needed, provided=",".join(slack.scopes))
    return METHODS[name]


def _use_response_url(slack: Workspace, hook: str, body: Json) -> Response:
    try:
        message_store.respond(slack, hook, body)
    except SlackError as refusal:
        gone = refusal.error in {"invalid_url", "expired_url", "used_url"}
        return JSONResponse(refusal.body(), status_code=404 if gone else 400)
    return PlainTextResponse("ok")


def _receive_upload(slack: Workspace, file_id: str, content: bytes) -> Response:
    try:
        chat.receive_upload(slack, file_id, content)
    except SlackError as refusal:
        return PlainTextResponse(refusal.error, status_code=400)
    return PlainTextResponse(f"OK - {len(content)}")


def _file(slack: Workspace, file_id: str, *, may_read: bool) -> Response:
    """A caller without the right to read files is sent to the page where people sign in, with status 200."""
    if not may_read:
        return HTMLResponse("<!DOCTYPE html><html><body>Sign in to your workspace</body></html>")
    file = slack.files.get(file_id)
    if file is None:
        return PlainTextResponse("not found", status_code=404)
    return Response(file.content, media_type="application/octet-stream")


async def _respond(slack: Workspace, name: str, arguments: Json, carry_out: Callable[[], Response]) -> Response:
    """Record the request, then carry it out, unless a test injected a fault."""
    slack.calls.append(Call(name, arguments, slack.clock()))
    injected = slack.faults.next(name)
    if injected is None:
        return carry_out()
    if injected.fault is Fault.DELAY:
        await asyncio.sleep(injected.seconds)
        return carry_out()
    if injected.fault is Fault.HOLD:
        response = carry_out() if injected.applied else None
        await injected.held.wait()
        return DroppedConnection() if injected.held.is_dropped else response or carry_out()
    if injected.applied:
        carry_out()
    return _failure(injected)


def _failure(injected: InjectedFault) -> Response:
    match injected.fault:
        case Fault.DROP:
            return DroppedConnection()
        case Fault.HTTP_500:
            return PlainTextResponse("Internal Server Error", status_code=500)
        case Fault.HTTP_STATUS:
            return PlainTextResponse("failed", status_code=injected.status)
        case Fault.NOT_JSON:
            return HTMLResponse("<html><body>Please sign in to the network.</body></html>")
        case Fault.RATELIMITED:
            retry_after = str(int(injected.seconds)) if injected.retry_after is None else injected.retry_after
            headers = {"Retry-After": retry_after} if retry_after else {}
            return JSONResponse({"ok": False, "error": "ratelimited"}, status_code=429, headers=headers)
        case _:
            return JSONResponse({"ok": False, "error": injected.error})


class DroppedConnection(Response):
    """No response: the connection is closed. Works where the server can do that (see `server`)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        scope["slack.drop_connection"]()


def _bearer(request: Request) -> str | None:
    return request.headers.get("authorization", "").removeprefix("Bearer ").strip() or None


async def _read(request: Request) -> tuple[Json, str | None]:
    """The arguments from the query, a form or a JSON body, and the token, which is never recorded."""
    body = await request.body()
    arguments: Json = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        arguments |= _json_object(body)
    else:
        arguments |= dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    token = arguments.pop("token", None)
    return arguments, _bearer(request) or token


def _json_object(body: bytes) -> Json:
    try:
        parsed = json.loads(body or b"{}")
    except json.JSONDecodeError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


async def _uploaded_bytes(request: Request) -> bytes:
    """An upload is the bare bytes, or the first file of a multipart form."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return await request.body()
    async with request.form() as form:
        files = [value for value in form.values() if not isinstance(value, str)]
        return await files[0].read() if files else b""
