"""One table of what Slack can answer, and a call to Slack as a result that says what to do next.

`call(lambda: client.chat_postMessage(...))` returns a `Result`; `from_error` turns an exception into the same. The clients retry
nothing themselves (`retry_handlers=[]`): a POST that is repeated after a dropped connection is posted twice.
"""

import errno
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http.client import HTTPException
from ssl import SSLError
from typing import Any, Generic, TypeVar
from urllib.error import HTTPError, URLError

from slack_sdk.errors import SlackApiError

T = TypeVar("T")

RETRY_DELAY = timedelta(minutes=1)
_SHORTEST_WAIT, _LONGEST_WAIT = timedelta(seconds=1), timedelta(hours=1)
_WAIT_WITHOUT_HEADER = timedelta(seconds=30)
_WORD = re.compile("[a-z0-9_]{1,80}")
_TOO_MANY_REQUESTS, _SERVER_ERROR, _REQUEST_TIMEOUT = 429, 500, 408


class Outcome(StrEnum):
    DONE = "done"
    # Our token, our scopes, or our network is at fault: keep everything, and report it to the people who run this.
    OURS = "ours"
    # Slack asks us to wait, failed, or cannot be reached.
    LATER = "later"
    # The answer was lost after Slack had received everything, or was not one of Slack's.
    UNCLEAR = "unclear"
    # Slack did nothing, and never will.
    REFUSED = "refused"


@dataclass(frozen=True)
class Rule:
    """What one of Slack's words means, and a sentence that says what a person can do about it."""

    outcome: Outcome
    advice: str
    may_have_arrived: bool = False


def _rules(outcome: Outcome, advice: str, *words: str, may_have_arrived: bool = False) -> dict[str, Rule]:
    return dict.fromkeys(words, Rule(outcome, advice, may_have_arrived or outcome is Outcome.UNCLEAR))


_TOKEN = "Install the app again, copy the new token to SLACK_BOT_TOKEN, and restart."  # noqa: S105 - a sentence.
_SCOPE = "The app lacks a permission. Run `cleanup-bot doctor`, add the scope that it names, and install the app again."
_MIGRATION = "Slack is moving the workspace into an organization. Install the app again there if this lasts for a day."
_SUSPENDED = "The organization's administrators have suspended the app. Ask them to allow it again."
_NETWORK = "Slack does not accept this server's address. Check the allowed IP addresses on the app's page."
_NOT_INSTALLED = "The app is not installed for this workspace. Ask the organization's administrators to add it."
_NO_MESSAGES_TAB = "Turn on the Messages tab on the app's page, under App Home."
_BUSY = "Slack is busy. Try again in a minute."
_LOST = "Slack reported an error, but may have done it anyway. Check before you try again."
_INVITE = "The app is not in the channel. Type `/invite` and the app's name there, and try again."
_ARCHIVED = "The channel is archived. Restore it, or type `/cleanup subscribe` in another channel."
_MAY_NOT_POST = "The workspace limits who may post in this channel. Ask a workspace administrator to allow the app."
_OUR_BUG = "This is an error in Contact Cleanup. Report it to the person who runs it."
_NO_READER = "This person's Slack account cannot receive messages from the app."
_TOO_LATE = "Slack opens a dialog only within three seconds of a click. Press the button again."
_FILES_BLOCKED = "The workspace does not accept the file. Ask a workspace administrator to allow files from the app."
_OTHERS_FILE = "The file belongs to a person, or is gone. Only they can delete it in Slack."
_GONE = "What you pressed is no longer on screen. Type `/cleanup` to see the current list."

