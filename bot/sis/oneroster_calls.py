"""Asking a OneRoster server: one token until it ends, patience while the server is busy, and no step to another host.

A GET may be repeated. What is raised says what to do; it holds no secret and nothing of an answer.
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

LONGEST_ANSWER = 128 * 1024**2
"""Bytes of one page, unpacked."""
_MOST_REDIRECTS = 3
_BUSY = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
_MOVED = (301, 302, 303, 307, 308)
_LONGEST_PAUSE = 60.0


@dataclass(frozen=True)
class Patience:
    """Seconds: `silence` is how long a server may say nothing, `answer` how long one answer may take, `waiting` how long a
    sync waits altogether because the server is busy or gone; `pause` comes before the second of `attempts` and doubles.
    """

    silence: float = 60.0
    answer: float = 600.0
    waiting: float = 900.0
    pause: float = 2.0
    attempts: int = 5


PATIENT = Patience()


@dataclass(frozen=True)
class Access:
    """How to get a token: a client of the SIS, its secret, and where it is given."""

    token_url: str
    client_id: str
    client_secret: str
    scope: str

    def __repr__(self) -> str:
        return f"Access({self.token_url})"


class NotThere(UserError):  # noqa: N818 (It says what is wrong with the page.)
    """The server knows nothing at this address."""


class Refused(UserError):  # noqa: N818 (It says what the server did.)
    """The server does not answer what we ask, though it lets us in."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: httpx.Headers
    body: bytes

    def json(self) -> Any:
        """Raises:
        ValueError: it is something else.
        """
        try:
            return json.loads(self.body)
        except RecursionError as deep:
            raise ValueError from deep


class Calls:
    """The calls of one sync to one server."""

    def __init__(self, client: httpx.Client, base: str, access: Access, patience: Patience) -> None:
        self.base = httpx.URL(base)
        self._client = client
        self._access = access
        self._patience = patience
        self._waited = 0.0
        self._token = ""
        self._token_ends = 0.0

    @classmethod
    @contextmanager
    def opened(cls, base: str, access: Access, patience: Patience) -> Iterator[Self]:
        timeout = httpx.Timeout(patience.silence, connect=min(patience.silence, 15.0))
        with httpx.Client(timeout=timeout, headers={"Accept": "application/json"}) as client:
            yield cls(client, base, access, patience)

    def get(self, url: httpx.URL) -> Answer:
        """What is at `url`.

        Raises:
            NotThere: nothing is.
            Refused: there is something, and the server cannot give it.
            UserError: the server does not let us in, is gone, or is busy for too long.
        """
        answer = self._authorised(url)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            # Some servers end a token before its time.
            self._token = ""
            answer = self._authorised(url)
        if answer.status != HTTPStatus.OK:
            raise self._refusal(url, answer.status)
        return answer

    def _authorised(self, url: httpx.URL) -> Answer:
        for _ in range(_MOST_REDIRECTS + 1):
            headers = {"Authorization": f"Bearer {self._good_token()}"}
            answer = self._patiently(partial(self._send, "GET", url, headers=headers))
            if answer.status not in _MOVED:
                return answer
            url = self._moved(url, answer.headers.get("location", ""))
        raise UserError("sis.redirects", f"{self.base.host} sends us on and on. Check SIS_ONEROSTER_URL.")

    def _moved(self, url: httpx.URL, location: str) -> httpx.URL:
        """Where a redirect leads, if that is the same host: the token is for no other."""
        there = joined(url, location)
        if there is None or not _is_same_place(self.base, there):
            raise UserError(
                "sis.elsewhere",
                (
                    f"{self.base.host} sends us on to another address, where its token must not go. If the SIS has "
                    "moved, set SIS_ONEROSTER_URL to its new address."
                ),
            )
        return there

    def _good_token(self) -> str:
        if not self._token or time.monotonic() >= self._token_ends:
            self._token, seconds = self._new_token()
            self._token_ends = time.monotonic() + seconds - min(60.0, seconds / 10)
        return self._token

    def _new_token(self) -> tuple[str, float]:
        """A token and how many seconds it is good for."""
        access = self._access
        form = {"grant_type": "client_credentials", "scope": access.scope}
        basic = httpx.BasicAuth(access.client_id, access.client_secret)
        url = httpx.URL(access.token_url)
        answer = self._patiently(partial(self._send, "POST", url, data=form, auth=basic))
        try:
            said = answer.json()
        except ValueError:
            said = None
        said = said if isinstance(said, dict) else {}
        token = said.get("access_token")
        if answer.status == HTTPStatus.OK and isinstance(token, str) and token.isascii() and token.isprintable():
            return token, _seconds(said.get("expires_in"))
        raise UserError("sis.no_token", _token_refusal(url, answer.status, said.get("error"), access.scope))

    def _patiently(self, send: Callable[[], Answer]) -> Answer:
        """The answer, once the server is neither busy nor gone."""
        for attempt in range(1, self._patience.attempts + 1):
            is_last = attempt == self._patience.attempts
            pause = min(self._patience.pause * 2 ** (attempt - 1), _LONGEST_PAUSE)
            try:
                answer = send()
            except httpx.RequestError as gone:
                if is_last or _is_certificate(gone):
                    raise UserError("sis.unreachable", self._gone(gone), permanent=False) from None
                self._wait(pause)
                continue
            if answer.status not in _BUSY or is_last:
                return answer
            self._wait(_retry_after(answer.headers.get("retry-after", ""), pause))
        raise AssertionError

    def _wait(self, seconds: float) -> None:
        self._waited += seconds
        if self._waited > self._patience.waiting:
            minutes = self._patience.waiting / 60
            raise UserError(
                "sis.busy",
                (
                    f"{self.base.host} is busy and asks for more than {minutes:.0f} minutes. Try again later, or "
                    "set SYNC_AT to a quieter hour."
                ),
                permanent=False,
            )
        time.sleep(seconds)

    def _send(self, method: str, url: httpx.URL, **options: Any) -> Answer:
        until = time.monotonic() + self._patience.answer
        body = bytearray()
        with self._client.stream(method, url, **options) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LONGEST_ANSWER:
                    raise UserError(
                        "sis.too_much",
                        f"{self.base.host} answers with more than a page can hold. Check SIS_ONEROSTER_URL.",
                    )
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("", request=response.request)
            return Answer(response.status_code, response.headers, bytes(body))

    def _gone(self, problem: httpx.RequestError) -> str:
        host = self.base.host
        if _is_certificate(problem):
            return f"The certificate of {host} is not trusted on this machine. Check SIS_ONEROSTER_URL."
        if isinstance(problem, httpx.TimeoutException):
            return f"{host} takes too long to answer. Try again later."
        return f"{host} does not answer ({type(problem).__name__}). Check SIS_ONEROSTER_URL, or try again later."

    def _refusal(self, url: httpx.URL, status: int) -> UserError:
        what = url.path.rsplit("/", 1)[-1]
        host = self.base.host
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return UserError(
                "sis.forbidden",
                (
                    f"{host} does not let us read {what} ({status}). In the SIS, give our client the scope "
                    "roster-core.readonly and access to every school."
                ),
            )
        if status == HTTPStatus.NOT_FOUND:
            return NotThere(
                "sis.not_there",
                (
                    f"{host} has no {what} (404). Check SIS_ONEROSTER_URL; it ends like /ims/oneroster/v1p1 or "
                    "/ims/oneroster/rostering/v1p2."
                ),
            )
        return Refused(
            "sis.refused", f"{host} answers {status} when asked for {what}. Try again later, or ask who runs it."
        )


