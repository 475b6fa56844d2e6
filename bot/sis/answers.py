"""What an SIS answers over an API of its own, and what became of a change whose answer was lost."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from bot.errors import UserError
from bot.http_calls import Response, is_busy

# What PowerSchool and Aeries call an error in the body of a response, whatever its status.
_ERROR_FIELDS = ("_error_message", "errorMessage", "error", "message", "Message")
# Nothing was done, and the same call may be accepted later.
_NOT_NOW = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)


class UnclearWrite(UserError):  # noqa: N818 (A state of the write, not a mistake.)
    """The SIS may or may not have taken a change: its answer was lost, or it failed while it answered."""


@dataclass(frozen=True)
class Answer:
    """A status, and the JSON of the body; an empty object if it has none (204)."""

    status: int
    body: Any

    @property
    def is_error(self) -> bool:
        """Whether the SIS did not do it: the status says so, or the body of a 200 does."""
        if self.status not in {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT}:
            return True
        return isinstance(self.body, dict) and any(_has_text(self.body.get(name)) for name in _ERROR_FIELDS)


def _has_text(value: Any) -> bool:
    """Return whether an error is described; a success may carry an empty description."""
    if isinstance(value, dict | list):
        return any(map(_has_text, value.values() if isinstance(value, dict) else value))
    return bool(value)


def read_answer(response: Response) -> Answer:
    try:
        body = json.loads(response.body) if response.body.strip() else {}
    except (ValueError, RecursionError):
        # No JSON after a success, such as a login page: neither data nor a confirmation.
        body = {"error": response.looks_like}
    return Answer(response.status, body)


def send_change(host: str, send: Callable[[], Response], refusal: Callable[[int], UserError]) -> Answer:
    """Send a change once, and return the answer: taken, or refused as it is. `refusal` makes the error of a status.

    Raises:
        UnclearWrite: it may have been taken.
        UserError: it was not, because the SIS does not let us in or asks us to wait.
    """
    try:
        response = send()
    except UserError as error:
        if error.code == "sis.unreachable":
            raise _unclear(host) from None
        raise
    if response.status in _NOT_NOW:
        raise refusal(response.status)
    if is_busy(response.status):
        raise _unclear(host)
    return read_answer(response)


def _unclear(host: str) -> UnclearWrite:
    sentence = f"{host} did not say whether it took a change. It is looked up before it is sent again."
    return UnclearWrite("sis.unclear_write", sentence, permanent=False)
