"""HTTP calls to a OneRoster server: tokens, retries with backoff while the server is busy, and no redirect to another host.

Every call may be repeated. Error messages say what to do; they hold no secret and nothing of a response.
"""

import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import Any, Self

import httpx

from bot.errors import UserError

# Bytes of one page, unpacked.
_LARGEST_RESPONSE = 128 * 1024**2
_MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_BUSY = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
_LONGEST_PAUSE = 60.0


@dataclass(frozen=True)
class Patience:
    """Limits in seconds: `silence` without a byte, `answer` for one response, `waiting` in total for a server that is busy or
    down. `pause` comes before the second of `attempts`, and doubles.
    """

    silence: float = 60.0
    answer: float = 600.0
    waiting: float = 900.0
    pause: float = 2.0
    attempts: int = 5


@dataclass(frozen=True)
class Credentials:
    """How to get a token."""

    token_url: str
    client_id: str
    client_secret: str
    scope: str

    def __repr__(self) -> str:
        return f"Credentials({self.token_url})"


class NotFound(UserError):  # noqa: N818 (A problem of the page, not of the program.)
    """Nothing is at this address of the server."""


class Refused(UserError):  # noqa: N818 (As above.)
    """The server lets us in but does not answer this request."""


@dataclass(frozen=True)
class Response:
    status: int
    headers: httpx.Headers
    body: bytes

    def json_object(self) -> dict[str, Any]:
        """Return the object in the body, an empty one if it is anything else."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


class Calls:
    """The calls of one sync to one server."""

    def __init__(self, client: httpx.Client, base: str, credentials: Credentials, patience: Patience) -> None:
        self.base = httpx.URL(base)
        self._client = client
        self._credentials = credentials
        self._patience = patience
        self._waited = 0.0
        self._token = ""
        self._token_ends = 0.0

    @classmethod
    @contextmanager
    def open(cls, base: str, credentials: Credentials, patience: Patience) -> Iterator[Self]:
        timeout = httpx.Timeout(patience.silence, connect=min(patience.silence, 15.0))
        with httpx.Client(timeout=timeout, headers={"Accept": "application/json"}) as client:
            yield cls(client, base, credentials, patience)

    def get(self, url: httpx.URL) -> Response:
        """Return the response at `url`, whose status is 200.

        Raises:
            NotFound: there is nothing.
            Refused: the server cannot give it.
            UserError: the server does not let us in, is down, or is busy for too long.
        """
        response = self._get(url)
        if response.status == HTTPStatus.UNAUTHORIZED:
            # Some servers end a token before its time.
            self._token = ""
            response = self._get(url)
        if response.status != HTTPStatus.OK:
            raise self._refusal(url, response.status)
        return response

    def _get(self, url: httpx.URL) -> Response:
        host = self.base.host
        for _ in range(_MOST_REDIRECTS + 1):
            if not self._token or time.monotonic() >= self._token_ends:
                self._token, seconds = self._request_token()
                self._token_ends = time.monotonic() + seconds - min(60.0, seconds / 10)
            headers = {"Authorization": f"Bearer {self._token}"}
            response = self._retry(partial(self._send, "GET", url, headers=headers))
            if response.status not in _REDIRECTS:
                return response
            target = join_url(url, response.headers.get("location", ""))
            if target is None or not _is_same_host(self.base, target):
                raise UserError(
                    "sis.other_host",
                    f"{host} redirects us to another address, where its token must not go. If the SIS has moved, set "
                    "SIS_ONEROSTER_URL to its new address.",
                )
            url = target
        raise UserError("sis.redirects", f"{host} redirects us again and again. Check SIS_ONEROSTER_URL.")

    def _request_token(self) -> tuple[str, float]:
        """Return a new token and for how many seconds it is valid."""
        credentials = self._credentials
        form = {"grant_type": "client_credentials", "scope": credentials.scope}
        basic = httpx.BasicAuth(credentials.client_id, credentials.client_secret)
        url = httpx.URL(credentials.token_url)
        response = self._retry(partial(self._send, "POST", url, data=form, auth=basic))
        answer = response.json_object()
        token = answer.get("access_token")
        if response.status == HTTPStatus.OK and isinstance(token, str) and token.isascii() and token.isprintable():
            try:
                return token, max(float(answer["expires_in"]), 1.0)
            except (KeyError, TypeError, ValueError, OverflowError):
                return token, 3600.0  # When it ends earlier, the server answers 401.
        raise UserError("sis.no_token", _token_refusal(url, response.status, answer.get("error"), credentials.scope))

    def _retry(self, send: Callable[[], Response]) -> Response:
        """Return the first response of a server that is not busy or down, or the last one."""
        for attempt in range(1, self._patience.attempts + 1):
            is_last = attempt == self._patience.attempts
            pause = min(self._patience.pause * 2 ** (attempt - 1), _LONGEST_PAUSE)
            try:
                response = send()
            except httpx.RequestError as error:
                if is_last or _is_certificate_error(error):
                    raise UserError("sis.unreachable", self._unreachable(error), permanent=False) from None
                self._wait(pause)
                continue
            if response.status not in _BUSY or is_last:
                return response
            self._wait(_retry_after(response.headers.get("retry-after", ""), default=pause))
        raise AssertionError

    def _wait(self, seconds: float) -> None:
        self._waited += seconds
        if self._waited > self._patience.waiting:
            minutes = self._patience.waiting / 60
            raise UserError(
                "sis.busy",
                f"{self.base.host} is busy and asks us to wait more than {minutes:.0f} minutes. Try again later, or set "
                "SYNC_AT to a quieter hour.",
                permanent=False,
            )
        time.sleep(seconds)

    def _send(self, method: str, url: httpx.URL, **options: Any) -> Response:
        deadline = time.monotonic() + self._patience.answer
        body = bytearray()
        with self._client.stream(method, url, **options) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _LARGEST_RESPONSE:
                    raise UserError(
                        "sis.page_too_large",
                        f"{self.base.host} sends more than a page can hold. Check SIS_ONEROSTER_URL.",
                    )
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("", request=response.request)
            return Response(response.status_code, response.headers, bytes(body))

    def _unreachable(self, error: httpx.RequestError) -> str:
        host = self.base.host
        if _is_certificate_error(error):
            return f"The certificate of {host} is not trusted on this machine. Check SIS_ONEROSTER_URL."
        if isinstance(error, httpx.TimeoutException):
            return f"{host} takes too long to answer. Try again later."
        return f"{host} does not answer ({type(error).__name__}). Check SIS_ONEROSTER_URL, or try again later."

    def _refusal(self, url: httpx.URL, status: int) -> UserError:
        endpoint = url.path.rsplit("/", 1)[-1]
        host = self.base.host
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return UserError(
                "sis.forbidden",
                f"{host} does not let us read {endpoint} ({status}). In the SIS, give our client the scope "
                "roster-core.readonly and access to every school.",
            )
        if status == HTTPStatus.NOT_FOUND:
            return NotFound(
                "sis.no_endpoint",
                f"{host} has no {endpoint} (404). Check SIS_ONEROSTER_URL; it ends like /ims/oneroster/v1p1 or "
                "/ims/oneroster/rostering/v1p2.",
            )
        return Refused(
            "sis.refused",
            f"{host} answers {status} when asked for {endpoint}. Try again later, or ask the people who run it.",
        )


def join_url(url: httpx.URL, location: str) -> httpx.URL | None:
    """Return `location` relative to `url`, or None if it is not an address."""
    try:
        return url.join(location) if location else None
    except (httpx.InvalidURL, ValueError):
        return None


def _is_same_host(base: httpx.URL, target: httpx.URL) -> bool:
    """Return whether the target has the same host and port, or is the same host's HTTPS."""
    is_same = (target.scheme, target.host, target.port) == (base.scheme, base.host, base.port)
    return is_same or (target.scheme == "https" and target.host == base.host and target.port is None)


def _is_certificate_error(error: httpx.RequestError) -> bool:
    cause: BaseException | None = error
    while cause and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return cause is not None


def _retry_after(header: str, *, default: float) -> float:
    """Return the seconds of a Retry-After header, which may be a date."""
    if header.isdecimal():
        return float(header)
    try:
        return max((parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds(), 0.0)
    except (TypeError, ValueError, OverflowError):
        return default


def _token_refusal(url: httpx.URL, status: int, error: Any, scope: str) -> str:
    if error == "invalid_scope":
        return f"The SIS does not grant our client the scope {scope}. Grant it in the SIS."
    if error == "invalid_client" or status in {400, 401, 403}:
        return (
            f"The SIS refuses our client ({status}). Check SIS_ONEROSTER_CLIENT_ID and SIS_ONEROSTER_CLIENT_SECRET, and "
            "that the client is active in the SIS."
        )
    if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"{url.host} answers {status} when asked for a token. Try again later, or ask the people who run it."
    address = url.copy_with(query=None)
    return f"No token is given at {address} ({status}). Set SIS_ONEROSTER_TOKEN_URL to where the SIS gives tokens."
