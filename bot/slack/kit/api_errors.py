"""Turns a call to Slack into a result that says what to do next: `call(lambda: client.chat_postMessage(...))`.

The clients retry nothing themselves (`retry_handlers=[]`): a POST that is repeated after a dropped connection is posted twice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from http.client import HTTPException
from typing import Generic, TypeVar

from slack_sdk.errors import SlackApiError

T = TypeVar("T")

RETRY_DELAY = timedelta(minutes=1)
_DEFAULT_RETRY_AFTER_SECONDS = 30


class Outcome(StrEnum):
    DONE = "done"
    # Slack did nothing and asks us to wait.
    RATE_LIMITED = "rate_limited"
    # There was no connection, so Slack did nothing.
    UNREACHABLE = "unreachable"
    # Slack may have done it: its answer was lost, or it failed inside.
    UNCLEAR = "unclear"
    # Slack did nothing, and never will.
    REFUSED = "refused"


# By Slack's word for the error. A word that is not here is a refusal.
_OUTCOMES = {
    "ratelimited": Outcome.RATE_LIMITED,
    "fatal_error": Outcome.UNCLEAR,
    "internal_error": Outcome.UNCLEAR,
    "request_timeout": Outcome.UNCLEAR,
    "service_unavailable": Outcome.UNCLEAR,
}


@dataclass(frozen=True)
class Result(Generic[T]):
    """`answer` is what a call that is done returned; `error` is Slack's word or the kind of failure, without personal data."""

    outcome: Outcome
    answer: T | None = None
    error: str = ""
    retry_after: timedelta = RETRY_DELAY

    @property
    def may_succeed_later(self) -> bool:
        return self.outcome not in {Outcome.DONE, Outcome.REFUSED}


def call(act: Callable[[], T]) -> Result[T]:
    """Run `act`, which calls Slack, and return the result; errors that do not come from Slack or the network are raised."""
    try:
        return Result(Outcome.DONE, act())
    except SlackApiError as error:
        return _from_answer(error)
    except (OSError, HTTPException) as error:
        cause = getattr(error, "reason", error)  # `URLError` wraps the error of the connection.
        if isinstance(cause, ConnectionRefusedError):
            return Result(Outcome.UNREACHABLE, error="connection refused")
        return Result(Outcome.UNCLEAR, error=f"connection lost ({type(cause).__name__})")


def _from_answer(error: SlackApiError) -> Result[T]:
    outcome, word = outcome_of(error), error_code(error)
    if outcome is not Outcome.RATE_LIMITED:
        return Result(outcome, error=word)
    seconds = int(error.response.headers.get("Retry-After", _DEFAULT_RETRY_AFTER_SECONDS))
    return Result(outcome, error=word, retry_after=timedelta(seconds=seconds))


def outcome_of(error: SlackApiError) -> Outcome:
    status = error.response.status_code
    if status == 429:  # noqa: PLR2004
        return Outcome.RATE_LIMITED
    if status >= 500:  # noqa: PLR2004
        return Outcome.UNCLEAR
    return _OUTCOMES.get(error_code(error), Outcome.REFUSED)


def error_code(error: SlackApiError) -> str:
    """Return Slack's word for the error, or the HTTP status of an answer without one."""
    data = error.response.data
    if not isinstance(data, dict):
        return f"HTTP {error.response.status_code}"
    return str(data.get("error", "no reason given"))
