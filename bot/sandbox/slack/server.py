"""The Web API, or any ASGI application, on a port of this machine, in a thread for as long as a `with` block lasts."""

import functools
import socket
import threading
from asyncio import BaseTransport, Transport
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.sandbox.slack.web_api.app import create_app
from bot.sandbox.slack.workspace import Workspace

HOST = "127.0.0.1"


@contextmanager
def serve(slack: Workspace) -> Iterator[str]:
    """Serve the workspace's Web API on loopback and return its address, `http://127.0.0.1:<port>/api/`, for SLACK_API_URL.

    From then on, response and upload URLs of the workspace point there.
    """
    with serve_app(create_app(slack)) as base_url:
        slack.base_url = base_url
        yield f"{base_url}/api/"


@contextmanager
def serve_app(app: ASGIApp) -> Iterator[str]:
    """Serve an ASGI application on a free port of loopback; returns `http://127.0.0.1:<port>`."""
    listener = listen(0)
    with serve_on(listener, app):
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def listen(port: int) -> socket.socket:
    """Listen on a port of loopback, 0 for a free one: clients wait until a server takes over, instead of being refused.

    Raises:
        OSError: the port is in use.
    """
    listener = socket.create_server((HOST, port), backlog=128)
    # asyncio does this only for sockets that it opened itself; without it each response waits 40 ms for an empty packet.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


@contextmanager
def serve_on(listener: socket.socket, app: ASGIApp, *, wait_for_end: bool = False) -> Iterator[None]:
    """Serve in a thread. Open requests end within a second of the block; `wait_for_end` waits for that."""
    config = uvicorn.Config(
        app,
        http=DroppableProtocol,
        ws="none",
        proxy_headers=False,
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    run = functools.partial(server.run, sockets=[listener])
    thread = threading.Thread(target=run, name="sandbox-web", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        if wait_for_end:
            thread.join(timeout=5)


class DroppableProtocol(H11Protocol):
    """Lets the application close the connection without a response, as a failing network does."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app: Any = functools.partial(_with_drop, self.app, transport)


async def _with_drop(app: Any, transport: BaseTransport, scope: Scope, receive: Receive, send: Send) -> None:
    scope["slack.drop_connection"] = transport.close
    await app(scope, receive, send)
    if transport.is_closing():
        # Only `receive` makes the server notice the closed connection; otherwise it would respond with 500.
        await receive()
