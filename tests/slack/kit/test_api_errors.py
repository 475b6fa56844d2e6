"""The result of a call to Slack, by what Slack answers or how the connection fails."""

from datetime import timedelta

import pytest
from slack_sdk import WebClient

from bot.sandbox.slack.faults import Fault
from bot.slack.kit import api_errors
from bot.slack.kit.api_errors import Outcome


def post(office, channel=None):
    return api_errors.call(
        lambda: office.client.chat_postMessage(channel=channel or office.channel, text="Hello")["ts"]
    )


def test_call_that_is_done_returns_its_answer(office):
    result = post(office)
    assert (result.outcome, result.error, result.may_succeed_later) == (Outcome.DONE, "", False)
    assert result.answer == office.clara.last(office.channel).ts


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault.DROP, Outcome.UNCLEAR),
        (Fault.HTTP_500, Outcome.UNCLEAR),
        (Fault.INTERNAL_ERROR, Outcome.UNCLEAR),
        (Fault.RATELIMITED, Outcome.RATE_LIMITED),
    ],
)
def test_failure_that_may_pass_is_not_a_refusal(office, fault, outcome):
    office.slack.faults.inject("chat.postMessage", fault, seconds=7)
    result = post(office)
    assert (result.outcome, result.answer, result.may_succeed_later) == (outcome, None, True)
    waits = 7 if fault is Fault.RATELIMITED else 60
    assert result.retry_after == timedelta(seconds=waits)


def test_refusal_has_slacks_word(office):
    result = post(office, channel="C0NOWHERE")
    assert (result.outcome, result.error, result.may_succeed_later) == (Outcome.REFUSED, "channel_not_found", False)


def test_refused_connection_means_that_slack_did_nothing():
    client = WebClient(token="xoxb-1", base_url="http://127.0.0.1:1/", retry_handlers=[])
    result = api_errors.call(client.auth_test)
    assert (result.outcome, result.error) == (Outcome.UNREACHABLE, "connection refused")


def test_other_errors_are_raised():
    with pytest.raises(KeyError):
        api_errors.call(lambda: {}["missing"])
