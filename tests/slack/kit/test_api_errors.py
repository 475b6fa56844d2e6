"""The table of what Slack answers, each word as the real client reads it from the strict local Slack."""

import errno
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from slack_sdk import WebClient

from bot.sandbox.slack.faults import Fault
from bot.slack.kit import api_errors
from bot.slack.kit.api_errors import Outcome

OURS = [
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "missing_scope",
    "org_login_required",
    "ekm_access_denied",
    "team_added_to_org",
]
LATER = ["ratelimited", "rate_limited", "message_limit_exceeded", "file_update_failed", "service_unavailable"]
UNCLEAR = ["internal_error", "fatal_error"]
REFUSED = [
    "not_in_channel",
    "is_archived",
    "invalid_blocks",
    "restricted_action",
    "user_disabled",
    "a_word_of_tomorrow",
]
WORDS = {
    **dict.fromkeys(OURS, Outcome.OURS),
    **dict.fromkeys(LATER, Outcome.LATER),
    **dict.fromkeys(UNCLEAR, Outcome.UNCLEAR),
    **dict.fromkeys(REFUSED, Outcome.REFUSED),
}


def post(office, channel=None):
    return api_errors.call(
        lambda: office.client.chat_postMessage(channel=channel or office.channel, text="Hello")["ts"]
    )


def failing_post(office, fault, **details):
    office.slack.faults.inject("chat.postMessage", fault, **details)
    return post(office)


def test_call_that_is_done_returns_its_answer(office):
    result = post(office)
    assert (result.outcome, result.error, result.may_succeed_later) == (Outcome.DONE, "", False)
    assert result.answer == office.clara.last(office.channel).ts


def test_every_word_of_the_table_has_its_outcome_and_advice(office):
    for word, rule in api_errors.RULES.items():
        result = failing_post(office, Fault.REFUSED, error=word)
        assert (result.outcome, result.error, result.advice) == (rule.outcome, word, rule.advice)


@pytest.mark.parametrize("word", WORDS)
def test_word_of_slack_has_its_outcome(office, word):
    result = failing_post(office, Fault.REFUSED, error=word)
    assert (result.outcome, result.error) == (WORDS[word], word)
    assert result.may_succeed_later == (word not in REFUSED)
    assert result.ends_round == (word in {*OURS, *LATER})


@pytest.mark.parametrize(
    ("fault", "outcome", "may_have_arrived"),
    [
        ({"fault": Fault.DROP}, Outcome.UNCLEAR, True),
        ({"fault": Fault.NOT_JSON}, Outcome.UNCLEAR, True),
        ({"fault": Fault.INTERNAL_ERROR}, Outcome.UNCLEAR, True),
        ({"fault": Fault.HTTP_500}, Outcome.LATER, True),
        ({"fault": Fault.HTTP_STATUS, "status": 503}, Outcome.LATER, True),
        ({"fault": Fault.HTTP_STATUS, "status": 408}, Outcome.LATER, False),
        ({"fault": Fault.RATELIMITED}, Outcome.LATER, False),
        ({"fault": Fault.HTTP_STATUS, "status": 403}, Outcome.OURS, False),
    ],
    ids=str,
)
def test_failure_without_a_word_is_not_a_refusal(office, fault, outcome, may_have_arrived):
    result = failing_post(office, **fault)
    assert (result.outcome, result.may_have_arrived, result.may_succeed_later) == (outcome, may_have_arrived, True)
    assert "<" not in result.error  # Nothing of a page that a proxy answered.


def in_seconds(seconds):
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("7.5", 7.5),
        ("0", 1),
        ("12 s", 12),
        ("30, 30", 30),
        ("", 30),
        ("soon", 30),
        ("-5", 30),
        ("9" * 400, 3600),
    ],
)
def test_retry_after_is_read_in_any_form(office, header, seconds):
    result = failing_post(office, Fault.RATELIMITED, retry_after=header)
    assert (result.outcome, result.retry_after) == (Outcome.LATER, timedelta(seconds=seconds))


@pytest.mark.parametrize(("seconds", "least", "most"), [(90, 60, 120), (-90, 1, 1), (86_400, 3600, 3600)])
def test_retry_after_may_be_a_date(office, seconds, least, most):
    result = failing_post(office, Fault.RATELIMITED, retry_after=in_seconds(seconds))
    assert timedelta(seconds=least) <= result.retry_after <= timedelta(seconds=most)


def test_refusal_has_slacks_word(office):
    result = post(office, channel="C0NOWHERE")
    assert (result.outcome, result.error, result.may_succeed_later) == (Outcome.REFUSED, "channel_not_found", False)


def test_no_connection_means_that_slack_did_nothing():
    client = WebClient(token="xoxb-1", base_url="http://127.0.0.1:1/", retry_handlers=[])
    result = api_errors.call(client.auth_test)
    assert (result.outcome, result.error, result.may_have_arrived) == (Outcome.LATER, "connection refused", False)


def test_no_answer_in_time_may_have_arrived(office):
    office.slack.faults.inject("auth.test", Fault.DELAY, seconds=1.5)
    client = WebClient(office.slack.bot_token, base_url=office.settings.slack_api_url, timeout=1, retry_handlers=[])
    result = api_errors.call(client.auth_test)
    assert (result.outcome, result.may_have_arrived) == (Outcome.LATER, True)


@pytest.mark.parametrize("error", [KeyError("missing"), OSError(errno.ENOSPC, "disk full"), FileNotFoundError()])
def test_other_errors_are_raised(error):
    def fail():
        raise error

    with pytest.raises(type(error)):
        api_errors.call(fail)
