"""Calls to another system: what is repeated, and network errors in plain words, each from a real server or none."""

import socket
import ssl
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
import trustme
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from support.errors import refused

from bot.http_calls import HttpCalls, Patience, System
from bot.sandbox.slack.server import serve_app

SYSTEM = System("test", "TEST_URL", "Try again later.")
IMPATIENT = Patience(silence=0.3, answer=0.6, waiting=3, pause=0.01, attempts=3)
LOGIN = "<!DOCTYPE html><title>Portal</title><input type='password'>"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@contextmanager
def answering(*answers):
    """Serve these answers in turn, the last one for ever; yields the address and the times of the requests."""
    times = []

    def answer(request):
        times.append(time.monotonic())
        current = answers[min(len(times), len(answers)) - 1]
        return current if isinstance(current, Response) else current(request)

    with serve_app(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])) as url:
        yield url, times


@contextmanager
def raw_server(*, tls=None, reply=b""):
    """Send `reply` to each connection after its first bytes, and close it."""

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
                with connection if tls is None else tls.wrap_socket(connection, server_side=True) as peer:
                    peer.recv(10_000)
                    peer.sendall(reply)
            except ssl.SSLError:
                continue
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def send(url, method="GET", patience=IMPATIENT, **options):
    with HttpCalls.open(SYSTEM, patience) as calls:
        return calls.send(method, httpx.URL(url), **options)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 520, 522, 524, 529])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_busy_system_is_asked_again(status, method):
    with answering(Response(status_code=status), JSONResponse({})) as (url, times):
        assert send(url, method).status == 200
    assert len(times) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 407, 422])
def test_other_answers_are_final(status):
    with answering(Response(status_code=status)) as (url, times):
        assert send(url).status == status
    assert len(times) == 1


def test_system_that_stays_down_gives_its_last_answer():
    with answering(Response(status_code=503)) as (url, times):
        assert send(url).status == 503
    assert len(times) == 3


def in_two_seconds():
    return format_datetime((datetime.now(UTC) + timedelta(seconds=2)).replace(microsecond=0), usegmt=True)


@pytest.mark.parametrize("after", ["1", "date"])
def test_pause_that_is_asked_for_is_kept(after):
    after = in_two_seconds() if after == "date" else after
    with answering(Response(status_code=429, headers={"retry-after": after}), JSONResponse({})) as (url, times):
        send(url)
    assert times[1] - times[0] > 0.9


@pytest.mark.parametrize("after", ["soon", "-5", "", "Mon, 01 Jan 2024 00:00:00 +99999999999999999999"])
def test_pause_that_is_no_time_is_ignored(after):
    with answering(Response(status_code=429, headers={"retry-after": after}), JSONResponse({})) as (url, times):
        assert send(url).status == 200
    assert times[1] - times[0] < 0.5


def test_too_long_pause_ends_the_task():
    answer = Response(status_code=503, headers={"retry-after": "600"})
    with answering(answer) as (url, _), refused("test.busy") as error:
        send(url)
    assert error.value.permanent is False


def drop(request):
    request.scope["slack.drop_connection"]()
    return Response()


def slow(_request):
    time.sleep(0.5)
    return JSONResponse({})


@pytest.mark.parametrize("fault", [drop, slow])
def test_dropped_and_silent_connections_are_tried_again(fault):
    with answering(fault, JSONResponse({})) as (url, _):
        assert send(url).status == 200


def test_get_follows_redirects_on_its_own_host_with_its_credentials():
    seen = []

    def answer(request):
        seen.append(request.headers.get("authorization"))
        return JSONResponse({"path": request.url.path})

    with answering(RedirectResponse("/new/place"), answer) as (url, _):
        response = send(f"{url}/old", headers={"Authorization": "Bearer a-secret"})
    assert (response.json_object(), seen) == ({"path": "/new/place"}, ["Bearer a-secret"])


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("https://elsewhere.example/api", "test.other_host"),
        ("http://[", "test.other_host"),
        ("/public/login.html?next=%2Fapi", "test.login_page"),
        ("https://login.microsoftonline.com/tenant/saml2", "test.login_page"),
        ("/again", "test.redirects"),
    ],
)
def test_redirects_that_lead_nowhere_are_named(location, code):
    answer = RedirectResponse("/")
    answer.headers["location"] = location
    with answering(answer) as (url, _), refused(code):
        send(f"{url}/again", headers={"Authorization": "Bearer a-secret"})


@pytest.mark.parametrize(
    ("body", "looks_like"),
    [
        (LOGIN, "a login page"),
        ("\ufeff\n<html><body>It works!</body></html>", "a web page"),
        ("<?xml version='1.0'?><users/>", "XML"),
        (" \n", "an empty answer"),
        ("sourcedId,status", "something that is not JSON"),
        ("[" * 100_000, "something that is not JSON"),
        ('{"user": []}', "other data"),
    ],
)
def test_what_is_not_the_expected_json_is_described(body, looks_like):
    with answering(Response(body)) as (url, _):
        assert send(url).looks_like == looks_like


def failure(url, **options):
    with refused("test.unreachable") as error:
        send(url, **options)
    assert error.value.permanent is False
    assert "a-secret" not in error.value.sentence
    return error.value.sentence


def test_unknown_name_is_named():
    assert "name sis.invalid is not known" in failure("https://sis.invalid/")


def test_refused_connection_is_named():
    assert "127.0.0.1 refuses the connection at port 9." in failure("http://127.0.0.1:9/")


def test_untrusted_certificate_is_named_at_once_with_the_reason():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    started = time.monotonic()
    with raw_server(tls=context) as port:
        patience = Patience(silence=1, pause=5, attempts=3)
        sentence = failure(f"https://127.0.0.1:{port}/", patience=patience)
    assert "certificate of 127.0.0.1 is not trusted on this machine: unable to get local issuer" in sentence
    assert time.monotonic() - started < 4


def test_server_without_tls_is_named():
    with raw_server(reply=b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert "does not answer with TLS" in failure(f"https://127.0.0.1:{port}/")


def test_silent_server_is_named():
    with answering(slow) as (url, _):
        assert "takes too long" in failure(url)


def test_answer_that_never_ends_is_named():
    def trickle():
        for _ in range(20):
            time.sleep(0.1)
            yield b" "

    with answering(lambda _request: StreamingResponse(trickle())) as (url, _):
        assert "takes too long" in failure(url)


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"], ids=["none", "half"])
def test_broken_off_answer_is_named(reply):
    with raw_server(reply=reply) as port:
        assert "closes the connection before" in failure(f"http://127.0.0.1:{port}/")


def test_proxy_that_refuses_and_proxy_that_is_gone_are_named(monkeypatch):
    with raw_server(reply=b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n") as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://clerk:a-secret@127.0.0.1:{port}")
        assert "proxy in HTTPS_PROXY does not connect us to sis.example" in failure("https://sis.example/")
    monkeypatch.setenv("HTTPS_PROXY", "http://clerk:a-secret@127.0.0.1:9")
    assert "proxy in HTTPS_PROXY cannot be reached" in failure("https://sis.example/")


def test_header_that_cannot_be_sent_is_not_quoted():
    with answering(JSONResponse({})) as (url, _):
        assert "does not answer (LocalProtocolError)" in failure(url, headers={"Authorization": "Bearer a-secret\n"})
