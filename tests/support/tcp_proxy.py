"""A TCP proxy in front of the tests' PostgreSQL that fails as networks do: open connections go silent, or an answer is lost."""

from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

import anyio
import anyio.abc
import anyio.from_thread
from sqlalchemy.engine import make_url

COMMIT = b"COMMIT\0"


@dataclass
class _Link:
    """One client's connection. A silent one still accepts bytes, and answers TCP's probes."""

    is_silent: bool = False
    is_cut: bool = False


@dataclass
class Proxy:
    url: str
    links: list[_Link] = field(default_factory=list)
    accepts: bool = True
    # The connection of a client that sends this is closed in place of the server's answer.
    lost_answer: bytes | None = None

    def silence_open_connections(self):
        for link in self.links:
            link.is_silent = True

    def silence_everything(self):
        """Behave as if the database's host were gone: new connections get no answer either."""
        self.silence_open_connections()
        self.accepts = False


@contextmanager
def serve_proxy(database_url):
    """Yield a proxy whose `url` is the same database."""
    socket_path = f"{make_url(database_url).query['host']}/.s.PGSQL.5432"
    proxy = Proxy("")
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(_serve(proxy, socket_path)) as port,
    ):
        proxy.url = f"postgresql://postgres@127.0.0.1:{port}/{make_url(database_url).database}"
        yield proxy


@asynccontextmanager
async def _serve(proxy, socket_path):
    async def connect(client):
        link = _Link(is_silent=not proxy.accepts)
        proxy.links.append(link)
        async with client, await anyio.connect_unix(socket_path) as server, anyio.create_task_group() as tasks:
            tasks.start_soon(_forward_requests, proxy, link, client, server)
            tasks.start_soon(_forward_answers, link, server, client)

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, connect)
        yield listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - Django has another `extra`.
        tasks.cancel_scope.cancel()


async def _forward_requests(proxy, link, client, server):
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        async for data in client:
            link.is_cut |= proxy.lost_answer is not None and proxy.lost_answer in data
            if not link.is_silent:
                await server.send(data)
    await server.aclose()


async def _forward_answers(link, server, client):
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        async for data in server:
            if link.is_cut:
                break
            if not link.is_silent:
                await client.send(data)
    await client.aclose()
