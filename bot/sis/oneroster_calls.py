"""HTTP calls to a OneRoster server, and what its refusals mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Self

import httpx

from bot.errors import UserError
from bot.http_calls import HttpCalls, Patience, Response, System
from bot.sis.oneroster_login import Login

_SYSTEM = System("sis", "SIS_ONEROSTER_URL", "Try again later, or set SYNC_AT to a quieter hour.")
# Some servers answer 500 to a parameter that they do not know, and 504 to a page that is too long for them.
_PARAMETER = (400, 413, 414, 416, 422, 500, 501, 504, 524)
_NO_ENTRY = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_MAY_BE_LOGIN = (HTTPStatus.BAD_REQUEST, *_NO_ENTRY)


class NotFound(UserError):  # noqa: N818 (A problem of the page, not of the program.)
    """Nothing is at this address of the server."""


class Refused(UserError):  # noqa: N818 (As above.)
    """The server lets us in but does not answer this request. `is_parameter`: perhaps for one of its parameters."""

    def __init__(self, code: str, sentence: str, *, is_parameter: bool) -> None:
        super().__init__(code, sentence)
        self.is_parameter = is_parameter


class Calls:
    """The calls of one sync to one server. `page_way` is how it takes requests for pages, see `oneroster_pages`."""

    def __init__(self, http: HttpCalls, base: str, login: Login) -> None:
        self.base = httpx.URL(base)
        self._http = http
        self.login = login
        self.page_way = 0
        self._has_worked = False

    @classmethod
    @contextmanager
    def open(cls, base: str, login: Login, patience: Patience) -> Iterator[Self]:
        with HttpCalls.open(_SYSTEM, patience) as http:
            yield cls(http, base, login)

    def get(self, url: httpx.URL) -> Response:
        """Return the response at `url`, whose status is 200.

        Raises:
            NotFound: there is nothing.
            Refused: the server cannot give it.
            UserError: the server does not let us in, is down, or is busy for too long.
        """
        response = self._send(url)
        if response.status in _MAY_BE_LOGIN and self.login.renew(response.status, has_worked=self._has_worked):
            first, response = response, self._send(url)
            if first.status == HTTPStatus.BAD_REQUEST and response.status in _NO_ENTRY:
                # We were let in before; something else about the request was refused.
                self.login.renew(response.status, has_worked=self._has_worked)
                response = first
        if response.status != HTTPStatus.OK:
            raise self._refusal(url, response.status)
        self._has_worked = True
        return response

    def _send(self, url: httpx.URL) -> Response:
        return self._http.send("GET", url, auth=self.login.auth(self._http))

    def _refusal(self, url: httpx.URL, status: int) -> UserError:
        endpoint = url.path.rsplit("/", 1)[-1]
        host = self.base.host
        if status in _NO_ENTRY:
            return UserError("sis.forbidden", self.login.refusal(host, endpoint, status))
        if status == HTTPStatus.NOT_FOUND:
            return NotFound(
                "sis.no_endpoint",
                f"{host} has no {endpoint} (404). Check SIS_ONEROSTER_URL; it ends like /ims/oneroster/v1p1 or "
                "/ims/oneroster/rostering/v1p2.",
            )
        return Refused(
            "sis.refused",
            f"{host} answers {status} when asked for {endpoint}. Try again later, or ask the people who run it.",
            is_parameter=status in _PARAMETER,
        )
