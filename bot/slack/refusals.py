"""What Slack's no means: whether the same call may succeed later, and Slack's word for the reason."""

from datetime import timedelta

from slack_sdk.errors import SlackApiError

from bot.wording import say

UNCLEAR = {"fatal_error", "internal_error", "service_unavailable", "request_timeout"}
"""Slack failed inside, and may have done what it was asked all the same."""

_PAUSE_SECONDS = 30


def word(problem: SlackApiError) -> str:
    data = problem.response.data
    if not isinstance(data, dict):
        return say("refusals.status", status=problem.response.status_code)
    return str(data["error"]) if "error" in data else say("refusals.no_reason")


def is_rate(problem: SlackApiError) -> bool:
    """Slack did nothing, because we ask too often."""
    return problem.response.status_code == 429 or word(problem) == "ratelimited"  # noqa: PLR2004


def pause(problem: SlackApiError) -> timedelta:
    """How long Slack wants us to wait then."""
    return timedelta(seconds=int(problem.response.headers.get("Retry-After", _PAUSE_SECONDS)))


def is_unclear(problem: SlackApiError) -> bool:
    return problem.response.status_code >= 500 or word(problem) in UNCLEAR  # noqa: PLR2004


def may_pass(problem: SlackApiError) -> bool:
    return is_rate(problem) or is_unclear(problem)
