"""Slack says no with a word, not with a status: every refusal of the Web API is HTTP 200 with `ok: false`."""

from collections.abc import Iterable
from typing import Any

from bot.sandbox.slack.block_kit.schema import Problem


class SlackError(Exception):
    """A refusal with Slack's error name; `extra` is what Slack sends beside it."""

    def __init__(self, error: str, *, problems: Iterable[Problem] = (), **extra: Any) -> None:
        self.error = error
        self.problems = list(problems)
        self.extra = extra
        super().__init__(f"{error}: {'; '.join(map(str, self.problems))}" if self.problems else error)

    def body(self) -> dict[str, Any]:
        messages = [str(problem) for problem in self.problems]
        detail = {"errors": [p.message for p in self.problems], "response_metadata": {"messages": messages}}
        return {"ok": False, "error": self.error, **(detail if messages else {}), **self.extra}


def missing(name: str) -> SlackError:
    return SlackError("invalid_arguments", problems=[Problem(f"/{name}", f"missing required field: {name}")])
