"""Limits on connections, so that strangers who open many and send little cannot keep a real request out.

uvicorn closes a connection that is idle between two requests, but waits forever for the first request, for the rest of a body,
and for a client that does not read. Its `limit_concurrency` counts such connections too, so a thousand of them would refuse
everyone. Here each has a deadline, and at the limit the connection that has waited longest for its client makes room.
"""

import asyncio
from dataclasses import dataclass

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# Longer than proxies and load balancers keep an idle connection: when we close first, a request that is just arriving is lost.
KEEP_ALIVE_SECONDS = 75
# asyncio accepts up to a backlog of connections in each turn, and a connection is counted and closed a few turns later.
BACKLOG = 128
_MAX_CONNECTIONS, _MIN_CONNECTIONS = 500, 50
_OTHER_FILES = 4 * BACKLOG + 100


@dataclass(frozen=True)
class Deadlines:
    """How many seconds a client has for all headers of a request, for its body, and for reading a response."""

    headers: float = 10
    body: float = 30
    response: float = 30
    idle: float = KEEP_ALIVE_SECONDS


class DeadlineProtocol(H11Protocol):
    """HTTP/1.1 with a deadline for whatever the client owes us. Bytes that trickle in do not extend it."""

    deadlines = Deadlines()
    # What the client owes, since when, and the timer that closes the connection. None while the client waits for us.
    owed: str | None = None
    waiting_since = 0.0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch_client()
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_client()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch_client()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_client()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._watch_client()

    def connection_lost(self, exc: Exception | None) -> None:
        self._set_deadline(None)
        super().connection_lost(exc)

    def _watch_client(self) -> None:
        """Start a deadline when the client begins to owe us something else; keep the one that runs while it owes the same."""
        owed = self._owed_by_client()
        if owed != self.owed:
            self._set_deadline(owed)

    def _owed_by_client(self) -> str | None:
        """Return the name of the deadline that applies."""
        if self.flow.write_paused or self.transport.is_closing():
            return "response"
        if self.conn.their_state is h11.SEND_BODY:
            return "body"
        if self.conn.their_state is not h11.IDLE:
            return None
        has_begun = self.cycle is None or self.conn.trailing_data[0]
        return "headers" if has_begun else "idle"

    def _set_deadline(self, owed: str | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.owed, self._timer, self.waiting_since = owed, None, self.loop.time()
        if owed is not None:
            self._timer = self.loop.call_later(getattr(self.deadlines, owed), self.transport.abort)

    def _make_room(self) -> None:
        """Close the connection whose client has kept us waiting longest. If all others wait for us, uvicorn answers this one 503."""
        others = [other for other in self.connections if isinstance(other, DeadlineProtocol) and other is not self]
        if waiting := [other for other in others if other.owed]:
            longest = min(waiting, key=lambda other: other.waiting_since)
            self.connections.discard(longest)
            longest.transport.abort()


def max_connections() -> int:
    """Return how many connections fit beside our other open files, after raising this process's limit on files if needed."""
    try:
        import resource
    except ImportError:  # Windows has no such limit.
        return _MAX_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_CONNECTIONS + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _MAX_CONNECTIONS
    raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    return max(_MIN_CONNECTIONS, raised - _OTHER_FILES)
