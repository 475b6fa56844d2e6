"""HTTP calls to a provider for the log of an account, and what its refusals mean."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Self

import httpx

from bot.errors import UserError
from bot.http_calls import HttpCalls, Patience, Response, System, is_same_host


class Calls:
    """The calls of one pull to one provider; `name` is how people read it, `setting` holds its credentials."""

    def __init__(self, http: HttpCalls, base: str, auth: httpx.Auth, name: str, setting: str) -> None:
        self._http = http
        self._base = httpx.URL(base)
        self._auth = auth
        self._name = name
        self._setting = setting

    @classmethod
    @contextmanager
    def open(cls, base: str, auth: httpx.Auth, name: str, setting: str, patience: Patience) -> Iterator[Self]:
        with HttpCalls.open(System("pull", f"{setting}_URL", _if_busy(name)), patience) as http:
            yield cls(http, base, auth, name, setting)

    def get(self, address: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the JSON object at a path of the provider.

        Raises:
            UserError: the provider refuses us, is down or busy for too long, or answers with something else.
        """
        url = self._base.join(address)
        if not is_same_host(self._base, url):
            sentence = f"{self._name} names a next page at another address, where our key must not go. Check {self._setting}_URL."
            raise UserError("pull.other_host", sentence)
        response = self._http.send("GET", url.copy_merge_params(query or {}), auth=self._auth)
        if response.status != HTTPStatus.OK:
            raise self._refusal(response.status)
        answer = response.json_object()
        if answer is None:
            raise self.unreadable(response)
        return answer

    def unreadable(self, response: Response | None = None) -> UserError:
        """Return the error for an answer that this provider's API would not give."""
        found = f" but with {response.looks_like}" if response else ""
        sentence = (
            f"{self._base.host} does not answer as {self._name} does{found}. Check {self._setting}_URL, and that no proxy "
            "answers in its place."
        )
        return UserError("pull.unreadable", sentence)

    def _refusal(self, status: int) -> UserError:
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            sentence = (
                f"{self._name} refuses our key ({status}). Check {self._setting}: the key must be active, belong to this account, "
                "and be allowed to read its messages."
            )
            return UserError("pull.refused", sentence)
        if status == HTTPStatus.NOT_FOUND:
            return UserError(
                "pull.no_account", f"{self._name} does not have this account (404). Check {self._setting}."
            )
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return UserError("pull.busy", _if_busy(self._name), permanent=False)
        sentence = f"{self._name} answers {status} when asked for its log. The next pull continues; if it fails again, check {self._setting}."
        return UserError("pull.failed", sentence, permanent=status < HTTPStatus.INTERNAL_SERVER_ERROR)


def _if_busy(name: str) -> str:
    return f"{name} limits how fast we may read its log. The next pull continues; a longer PULL_EVERY helps."