RULES: Mapping[str, Rule] = {
    **_rules(Outcome.OURS, _TOKEN, "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"),
    **_rules(Outcome.OURS, _TOKEN, "not_allowed_token_type"),
    **_rules(Outcome.OURS, _SCOPE, "missing_scope", "no_permission"),
    **_rules(Outcome.OURS, _MIGRATION, "org_login_required", "team_added_to_org"),
    **_rules(Outcome.OURS, _SUSPENDED, "ekm_access_denied"),
    **_rules(Outcome.OURS, _NETWORK, "accesslimited"),
    **_rules(Outcome.OURS, _NOT_INSTALLED, "team_access_not_granted"),
    **_rules(Outcome.OURS, _NO_MESSAGES_TAB, "messages_tab_disabled"),
    **_rules(Outcome.LATER, _BUSY, "ratelimited", "rate_limited", "message_limit_exceeded", "file_update_failed"),
    # The bytes of a file have not arrived (yet).
    **_rules(Outcome.LATER, _BUSY, "request_timeout", "file_not_found"),
    **_rules(Outcome.LATER, _LOST, "service_unavailable", may_have_arrived=True),
    **_rules(Outcome.UNCLEAR, _LOST, "internal_error", "fatal_error"),
    **_rules(Outcome.REFUSED, _INVITE, "not_in_channel", "channel_not_found"),
    **_rules(Outcome.REFUSED, _ARCHIVED, "is_archived", "is_inactive"),
    **_rules(Outcome.REFUSED, _MAY_NOT_POST, "restricted_action", "restricted_action_read_only_channel"),
    **_rules(Outcome.REFUSED, _MAY_NOT_POST, "restricted_action_thread_only_channel", "posting_to_channel_denied"),
    **_rules(Outcome.REFUSED, _MAY_NOT_POST, "restricted_action_non_threadable_channel", "access_denied"),
    **_rules(Outcome.REFUSED, _MAY_NOT_POST, "posting_to_general_channel_denied", "team_not_found"),
    **_rules(Outcome.REFUSED, _OUR_BUG, "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"),
    **_rules(Outcome.REFUSED, _OUR_BUG, "msg_too_long", "no_text", "invalid_arguments", "invalid_arg_name"),
    **_rules(Outcome.REFUSED, _OUR_BUG, "invalid_metadata_format", "invalid_metadata_schema", "metadata_too_large"),
    **_rules(Outcome.REFUSED, _OUR_BUG, "view_too_large", "duplicate_external_id", "push_limit_reached"),
    **_rules(Outcome.REFUSED, _NO_READER, "user_not_found", "users_not_found", "user_not_visible", "user_disabled"),
    **_rules(Outcome.REFUSED, _NO_READER, "cannot_dm_bot", "user_not_in_channel"),
    **_rules(Outcome.REFUSED, _TOO_LATE, "expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id"),
    **_rules(Outcome.REFUSED, _TOO_LATE, "trigger_expired", "trigger_exchanged"),
    **_rules(Outcome.REFUSED, _FILES_BLOCKED, "blocked_file_type", "file_upload_size_restricted"),
    **_rules(Outcome.REFUSED, _FILES_BLOCKED, "storage_limit_reached", "file_uploads_disabled"),
    **_rules(Outcome.REFUSED, _OTHERS_FILE, "cant_delete_file", "file_deleted"),
    **_rules(Outcome.REFUSED, _GONE, "not_found", "hash_conflict", "message_not_found", "cant_update_message"),
}
_BY_OUTCOME = {
    Outcome.DONE: "",
    Outcome.OURS: "Something between this server and Slack refuses the call. Check the proxy and the firewall.",
    Outcome.LATER: "Slack is busy or cannot be reached. Try again in a minute.",
    Outcome.UNCLEAR: "Slack's answer was lost, so it may have been done. Check before you try again.",
    Outcome.REFUSED: "Slack does not allow this. Report it to the person who runs Contact Cleanup.",
}


@dataclass(frozen=True)
class Result(Generic[T]):
    """`answer` is what a call that is done returned; `error` is Slack's word or the kind of failure, without personal data.

    `may_have_arrived` is True where a repeated call could do the same thing twice.
    """

    outcome: Outcome
    answer: T | None = None
    error: str = ""
    retry_after: timedelta = RETRY_DELAY
    may_have_arrived: bool = False

    @property
    def may_succeed_later(self) -> bool:
        return self.outcome not in {Outcome.DONE, Outcome.REFUSED}

    @property
    def ends_round(self) -> bool:
        """Every other call would most likely fail in the same way now."""
        return self.outcome in {Outcome.OURS, Outcome.LATER}

    @property
    def advice(self) -> str:
        return RULES[self.error].advice if self.error in RULES else _BY_OUTCOME[self.outcome]

    @property
    def is_late_trigger(self) -> bool:
        """The dialog was not opened in time; no other dialog opens with the same trigger."""
        return self.advice == _TOO_LATE


