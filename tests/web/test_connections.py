"""Connections that open and then send little or nothing, over real sockets."""

import logging
import resource
import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from http.client import HTTPResponse

import anyio
import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from bot.sandbox.slack.server import listen
from bot.web import connections, log_limit, server
from bot.web.connections import DeadlineProtocol, Deadlines
from bot.web.responses import measured, read_body

REQUEST = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"


class ImpatientProtocol(DeadlineProtocol):
    deadlines = Deadlines(headers=0.5, body=0.5, response=0.5, idle=60)


class App:
    """Answers at `/`, with the body at `/body`, with much at `/large`, and once `may_answer` is set at `/slow`.

    `finished` is set when an endpoint has read its body, or sent its response.
    """

    def __init__(self):
        self.entered, self.may_answer = threading.Event(), threading.Event()
        self.finished = threading.Event()
        paths = {"/": self.root, "/body": self.body, "/large": self.large, "/slow": self.slow}
        self.starlette = Starlette(
            routes=[Route(path, measured(path, endpoint), methods=["GET", "POST"]) for path, endpoint in paths.items()]
        )

    async def root(self, _request):
        return PlainTextResponse("ok")

    async def body(self, request):
        try:
            return PlainTextResponse(await read_body(request, max_bytes=100))
        finally:
            self.finished.set()

    async def large(self, _request):
        async def parts():
            for _ in range(30):
                yield "x" * 1_000_000
            self.finished.set()

        return StreamingResponse(parts())

    async def slow(self, _request):
        self.entered.set()
        await anyio.to_thread.run_sync(self.may_answer.wait, 20)
        return PlainTextResponse("done")


@contextmanager
def serving(app, *, protocol=DeadlineProtocol, limit=500):
    """Serve with the options of production on a free port, and yield it."""
    config = server.server_config(app.starlette, 0)
    config.http, config.limit_concurrency = protocol, limit
    running = uvicorn.Server(config)
    listener = listen(0)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        app.may_answer.set()
        running.should_exit = True
        thread.join(30)


def connect(port, sent=b""):
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.sendall(sent)
    return client


def status_of_response(client):
    response = HTTPResponse(client)
    response.begin()
    response.read()
    return response.status


def is_closed_by_server(client):
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHos", REQUEST, REQUEST + b"he"])
def test_half_a_request_is_closed_after_its_deadline(sent):
    with serving(App(), protocol=ImpatientProtocol) as port, connect(port, sent) as client:
        assert is_closed_by_server(client)


@pytest.mark.parametrize("start", [b"GET / HTTP/1.1\r\nX: ", REQUEST.replace(b" 5", b" 100000")])
def test_bytes_that_trickle_in_do_not_extend_the_deadline(start):
    with serving(App(), protocol=ImpatientProtocol) as port, connect(port, start) as client:
        assert sent_until_closed(client, most=500) < 500


def sent_until_closed(client, *, most):
    """How many bytes could be sent, one at a time, before the server closed the connection."""
    for count in range(most):
        try:
            client.sendall(b"x")
        except OSError:
            return count
        time.sleep(0.02)
    return most


def test_endpoint_stops_waiting_for_a_body_past_its_deadline():
    app = App()
    with serving(app, protocol=ImpatientProtocol) as port, connect(port, REQUEST):
        assert app.finished.wait(20)


def test_rest_of_a_body_that_was_answered_early_has_a_deadline():
    early = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
    with serving(App(), protocol=ImpatientProtocol) as port, connect(port, early) as client:
        assert status_of_response(client) == 200
        while not is_closed_by_server(client):
            pass


def test_client_that_does_not_read_its_response_is_closed():
    app = App()
    with serving(app, protocol=ImpatientProtocol) as port, connect(port, b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"):
        assert app.finished.wait(20)


def test_slow_endpoint_has_no_deadline():
    app = App()
    with (
        serving(app, protocol=ImpatientProtocol) as port,
        connect(port, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n") as client,
    ):
        assert app.entered.wait(20)
        time.sleep(0.8)
        app.may_answer.set()
        assert status_of_response(client) == 200


def test_idle_connection_serves_the_next_request():
    with serving(App(), protocol=ImpatientProtocol) as port, connect(port) as client:
        for _ in range(2):
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert status_of_response(client) == 200
            time.sleep(0.8)
        client.sendall(b"GET")
        assert is_closed_by_server(client)


def test_longest_waiting_connections_make_room_for_new_requests():
    with serving(App(), limit=10) as port, ExitStack() as stack:
        waiting = [stack.enter_context(connect(port, b"GET /")) for _ in range(30)]
        assert httpx.get(f"http://127.0.0.1:{port}/").text == "ok"
        assert is_closed_by_server(waiting[0])
        waiting[-1].sendall(b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status_of_response(waiting[-1]) == 200


def test_requests_in_progress_are_not_closed_but_further_ones_refused():
    app = App()
    with serving(app, limit=3) as port, ExitStack() as stack:
        busy = [stack.enter_context(connect(port, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")) for _ in range(2)]
        assert app.entered.wait(20)
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 503
        app.may_answer.set()
        assert [status_of_response(client) for client in busy] == [200, 200]


def test_limit_of_connections_leaves_room_for_other_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
        limit = connections.max_connections()
        raised = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert limit == 500
    assert raised > limit + 4 * connections.BACKLOG


def test_same_line_is_logged_once_a_minute():
    log = log_limit.OnceAMinute()
    record = lambda text: logging.LogRecord("asyncio", logging.ERROR, "", 0, text, None, None)  # noqa: E731
    passed = [log.filter(record(text)) for text in ("accept failed\nfd=1", "accept failed\nfd=2", "another")]
    assert passed == [True, False, True]
