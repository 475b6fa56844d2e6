"""The Web API on a port of this machine, in a thread, for as long as a `with` block lasts."""

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

from bot.sandbox.slack import web_api
from bot.sandbox.slack.workspace import Workspace


@contextmanager
def serve(slack: Workspace, port: int = 0) -> Iterator[str]:
    """Serve the workspace's Web API on loopback and give its address, `http://127.0.0.1:<port>/api/`, for SLACK_API_URL.

    `port` 0 takes a free one. Response and upload URLs of the workspace point here from now on.
    """
    with running(web_api.app(slack), port) as base_url:
        slack.base_url = base_url
        yield f"{base_url}/api/"


@contextmanager
def running(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Run an ASGI application on loopback in a thread; gives `http://127.0.0.1:<port>`."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        http=CanHangUp,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    listening = config.bind_socket()
    # asyncio does this only for sockets that it opened itself; without it each answer waits 40 ms for an empty packet.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # From here on callers are kept waiting, not refused, while the server starts.
    listening.listen()
    run = functools.partial(server.run, sockets=[listening])
    threading.Thread(target=run, name="little-slack", daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        # Open requests are finished within a second; a test need not wait for that.
        server.should_exit = True


class CanHangUp(H11Protocol):
    """Lets the application close the connection without an answer, as a network does on a bad day."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app: Any = functools.partial(_with_line, self.app, transport)


async def _with_line(app: Any, transport: BaseTransport, scope: Scope, receive: Receive, send: Send) -> None:
    scope["slack.hang_up"] = transport.close
    await app(scope, receive, send)
    if transport.is_closing():
        # The server takes note of a closed line only when it is told; else it would answer 500 in its place.
        await receive()