def joined(url: httpx.URL, location: str) -> httpx.URL | None:
    """`location` as seen from `url`, or None if it is no address."""
    try:
        return url.join(location) if location else None
    except (httpx.InvalidURL, ValueError):
        return None


def _is_same_place(base: httpx.URL, there: httpx.URL) -> bool:
    """The same host and port, or the host's own door for HTTPS."""
    same = (there.scheme, there.host, there.port) == (base.scheme, base.host, base.port)
    return same or (there.scheme == "https" and there.host == base.host and there.port is None)


def _is_certificate(problem: httpx.RequestError) -> bool:
    cause: BaseException | None = problem
    while cause and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return cause is not None


def _seconds(told: Any) -> float:
    """How long a token is good for; a server that does not say will answer 401 when it ends."""
    try:
        return max(float(told), 1.0)
    except (TypeError, ValueError, OverflowError):
        return 3600.0


def _retry_after(header: str, otherwise: float) -> float:
    """Seconds, written as such or as a date."""
    if header.isdecimal():
        return float(header)
    try:
        return max((parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds(), 0.0)
    except (TypeError, ValueError, OverflowError):
        return otherwise


def _token_refusal(url: httpx.URL, status: int, error: Any, scope: str) -> str:
    if error == "invalid_scope":
        return f"The SIS does not grant our client the scope {scope}. Grant it in the SIS."
    if error == "invalid_client" or status in {400, 401, 403}:
        return (
            f"The SIS refuses our client ({status}). Check SIS_ONEROSTER_CLIENT_ID and "
            "SIS_ONEROSTER_CLIENT_SECRET, and that the client is active in the SIS."
        )
    if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"{url.host} answers {status} when asked for a token. Try again later, or ask who runs it."
    return (
        f"No token is given at {url.copy_with(query=None)} ({status}). Set SIS_ONEROSTER_TOKEN_URL to "
        "where the SIS gives tokens."
    )
