"""What came of something a person did, as that person saw it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.sandbox.slack.block_kit.schema import Problem
from bot.sandbox.slack.things import Json, Message, View


class NotOnScreen(LookupError):  # noqa: N818 - it reads as what happened.
    """There is no such button, menu, field or dialog on the person's screen now."""


@dataclass(frozen=True)
class Outcome:
    """`error` is Slack's word for what the person was told went wrong, None when nothing did.

    `problems` say why Slack could not use the app's answer; they are for the developer, the person never sees them.
    `errors` are the sentences under the fields of a dialog, by block_id. `message` is what an acknowledgement put on
    the screen, `view` the dialog on top afterwards, `confirm` the text of the dialog that asked first.
    """

    error: str | None = None
    problems: tuple[Problem, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    message: Message | None = None
    view: View | None = None
    options: tuple[Json, ...] = ()
    confirm: str | None = None
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return self.error is None and not self.errors


TROUBLE = "trouble_connecting"

_SENTENCES = {
    TROUBLE: "We had some trouble connecting. Try again?",
    "operation_timeout": "{what} failed with the error “operation_timeout”: the app took longer than 3 seconds.",
    "dispatch_failed": "{what} failed with the error “dispatch_failed”: the app could not be reached.",
    "invalid_command_response": "{what} failed with the error “invalid_command_response”.",
    "invalid_command": "{what} is not a valid command.",
}


def sentence(error: str, what: str) -> str:
    """What the person reads for an error word."""
    return _SENTENCES.get(error, "{what} failed with the error “" + error + "”.").format(what=what)
