"""How Slack reaches the app: signed requests over HTTP, or straight into an ASGI application in this process."""

import asyncio
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, Self
from urllib.parse import urlencode

import httpx

from bot.sandbox.slack.things import Answer, Json
from bot.sandbox.slack.workspace import Workspace

PATIENCE = 3.0
"""Seconds that Slack waits for an acknowledgement."""


class PathKind(StrEnum):
    """Which of the manifest's request URLs a request goes to."""

    COMMAND = "command"
    INTERACTIVITY = "interactivity"
    OPTIONS = "options"
    EVENTS = "events"


class Deliver(Protocol):
    def __call__(
        self, kind: PathKind, headers: Mapping[str, str], body: bytes, /
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send one request to the app and give its status, headers and body.

        Raises:
            TimeoutError: when the app took longer than PATIENCE.
            OSError: when the app cannot be reached.
        """


@dataclass(frozen=True)
class OverHttp:
    """The app at a base URL, like `http://127.0.0.1:3000`; all requests go to one path, as Bolt has it."""

    base_url: str
    path: str = "/slack/events"

    def __call__(
        self, _kind: PathKind, headers: Mapping[str, str], body: bytes, /
    ) -> tuple[int, Mapping[str, str], bytes]:
        try:
            answer = httpx.post(self.base_url + self.path, content=body, headers=dict(headers), timeout=PATIENCE)
        except httpx.TimeoutException as late:
            raise TimeoutError from late
        except httpx.TransportError as unreachable:
            raise ConnectionError(str(unreachable)) from unreachable
        return answer.status_code, answer.headers, answer.content


class InProcess:
    """An ASGI application in this process, run on an event loop of its own that outlives the requests.

    A late answer is given up on, while the app goes on with it, as over a network. Close it, or use it in a `with`.
    """

    def __init__(self, app: Any, *, path: str = "/slack/events") -> None:
        self._path = path
        self._app = app
        self._transport = httpx.ASGITransport(self._until_answered, raise_app_exceptions=False)
        self._loop = asyncio.new_event_loop()
        self._under_way: set[asyncio.Future[None]] = set()
        self._closing = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._loop.run_forever, name="slack-to-app", daemon=True)
        self._thread.start()

    def __call__(
        self, _kind: PathKind, headers: Mapping[str, str], body: bytes, /
    ) -> tuple[int, Mapping[str, str], bytes]:
        try:
            answer = self._begin(headers, body).result(timeout=PATIENCE)
        except CancelledError as given_up:
            raise ConnectionError("the app was closed meanwhile") from given_up
        return answer.status_code, answer.headers, answer.content

    def _begin(self, headers: Mapping[str, str], body: bytes) -> "Future[httpx.Response]":
        with self._closing:
            if self._is_closed:
                raise ConnectionError("the app is closed")
            return asyncio.run_coroutine_threadsafe(self._post(headers, body), self._loop)

    async def _post(self, headers: Mapping[str, str], body: bytes) -> httpx.Response:
        async with httpx.AsyncClient(transport=self._transport, base_url="http://app.sandbox") as client:
            return await client.post(self._path, content=body, headers=dict(headers))

    async def _until_answered(self, scope: Any, receive: Any, send: Any) -> None:
        """As over a network: what the app does after its answer, Slack does not wait for."""
        answered = asyncio.get_running_loop().create_future()

        async def sent(message: Any) -> None:
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                answered.set_result(None)

        work = asyncio.ensure_future(self._app(scope, receive, sent))
        self._under_way.add(work)
        work.add_done_callback(self._under_way.discard)
        await asyncio.wait({work, answered}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            await work

    async def _give_up(self) -> None:
        under_way = asyncio.all_tasks() - {asyncio.current_task()}
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def close(self) -> None:
        """Give up on what is under way; requests that come later find nobody."""
        with self._closing:
            self._is_closed = True
        asyncio.run_coroutine_threadsafe(self._give_up(), self._loop).result(timeout=PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=PATIENCE)
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class Reply:
    """What came back of a delivery. `error` is what Slack shows the person: None, `operation_timeout`, `dispatch_failed`."""

    status: int
    content_type: str
    body: bytes
    seconds: float
    error: str | None = None

    def json(self) -> Json | None:
        """The body as an object: {} when there is none, None when it is something else."""
        if not self.body.strip():
            return {}
        try:
            parsed = json.loads(self.body)
        except ValueError:
            return None
        return parsed if isinstance(parsed, dict) else None


def signed(slack: Workspace, body: bytes, content_type: str) -> dict[str, str]:
    """The headers of a request from Slack; the signature covers the time and the raw body."""
    # The time is this machine's, not the workspace's clock, which a test may have moved: the app verifies by its own.
    stamp = str(int(time.time()))
    basis = b"v0:" + stamp.encode() + b":" + body
    digest = hmac.new(slack.signing_secret.encode(), basis, hashlib.sha256).hexdigest()
    return {
        "Content-Type": content_type,
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
    }


def send_form(slack: Workspace, kind: PathKind, fields: Mapping[str, str]) -> Reply:
    return send(slack, kind, urlencode(fields).encode(), "application/x-www-form-urlencoded")


def send_payload(slack: Workspace, kind: PathKind, payload: Json) -> Reply:
    """Interactions travel as a form with the one field `payload`."""
    return send_form(slack, kind, {"payload": json.dumps(payload)})


def send_event(slack: Workspace, event: Json) -> Reply:
    return send(slack, PathKind.EVENTS, json.dumps(event).encode(), "application/json")


def send(slack: Workspace, kind: PathKind, body: bytes, content_type: str) -> Reply:
    """Deliver a signed request and wait as long as Slack waits."""
    started = time.monotonic()
    reply = _attempt(slack, kind, body, content_type, started)
    slack.answers.append(Answer(kind, reply.status, reply.body.decode(errors="replace")))
    return reply


def _attempt(slack: Workspace, kind: PathKind, body: bytes, content_type: str, started: float) -> Reply:
    if slack.deliver is None or (kind in {PathKind.INTERACTIVITY, PathKind.OPTIONS} and not slack.is_interactive):
        return Reply(0, "", b"", 0.0, "dispatch_failed")
    try:
        status, headers, content = slack.deliver(kind, signed(slack, body, content_type), body)
    except TimeoutError:
        return Reply(0, "", b"", time.monotonic() - started, "operation_timeout")
    except OSError:
        return Reply(0, "", b"", time.monotonic() - started, "dispatch_failed")
    seconds = time.monotonic() - started
    late = "operation_timeout" if seconds > PATIENCE else None
    refused = None if 200 <= status < 300 else "dispatch_failed"  # noqa: PLR2004
    return Reply(status, headers.get("content-type", ""), content, seconds, late or refused)
