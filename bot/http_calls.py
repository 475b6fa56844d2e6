"""HTTP calls to another system (an SIS, an SMS provider): repeated while it is busy or down, with errors in plain words.

Every call may be repeated. A GET follows redirects on its own host only, because it carries credentials. Error messages hold no
secret and nothing of a body; `httpx` quotes header values in its own, so these are never shown.
"""

import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import Any, Self, TypeVar
from urllib.request import getproxies, proxy_bypass

import httpx

from bot.errors import UserError

_Cause = TypeVar("_Cause", bound=BaseException)
# Bytes of one response, unpacked.
_LARGEST_RESPONSE = 128 * 1024**2
_MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_LONGEST_PAUSE = 60.0
_CONNECT_SECONDS = 15.0
_LOGIN_ADDRESS = re.compile(r"(?<![a-z])(log-?in|sign-?in|sso|saml2?|adfs|cas|idp|authorize)(?![a-z])", re.IGNORECASE)
_LOGIN_PAGE = re.compile(rb"type=[\"']?password|log ?in|sign ?in", re.IGNORECASE)


@dataclass(frozen=True)
class Patience:
    """Limits in seconds: `silence` without a byte, `answer` for one response, `waiting` in total for a system that is busy or
    down. `pause` comes before the second of `attempts`, and doubles.
    """

    silence: float = 60.0
    answer: float = 600.0
    waiting: float = 900.0
    pause: float = 2.0
    attempts: int = 5


@dataclass(frozen=True)
class System:
    """The system that is called, as error messages need it: `code` is the noun of their codes, `setting` holds its address, and
    `if_busy` is the sentence that says what to do where it is busy for too long.
    """

    code: str
    setting: str
    if_busy: str

    def error(self, problem: str, sentence: str, *, permanent: bool = True) -> UserError:
        return UserError(f"{self.code}.{problem}", sentence, permanent=permanent)


@dataclass(frozen=True)
class Response:
    status: int
    headers: httpx.Headers
    body: bytes

    def json_object(self) -> dict[str, Any] | None:
        """Return the object in the body, None if it is anything else."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    @property
    def looks_like(self) -> str:
        """What the body is where a JSON object of a certain shape was expected, such as "a login page"."""
        start = self.body[:1000].lstrip().lower()
        if not start:
            return "an empty answer"
        if b"<html" in start or start.startswith(b"<!doctype html"):
            return "a login page" if _LOGIN_PAGE.search(self.body) else "a web page"
        if start.startswith(b"<"):
            return "XML"
        return "something that is not JSON" if self.json_object() is None else "other data"


class HttpCalls:
    """The calls of one task to one system."""

    def __init__(self, client: httpx.Client, system: System, patience: Patience) -> None:
        self._client = client
        self._system = system
        self._patience = patience
        self._waited = 0.0

    @classmethod
    @contextmanager
    def open(cls, system: System, patience: Patience) -> Iterator[Self]:
        timeout = httpx.Timeout(patience.silence, connect=min(patience.silence, _CONNECT_SECONDS))
        with httpx.Client(timeout=timeout, headers={"Accept": "application/json"}) as client:
            yield cls(client, system, patience)

    def send(self, method: str, url: httpx.URL, **options: Any) -> Response:
        """Return the first response that does not say "busy" or "down", or the last one. `options` are those of httpx.

        Raises:
            UserError: no response came, the system is busy for too long, or it redirects to another host.
        """
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._retry(url, partial(self._send_once, method, url, **options))
            if method != "GET" or response.status not in _REDIRECTS:
                return response
            url = self._redirected(url, response)
        sentence = f"{url.host} redirects us again and again. Check {self._system.setting}."
        raise self._system.error("redirects", sentence)

    def _redirected(self, url: httpx.URL, response: Response) -> httpx.URL:
        target = join_url(url, response.headers.get("location", ""))
        if target and _LOGIN_ADDRESS.search(f"{target.host}{target.path}"):
            raise self._system.error(
                "login_page",
                f"{url.host} sends us to a login page. {self._system.setting} has to be the address of the API, not of the "
                "web site; or our client is not accepted there.",
            )
        if target is None or not is_same_host(url, target):
            raise self._system.error(
                "other_host",
                f"{url.host} redirects us to another address, where our credentials must not go. If the system has moved, set "
                f"{self._system.setting} to its new address.",
            )
        return target

    def _retry(self, url: httpx.URL, send: Callable[[], Response]) -> Response:
        for attempt in range(1, self._patience.attempts + 1):
            is_last = attempt == self._patience.attempts
            pause = min(self._patience.pause * 2 ** (attempt - 1), _LONGEST_PAUSE)
            try:
                response = send()
            except httpx.RequestError as error:
                if is_last or _cause(error, ssl.SSLCertVerificationError):
                    sentence = _describe_failure(url, error, self._system.setting)
                    raise self._system.error("unreachable", sentence, permanent=False) from None
                self._wait(url, pause)
                continue
            if not is_busy(response.status) or is_last:
                return response
            self._wait(url, _retry_after(response.headers.get("retry-after", ""), default=pause))
        raise AssertionError

    def _wait(self, url: httpx.URL, seconds: float) -> None:
        self._waited += seconds
        if self._waited > self._patience.waiting:
            sentence = f"{url.host} is busy and asks us to wait more than {self._patience.waiting / 60:.0f} minutes."
            raise self._system.error("busy", f"{sentence} {self._system.if_busy}", permanent=False)
        time.sleep(seconds)

    def _send_once(self, method: str, url: httpx.URL, **options: Any) -> Response:
        deadline = time.monotonic() + self._patience.answer
        body = bytearray()
        with self._client.stream(method, url, **options) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _LARGEST_RESPONSE:
                    sentence = f"{url.host} sends more than a page can hold. Check {self._system.setting}."
                    raise self._system.error("page_too_large", sentence)
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("", request=response.request)
            return Response(response.status_code, response.headers, bytes(body))


def is_busy(status: int) -> bool:
    """Return whether the same request may succeed later: 408, 429, and 5xx with the 520-529 of content delivery networks."""
    return (
        status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
        or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    )


def join_url(url: httpx.URL, location: str) -> httpx.URL | None:
    """Return `location` relative to `url`, or None if it is not an address."""
    try:
        return url.join(location) if location else None
    except (httpx.InvalidURL, ValueError):
        return None


def is_same_host(url: httpx.URL, target: httpx.URL) -> bool:
    """Return whether the target has the same host and port, or is the same host's HTTPS."""
    is_same = (target.scheme, target.host, target.port) == (url.scheme, url.host, url.port)
    return is_same or (target.scheme == "https" and target.host == url.host and target.port is None)


