"""What Slack's no means: whether the same call may succeed later, and Slack's word for the reason."""

from datetime import timedelta

from slack_sdk.errors import SlackApiError

UNCLEAR = {"fatal_error", "internal_error", "service_unavailable", "request_timeout"}
"""Slack failed inside, and may have done what it was asked all the same."""

_PAUSE_SECONDS = 30


def error_code(problem: SlackApiError) -> str:
    data = problem.response.data
    if not isinstance(data, dict):
        return f"HTTP {problem.response.status_code}"
    return str(data["error"]) if "error" in data else "no reason given"


def is_rate_limited(problem: SlackApiError) -> bool:
    """Slack did nothing, because we ask too often."""
    return problem.response.status_code == 429 or error_code(problem) == "ratelimited"  # noqa: PLR2004


def retry_after(problem: SlackApiError) -> timedelta:
    """How long Slack wants us to wait then."""
    return timedelta(seconds=int(problem.response.headers.get("Retry-After", _PAUSE_SECONDS)))


def is_ambiguous(problem: SlackApiError) -> bool:
    return problem.response.status_code >= 500 or error_code(problem) in UNCLEAR  # noqa: PLR2004


def is_retryable(problem: SlackApiError) -> bool:
    return is_rate_limited(problem) or is_ambiguous(problem)
