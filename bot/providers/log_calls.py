"""HTTP calls to a provider for the log of an account, repeated while the provider is busy or down.

Error messages say what to do; they hold no secret and nothing of a text.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

import httpx

from bot.errors import UserError

_BUSY = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
_LONGEST_PAUSE = 60.0


@dataclass(frozen=True)
class Patience:
    """Limits in seconds: `silence` without a byte, `waiting` in total for a provider that is busy or down. `pause` comes before the
    second of `attempts`, and doubles.
    """

    silence: float = 60.0
    waiting: float = 900.0
    pause: float = 2.0
    attempts: int = 6


class Calls:
    """The calls of one pull to one provider; `name` is how people read it, `setting` holds its credentials."""

    def __init__(self, client: httpx.Client, name: str, setting: str, patience: Patience) -> None:
        self._client = client
        self._name = name
        self._setting = setting
        self._patience = patience
        self._waited = 0.0

    @classmethod
    @contextmanager
    def open(cls, base: str, auth: tuple[str, str], name: str, setting: str, patience: Patience) -> Iterator[Self]:
        timeout = httpx.Timeout(patience.silence, connect=min(patience.silence, 15.0))
        headers = {"Accept": "application/json"}
        with httpx.Client(base_url=base, auth=httpx.BasicAuth(*auth), timeout=timeout, headers=headers) as client:
            yield cls(client, name, setting, patience)

    def get(self, address: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the JSON object at a path of the provider.

        Raises:
            UserError: the provider refuses us, is down or busy for too long, or answers with something else.
        """
        url = self._client.base_url.join(address)
        if (url.scheme, url.netloc) != (self._client.base_url.scheme, self._client.base_url.netloc):
            sentence = f"{self._name} names a next page at another address, where our key must not go. Check {self._setting}_URL."
            raise UserError("pull.other_host", sentence)
        response = self._retry(url, query)
        if response.status_code != HTTPStatus.OK:
            raise self._refusal(response.status_code)
        try:
            answer = json.loads(response.content)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise self.unreadable()
        return answer

    def unreadable(self) -> UserError:
        """Return the error for an answer that this provider's API would not give."""
        sentence = (
            f"{self._client.base_url.host} does not answer as {self._name} does. Check {self._setting}_URL, and that no "
            "proxy answers in its place."
        )
        return UserError("pull.unreadable", sentence)

    def _retry(self, url: httpx.URL, query: Mapping[str, str] | None) -> httpx.Response:
        """Return the first response of a provider that is not busy or down, or the last one."""
        for attempt in range(1, self._patience.attempts + 1):
            pause = min(self._patience.pause * 2 ** (attempt - 1), _LONGEST_PAUSE)
            is_last = attempt == self._patience.attempts
            try:
                response = self._client.get(url, params=query)
            except httpx.RequestError as error:
                if is_last:
                    raise self._unreachable(error) from None
                self._wait(pause)
                continue
            if response.status_code not in _BUSY or is_last:
                return response
            after = response.headers.get("retry-after", "")
            self._wait(float(after) if after.isdecimal() else pause)
        raise AssertionError

    def _wait(self, seconds: float) -> None:
        self._waited += seconds
        if self._waited > self._patience.waiting:
            raise self._busy()
        time.sleep(seconds)

    def _busy(self) -> UserError:
        sentence = (
            f"{self._name} limits how fast we may read its log. The next pull continues; a longer PULL_EVERY helps."
        )
        return UserError("pull.busy", sentence, permanent=False)

    def _unreachable(self, error: httpx.RequestError) -> UserError:
        sentence = (
            f"{self._client.base_url.host} does not answer ({type(error).__name__}). Check that this server may "
            "reach it; the next pull continues."
        )
        return UserError("pull.unreachable", sentence, permanent=False)

    def _refusal(self, status: int) -> UserError:
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            sentence = (
                f"{self._name} refuses our key ({status}). Check {self._setting}: the key must be active, belong to the account before "
                "it, and may read messages."
            )
            return UserError("pull.refused", sentence)
        if status == HTTPStatus.NOT_FOUND:
            return UserError(
                "pull.no_account", f"{self._name} does not have this account (404). Check {self._setting}."
            )
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return self._busy()
        sentence = f"{self._name} answers {status} when asked for its log. The next pull continues; if it fails again, check {self._setting}."
        return UserError("pull.failed", sentence, permanent=status < HTTPStatus.INTERNAL_SERVER_ERROR)