def call(act: Callable[[], T]) -> Result[T]:
    """Run `act`, which calls Slack, and return the result; errors that do not come from Slack or the network are raised."""
    try:
        return Result(Outcome.DONE, act())
    except Exception as error:
        if (result := from_error(error)) is None:
            raise
        return result


def from_error(error: Exception) -> Result[Any] | None:
    """Return what an exception of a call to Slack means, or None if it does not come from Slack or the network."""
    if isinstance(error, SlackApiError):
        return from_answer(error.response.status_code, error.response.headers, error.response.data)
    if isinstance(error, HTTPError):  # An upload URL is no method of the Web API: it answers with a status.
        return from_answer(error.code, dict(error.headers), {"error": f"http_{error.code}"})
    if isinstance(error, URLError):  # Raised before the request was sent to its end, so Slack did nothing.
        is_refused = isinstance(error.reason, ConnectionRefusedError)
        reason = "connection refused" if is_refused else f"no connection ({type(error.reason).__name__})"
        return Result(Outcome.LATER, error=reason)
    if isinstance(error, TimeoutError):
        return Result(Outcome.LATER, error="no answer in time", may_have_arrived=True)
    if isinstance(error, (ConnectionError, SSLError, HTTPException, UnicodeDecodeError)) or _is_of_network(error):
        return Result(Outcome.UNCLEAR, error=f"answer lost ({type(error).__name__})", may_have_arrived=True)
    return None


def _is_of_network(error: Exception) -> bool:
    """A full disk is an OSError as well."""
    return isinstance(error, OSError) and error.errno in {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN}


def from_answer(status: int, headers: Mapping[str, str], data: Any) -> Result[Any]:
    """Return what an answer means that is not a success. Its text is never kept: only a word of Slack's may be logged."""
    word, wait = _word(data), _wait(headers)
    if status == _TOO_MANY_REQUESTS:
        return Result(Outcome.LATER, error=word or "ratelimited", retry_after=wait or _WAIT_WITHOUT_HEADER)
    if status >= _SERVER_ERROR or status == _REQUEST_TIMEOUT:
        may_have_arrived = status != _REQUEST_TIMEOUT
        return Result(Outcome.LATER, None, f"HTTP {status}", wait or RETRY_DELAY, may_have_arrived)
    if word is None:  # Slack always answers in JSON: something in between answered in its place.
        if status == 200:  # noqa: PLR2004
            return Result(Outcome.UNCLEAR, error="an answer that is not JSON", may_have_arrived=True)
        return Result(Outcome.OURS, error=f"HTTP {status}")
    rule = RULES.get(word, Rule(Outcome.REFUSED, ""))
    return Result(rule.outcome, None, word, wait or RETRY_DELAY, rule.may_have_arrived)


def _word(data: Any) -> str | None:
    """Return Slack's word for the error. The SDK puts the beginning of a body that is not JSON in its place."""
    word = data.get("error") if isinstance(data, dict) else None
    return word if isinstance(word, str) and _WORD.fullmatch(word) else None


def error_code(error: SlackApiError) -> str:
    """Return Slack's word for the error, or the kind of failure."""
    return from_answer(error.response.status_code, error.response.headers, error.response.data).error


def _wait(headers: Mapping[str, str]) -> timedelta | None:
    """Return how long Slack asks us to wait: `Retry-After` in seconds, with or without a fraction, or as a date."""
    by_name = {name.lower(): value for name, value in headers.items()}
    text = str(by_name.get("retry-after", ""))
    if number := re.match(r"\s*(\d+(?:\.\d+)?)", text):
        seconds = min(float(number[1]), _LONGEST_WAIT.total_seconds())
        return max(timedelta(seconds=seconds), _SHORTEST_WAIT)
    until, sent_at = _date(text), _date(str(by_name.get("date", "")))
    if until is None or sent_at is None:  # Both are Slack's, so our own clock does not matter.
        return None
    return min(max(until - sent_at, _SHORTEST_WAIT), _LONGEST_WAIT)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return date if date.tzinfo else None
