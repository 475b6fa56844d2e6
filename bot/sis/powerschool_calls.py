"""HTTP calls to PowerSchool: tokens, and the difference between a read and a write.

A read may be repeated. A write is sent once; where its answer is lost it is an `UnclearWrite`, and the caller looks up what
became of it. Sentences hold no secret and nothing of a response. Source: the public descriptions of the API in
github.com/mennotech/powerschool-api-docs and github.com/mennotech/fsenrollment-pssync.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from typing import Any, Self

import httpx

from bot.errors import UserError
from bot.http_calls import HttpCalls, Patience, Response, System, is_busy
from bot.sis.answers import Answer, read_answer, send_change

_SYSTEM = System("sis", "SIS_POWERSCHOOL_URL", "Try again later, or set SYNC_AT to a quieter hour.")
_TOKEN_PATH = "/oauth/access_token/"  # noqa: S105 - an address; PowerSchool wants the slash.
_ANSWERS = (HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND)


@dataclass(frozen=True)
class Credentials:
    """The address of a PowerSchool server, and the id and secret that it shows for our plugin."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)

    @property
    def host(self) -> str:
        return httpx.URL(self.url).host


class Calls:
    """The calls of one sync, or of one round of writes, to one PowerSchool server."""

    def __init__(self, reads: HttpCalls, writes: HttpCalls, credentials: Credentials) -> None:
        self.host = credentials.host
        self._base = credentials.url.rstrip("/")
        self._reads, self._writes = reads, writes
        self._auth = httpx.BasicAuth(credentials.client_id, credentials.client_secret)
        self._token = ""
        self._token_ends = 0.0

    @classmethod
    @contextmanager
    def open(cls, credentials: Credentials, patience: Patience) -> Iterator[Self]:
        with (
            HttpCalls.open(_SYSTEM, patience) as reads,
            HttpCalls.open(_SYSTEM, replace(patience, attempts=1)) as writes,
        ):
            yield cls(reads, writes, credentials)

    def read(self, method: str, path: str, **params: Any) -> Answer:
        """Return the answer to a call that may be repeated; its status is 200, 204, or 404.

        Raises:
            UserError: PowerSchool does not let us in, refuses the call, is down, or is busy for too long.
        """
        body: dict[str, Any] = {"json": {}} if method == "POST" else {}
        response = self._send_with_token(self._reads, method, path, params=params, **body)
        if response.status not in _ANSWERS:
            raise self._refusal(path, response.status)
        return read_answer(response)

    def read_optional(self, path: str) -> Answer:
        """Return the answer to a GET that may be refused; then its body is empty."""
        response = self._send_with_token(self._reads, "GET", path)
        return read_answer(response) if response.status == HTTPStatus.OK else Answer(response.status, {})

    def write(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a change once, and return the answer: taken, or refused as it is.

        Raises:
            UnclearWrite: it may have been taken.
            UserError: it was not, because PowerSchool does not let us in or asks us to wait.
        """
        send = partial(self._send_with_token, self._writes, method, path, json={} if body is None else body)
        return send_change(self.host, send, partial(self._refusal, path))

    def _send_with_token(self, http: HttpCalls, method: str, path: str, **options: Any) -> Response:
        """Send with a token that is valid; if it ended before its time nothing was done, and a new one is used."""
        url = httpx.URL(f"{self._base}{path}")
        for _ in range(2):
            if not self._token or time.monotonic() >= self._token_ends:
                self._request_token()
            response = http.send(method, url, headers={"Authorization": f"Bearer {self._token}"}, **options)
            if response.status != HTTPStatus.UNAUTHORIZED:
                break
            self._token = ""
        return response

    def _request_token(self) -> None:
        url = httpx.URL(f"{self._base}{_TOKEN_PATH}")
        response = self._reads.send("POST", url, data={"grant_type": "client_credentials"}, auth=self._auth)
        answer = response.json_object() or {}
        token = answer.get("access_token")
        if response.status != HTTPStatus.OK or not isinstance(token, str) or not token.isascii():
            sentence = _token_refusal(self.host, response)
            raise _SYSTEM.error("no_token", sentence, permanent=not is_busy(response.status))
        try:
            seconds = max(float(answer["expires_in"]), 1.0)  # PowerSchool writes it as a string.
        except (KeyError, TypeError, ValueError, OverflowError):
            seconds = 3600.0
        self._token, self._token_ends = token, time.monotonic() + seconds - min(60.0, seconds / 10)

    def _refusal(self, path: str, status: int) -> UserError:
        what = path.rsplit("/", 1)[-1]
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return _SYSTEM.error(
                "forbidden",
                f"{self.host} does not let our plugin use {what} ({status}). Install the newest plugin of "
                "docs/sis/powerschool, and approve its fields in Plugin Management.",
            )
        return _SYSTEM.error(
            "refused",
            f"{self.host} answers {status} when asked for {what}. Try again later, or ask the people who run it.",
            permanent=not is_busy(status),
        )


def _token_refusal(host: str, response: Response) -> str:
    if response.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return (
            f"{host} refuses our plugin ({response.status}). Check SIS_POWERSCHOOL_CLIENT_ID and "
            "SIS_POWERSCHOOL_CLIENT_SECRET (Plugin Management > Data Provider Configuration), and that the plugin is enabled."
        )
    if is_busy(response.status):
        return (
            f"{host} answers {response.status} when asked for a token. Try again later, or ask the people who run it."
        )
    return f"{host} gives no token but {response.looks_like} ({response.status}). Check SIS_POWERSCHOOL_URL."