def _retry_after(header: str, *, default: float) -> float:
    """Return the seconds of a Retry-After header, which may be a date."""
    if header.isdecimal():
        return float(header)
    try:
        return max((parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds(), 0.0)
    except (TypeError, ValueError, OverflowError):
        return default


def _describe_failure(url: httpx.URL, error: httpx.RequestError, setting: str) -> str:  # noqa: PLR0911 (A sentence for each cause.)
    host, proxy = url.host, _proxy_setting(url)
    if isinstance(error, httpx.ProxyError):
        return f"The proxy in {proxy or 'HTTPS_PROXY'} does not connect us to {host}. Allow it there, or add the host to NO_PROXY."
    if isinstance(error, httpx.ConnectError):
        if certificate := _cause(error, ssl.SSLCertVerificationError):
            return (
                f"The certificate of {host} is not trusted on this machine: {certificate.verify_message}. Check {setting}; an "
                "authority of your own is trusted with SSL_CERT_FILE."
            )
        if proxy:
            return f"The proxy in {proxy} cannot be reached. Check {proxy}, or add {host} to NO_PROXY."
        return _describe_connect_error(url, error, setting)
    if isinstance(error, httpx.ConnectTimeout):
        return f"{host} does not accept a connection. A firewall may block it: ask the people who run {host} to allow the address of this machine."
    if isinstance(error, httpx.TimeoutException):
        return f"{host} takes too long to answer. Try again later."
    if isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError):
        return f"{host} closes the connection before its answer is complete. Try again later."
    return f"{host} does not answer ({type(error).__name__}). Check {setting}, or try again later."


def _describe_connect_error(url: httpx.URL, error: httpx.ConnectError, setting: str) -> str:
    host = url.host
    if _cause(error, socket.gaierror):
        return f"The name {host} is not known in the DNS of this machine. Check the spelling in {setting}."
    if _cause(error, ConnectionRefusedError):
        port = url.port or (443 if url.scheme == "https" else 80)
        return f"{host} refuses the connection at port {port}. Check {setting}, and that the server is up."
    if _cause(error, ssl.SSLError):
        return f"{host} does not answer with TLS (https). Check the address and the port in {setting}."
    return f"There is no way from this machine to {host}. Check its network, and {setting}."


def _proxy_setting(url: httpx.URL) -> str | None:
    """Return the environment variable with the proxy for this address, None without one."""
    proxies = getproxies()
    names = [name for name in (url.scheme, "all") if name in proxies]
    return f"{names[0].upper()}_PROXY" if names and not proxy_bypass(url.host) else None


def _cause(error: BaseException, kind: type[_Cause]) -> _Cause | None:
    """Return the error of this kind that led to `error`, or None."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, kind):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None
