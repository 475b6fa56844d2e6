"""The Web API door: `POST /api/{method}` with a bearer token, response URLs, upload URLs, files.

Answers are HTTP 200 with `ok`, also when the answer is no. `x-oauth-scopes` names the granted scopes.
"""

import asyncio
import json
import secrets
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.sandbox.slack import posting
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.faults import Fault, Order
from bot.sandbox.slack.methods import METHODS
from bot.sandbox.slack.methods.arguments import Arguments, Method
from bot.sandbox.slack.methods.files import receive
from bot.sandbox.slack.things import Call, Json
from bot.sandbox.slack.workspace import Workspace

RESPONSE_URL = "response_url"


class HungUp(Response):
    """No answer at all: the line goes dead. Works where the server can close the connection (see `serving`)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        scope["slack.hang_up"]()


def app(slack: Workspace) -> Starlette:
    """The Web API of a workspace as an ASGI application."""
    return Starlette(routes=routes(slack))


def routes(slack: Workspace) -> list[Route]:
    async def api(request: Request) -> Response:
        name = request.path_params["method"]
        arguments, token = await _read(request)
        return await _answer(slack, name, arguments, lambda: call(slack, name, arguments, token))

    async def response_url(request: Request) -> Response:
        arguments, _ = await _read(request)
        hook = request.path_params["hook"]
        return await _answer(slack, RESPONSE_URL, arguments, lambda: _respond(slack, hook, arguments))

    async def upload(request: Request) -> Response:
        content = await _uploaded(request)
        try:
            receive(slack, request.path_params["file"], content)
        except SlackError as refusal:
            return PlainTextResponse(refusal.error, status_code=400)
        return PlainTextResponse(f"OK - {len(content)}")

    async def download(request: Request) -> Response:
        file = slack.files.get(request.path_params["file"])
        if file is None or _bearer(request) != slack.bot_token:
            return PlainTextResponse("not found", status_code=404)
        return Response(file.content, media_type="application/octet-stream")

    return [
        Route("/api/{method}", api, methods=["GET", "POST"]),
        Route("/hooks/{hook}", response_url, methods=["POST"]),
        Route("/upload/{file}", upload, methods=["POST"]),
        Route("/files/{file}/{name}", download),
    ]


def call(slack: Workspace, name: str, given: Json, token: str | None) -> Response:
    """Do what a method does, if the token may."""
    method = METHODS.get(name)
    try:
        with slack.lock:
            body = {"ok": True, **_allowed(slack, method, Arguments(given), token).do(slack, Arguments(given))}
    except SlackError as refusal:
        body = refusal.body()
    return JSONResponse(
        body, headers={"x-oauth-scopes": ",".join(slack.scopes), "x-slack-req-id": secrets.token_hex(8)}
    )


def _allowed(slack: Workspace, method: Method | None, arguments: Arguments, token: str | None) -> Method:
    if method is None:
        raise SlackError("unknown_method")
    if not token:
        raise SlackError("not_authed")
    if token != slack.bot_token:
        raise SlackError("invalid_auth")
    needed = method.needs(slack, arguments)
    if needed and needed not in slack.scopes:
        raise SlackError("missing_scope", needed=needed, provided=",".join(slack.scopes))
    return method


def _respond(slack: Workspace, hook: str, body: Json) -> Response:
    try:
        posting.response(slack, hook, body)
    except SlackError as refusal:
        gone = refusal.error in {"invalid_url", "expired_url", "used_url"}
        return JSONResponse(refusal.body(), status_code=404 if gone else 400)
    return PlainTextResponse("ok")


async def _answer(slack: Workspace, name: str, arguments: Json, act: Any) -> Response:
    """Record the request, then answer it, well or as badly as a test ordered."""
    slack.calls.append(Call(name, arguments, slack.clock()))
    order = slack.faults.next(name)
    if order is None:
        return _response(act)
    if order.fault is Fault.DELAY:
        await asyncio.sleep(order.seconds)
        return _response(act)
    if order.fault is Fault.HOLD:
        return await _held(order, act)
    if order.taken:
        _response(act)
    return _spoiled(order)


async def _held(order: Order, act: Any) -> Response:
    answer = _response(act) if order.taken else None
    await order.held.wait()
    return HungUp() if order.held.is_cut else answer or _response(act)


def _response(act: Any) -> Response:
    answer: Response = act()
    return answer


def _spoiled(order: Order) -> Response:
    match order.fault:
        case Fault.DROP:
            return HungUp()
        case Fault.HTTP_500:
            return PlainTextResponse("Internal Server Error", status_code=500)
        case Fault.RATELIMITED:
            headers = {"Retry-After": str(int(order.seconds))}
            return JSONResponse({"ok": False, "error": "ratelimited"}, status_code=429, headers=headers)
        case _:
            return JSONResponse({"ok": False, "error": "internal_error"})


def _bearer(request: Request) -> str | None:
    return request.headers.get("authorization", "").removeprefix("Bearer ").strip() or None


async def _read(request: Request) -> tuple[Json, str | None]:
    """The arguments of a call, from the query, a form or a JSON body, and the token; the token is never recorded."""
    body = await request.body()
    given: Json = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        given |= _object(body)
    else:
        given |= dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    token = given.pop("token", None)
    return given, _bearer(request) or token


def _object(body: bytes) -> Json:
    try:
        parsed = json.loads(body or b"{}")
    except json.JSONDecodeError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


async def _uploaded(request: Request) -> bytes:
    """An upload comes as the bare bytes, or as the first file of a multipart form."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return await request.body()
    async with request.form() as form:
        files = [value for value in form.values() if not isinstance(value, str)]
        return await files[0].read() if files else b""
