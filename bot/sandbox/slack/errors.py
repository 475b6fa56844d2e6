"""Refusals. Slack refuses with an error code and HTTP 200: `{"ok": false, "error": ...}`."""

from collections.abc import Iterable
from typing import Any

from bot.sandbox.slack.block_kit.schema import Problem

TROUBLE_CONNECTING = "trouble_connecting"


class SlackError(Exception):
    """A refusal with Slack's error code; `extra` is what Slack sends beside it."""

    def __init__(self, error: str, *, problems: Iterable[Problem] = (), **extra: Any) -> None:
        self.error = error
        self.problems = list(problems)
        self.extra = extra
        super().__init__(f"{error}: {'; '.join(map(str, self.problems))}" if self.problems else error)

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"ok": False, "error": self.error}
        if self.problems:
            body["errors"] = [problem.message for problem in self.problems]
            body["response_metadata"] = {"messages": [str(problem) for problem in self.problems]}
        return body | self.extra


class NotOnScreen(LookupError):  # noqa: N818 - named for what happened.
    """There is no such button, menu, field or dialog on the person's screen now."""


def invalid_argument(name: str, message: str) -> SlackError:
    return SlackError("invalid_arguments", problems=[Problem(f"/{name}", message)])


def missing_argument(name: str) -> SlackError:
    return invalid_argument(name, f"missing required field: {name}")


def error_sentence(error: str, action: str = "That") -> str:
    """The sentence that Slack shows for an error code; `action` is the command, or "That"."""
    match error:
        case "trouble_connecting":
            return "We had some trouble connecting. Try again?"
        case "operation_timeout":
            return f"{action} failed with the error “operation_timeout”: the app took longer than 3 seconds."
        case "dispatch_failed":
            return f"{action} failed with the error “dispatch_failed”: the app could not be reached."
        case "invalid_command":
            return f"{action} is not a valid command."
        case _:
            return f"{action} failed with the error “{error}”."
