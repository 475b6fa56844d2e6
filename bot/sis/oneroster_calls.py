"""HTTP calls to a OneRoster server: tokens, and what its refusals mean."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

import httpx

from bot.errors import UserError
from bot.http_calls import HttpCalls, Patience, Response, System, is_busy

_SYSTEM = System("sis", "SIS_ONEROSTER_URL", "Try again later, or set SYNC_AT to a quieter hour.")


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


class Calls:
    """The calls of one sync to one server."""

    def __init__(self, http: HttpCalls, base: str, credentials: Credentials) -> None:
        self.base = httpx.URL(base)
        self._http = http
        self._credentials = credentials
        self._token = ""
        self._token_ends = 0.0

    @classmethod
    @contextmanager
    def open(cls, base: str, credentials: Credentials, patience: Patience) -> Iterator[Self]:
        with HttpCalls.open(_SYSTEM, patience) as http:
            yield cls(http, base, credentials)

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
        if not self._token or time.monotonic() >= self._token_ends:
            self._token, seconds = self._request_token()
            self._token_ends = time.monotonic() + seconds - min(60.0, seconds / 10)
        return self._http.send("GET", url, headers={"Authorization": f"Bearer {self._token}"})

    def _request_token(self) -> tuple[str, float]:
        """Return a new token and for how many seconds it is valid."""
        credentials = self._credentials
        form = {"grant_type": "client_credentials", "scope": credentials.scope}
        basic = httpx.BasicAuth(credentials.client_id, credentials.client_secret)
        url = httpx.URL(credentials.token_url)
        response = self._http.send("POST", url, data=form, auth=basic)
        answer = response.json_object() or {}
        token = answer.get("access_token")
        if response.status == HTTPStatus.OK and isinstance(token, str) and token.isascii() and token.isprintable():
            try:
                return token, max(float(answer["expires_in"]), 1.0)
            except (KeyError, TypeError, ValueError, OverflowError):
                return token, 3600.0  # When it ends earlier, the server answers 401.
        raise UserError("sis.no_token", _token_refusal(url, response.status, answer.get("error"), credentials.scope))

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


def _token_refusal(url: httpx.URL, status: int, error: Any, scope: str) -> str:
    if error == "invalid_scope":
        return f"The SIS does not grant our client the scope {scope}. Grant it in the SIS."
    if error == "invalid_client" or status in {400, 401, 403}:
        return (
            f"The SIS refuses our client ({status}). Check SIS_ONEROSTER_CLIENT_ID and SIS_ONEROSTER_CLIENT_SECRET, and "
            "that the client is active in the SIS."
        )
    if is_busy(status):
        return f"{url.host} answers {status} when asked for a token. Try again later, or ask the people who run it."
    address = url.copy_with(query=None)
    return f"No token is given at {address} ({status}). Set SIS_ONEROSTER_TOKEN_URL to where the SIS gives tokens."
