"""Requests from Slack to the app: signed, over HTTP or straight into an ASGI application of this process."""

import asyncio
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

import httpx

from bot.sandbox.slack.models import AppResponse, Json, RequestKind
from bot.sandbox.slack.workspace import Workspace

# How long Slack waits for an acknowledgment.
TIMEOUT_SECONDS = 3.0
EVENTS_PATH = "/slack/events"


@dataclass(frozen=True)
class OverHttp:
    """The app at a base URL like `http://127.0.0.1:3000`; Bolt takes all requests at one path."""

    base_url: str

    def __call__(self, headers: Mapping[str, str], body: bytes, /) -> tuple[int, Mapping[str, str], bytes]:
        try:
            url = self.base_url + EVENTS_PATH
            response = httpx.post(url, content=body, headers=dict(headers), timeout=TIMEOUT_SECONDS)
        except httpx.TimeoutException as error:
            raise TimeoutError from error
        except httpx.TransportError as error:
            raise ConnectionError(str(error)) from error
        return response.status_code, response.headers, response.content


class InProcess:
    """An ASGI application of this process, on its own event loop that outlives the requests.

    After the timeout the caller stops waiting while the app continues, as over a network. Use it in a `with`, or close it.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._transport = httpx.ASGITransport(self._until_response, raise_app_exceptions=False)
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Future[None]] = set()
        self._closing = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._loop.run_forever, name="slack-to-app", daemon=True)
        self._thread.start()

    def __call__(self, headers: Mapping[str, str], body: bytes, /) -> tuple[int, Mapping[str, str], bytes]:
        try:
            response = self._start(headers, body).result(timeout=TIMEOUT_SECONDS)
        except CancelledError as error:
            raise ConnectionError("the app was closed meanwhile") from error
        return response.status_code, response.headers, response.content

    def _start(self, headers: Mapping[str, str], body: bytes) -> "Future[httpx.Response]":
        with self._closing:
            if self._is_closed:
                raise ConnectionError("the app is closed")
            return asyncio.run_coroutine_threadsafe(self._post(headers, body), self._loop)

    async def _post(self, headers: Mapping[str, str], body: bytes) -> httpx.Response:
        async with httpx.AsyncClient(transport=self._transport, base_url="http://app.sandbox") as client:
            return await client.post(EVENTS_PATH, content=body, headers=dict(headers))

    async def _until_response(self, scope: Any, receive: Any, send: Any) -> None:
        """Return once the response is complete: as over a network, Slack does not wait for the app's work after it."""
        responded = asyncio.get_running_loop().create_future()

        async def send_and_note(message: Any) -> None:
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                responded.set_result(None)

        task = asyncio.ensure_future(self._app(scope, receive, send_and_note))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait({task, responded}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task

    async def _cancel_tasks(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def close(self) -> None:
        """Cancel running requests; later ones fail with ConnectionError."""
        with self._closing:
            self._is_closed = True
        asyncio.run_coroutine_threadsafe(self._cancel_tasks(), self._loop).result(timeout=TIMEOUT_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=TIMEOUT_SECONDS)
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class Reply:
    """The app's reply to one request. `error` is what Slack shows: None, `operation_timeout` or `dispatch_failed`."""

    status: int = 0
    content_type: str = ""
    body: bytes = b""
    seconds: float = 0.0
    error: str | None = None

    def json(self) -> Json | None:
        """The body as an object: {} when it is empty, None when it is something else."""
        if not self.body.strip():
            return {}
        try:
            parsed = json.loads(self.body)
        except ValueError:
            return None
        return parsed if isinstance(parsed, dict) else None


def send_form(slack: Workspace, kind: RequestKind, fields: Mapping[str, str]) -> Reply:
    return _send(slack, kind, urlencode(fields).encode(), "application/x-www-form-urlencoded")


def send_payload(slack: Workspace, kind: RequestKind, payload: Json) -> Reply:
    """Send an interaction: a form with the one field `payload`."""
    return send_form(slack, kind, {"payload": json.dumps(payload)})


def send_event(slack: Workspace, event: Json) -> Reply:
    return _send(slack, RequestKind.EVENTS, json.dumps(event).encode(), "application/json")


def _send(slack: Workspace, kind: RequestKind, body: bytes, content_type: str) -> Reply:
    needs_interactivity = kind in {RequestKind.INTERACTIVITY, RequestKind.OPTIONS}
    if slack.transport is None or (needs_interactivity and not slack.is_interactive):
        reply = Reply(error="dispatch_failed")
    else:
        started = time.monotonic()
        try:
            status, headers, content = slack.transport(signed_headers(slack, body, content_type), body)
        except TimeoutError:
            reply = Reply(seconds=time.monotonic() - started, error="operation_timeout")
        except OSError:
            reply = Reply(seconds=time.monotonic() - started, error="dispatch_failed")
        else:
            seconds = time.monotonic() - started
            late = "operation_timeout" if seconds > TIMEOUT_SECONDS else None
            refused = None if 200 <= status < 300 else "dispatch_failed"  # noqa: PLR2004
            reply = Reply(status, headers.get("content-type", ""), content, seconds, late or refused)
    slack.responses.append(AppResponse(kind, reply.status, reply.body.decode(errors="replace")))
    return reply


def signed_headers(slack: Workspace, body: bytes, content_type: str) -> dict[str, str]:
    """The headers of a request from Slack; the signature covers the time and the raw body."""
    # The time is the machine's, not the workspace's clock, which a test may have moved: the app verifies by its own.
    timestamp = str(int(time.time()))
    signed = b"v0:" + timestamp.encode() + b":" + body
    digest = hmac.new(slack.signing_secret.encode(), signed, hashlib.sha256).hexdigest()
    return {
        "Content-Type": content_type,
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": f"v0={digest}",
    }
