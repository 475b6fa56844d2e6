"""Values in a workspace. All are frozen: a change stores a new value under the same id, so a test can compare what a
person saw earlier with what is there now.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from bot.sandbox.slack.block_kit.schema import Problem
from bot.sandbox.slack.block_kit.state import Values, state_values

Json = dict[str, Any]


class ChannelKind(StrEnum):
    CHANNEL = "channel"
    DM = "dm"
    APP = "app"


class UserKind(StrEnum):
    MEMBER = "member"
    GUEST = "guest"
    BOT = "bot"


@dataclass(frozen=True)
class User:
    """A person or bot. A `stranger` belongs to another company and appears in a shared channel."""

    id: str
    name: str
    email: str | None = None
    email_confirmed: bool = True
    title: str = ""
    guest: bool = False
    single_channel_guest: bool = False
    bot: bool = False
    deleted: bool = False
    stranger: bool = False
    team_id: str | None = None
    tz: str = "America/New_York"

    @property
    def kind(self) -> UserKind:
        if self.bot:
            return UserKind.BOT
        return UserKind.GUEST if self.guest or self.single_channel_guest or self.stranger else UserKind.MEMBER

    @property
    def handle(self) -> str:
        return "".join(c for c in self.name.lower().replace(" ", ".") if c.isalnum() or c == ".")

    @property
    def initials(self) -> str:
        words = [word for word in self.name.split() if word[0].isalnum()]
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


@dataclass(frozen=True)
class Channel:
    id: str
    name: str
    kind: ChannelKind = ChannelKind.CHANNEL
    members: frozenset[str] = frozenset()
    private: bool = False
    shared: bool = False
    archived: bool = False


@dataclass(frozen=True)
class File:
    """A file of the app, or of the person `user` who chose it in a dialog."""

    id: str
    name: str
    size: int
    title: str = ""
    content: bytes = b""
    user: str | None = None


@dataclass(frozen=True)
class Message:
    """`ephemeral_for` is the only user who sees the message, None when everyone in the channel does."""

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    ephemeral_for: str | None = None
    thread_ts: str | None = None
    metadata: Json | None = None
    files: tuple[File, ...] = ()
    by_app: bool = False
    edited: bool = False
    deleted: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.channel, self.ts


@dataclass(frozen=True)
class View:
    """A modal or Home tab on the screen of `user`; `entered` is what was typed and chosen in it so far."""

    id: str
    user: str
    body: Json
    hash: str
    root_id: str
    previous_id: str | None = None
    entered: Values = field(default_factory=dict)

    @property
    def blocks(self) -> list[Json]:
        blocks: list[Json] = self.body["blocks"]
        return blocks

    @property
    def is_modal(self) -> bool:
        return bool(self.body["type"] == "modal")

    @property
    def state(self) -> Values:
        return state_values(self.blocks, self.entered)


Surface = Message | View


def text_of(surface: Surface) -> str:
    """All text on a message or view, one line for each text object, in reading order, with ordinary spaces. For a message
    without blocks, its `text`.
    """
    if isinstance(surface, View):
        lines = [*_texts(surface.body.get("title")), *_texts(surface.blocks)]
    else:
        lines = list(_texts(surface.blocks)) or [surface.text]
    return "\n".join(lines).replace("\u00a0", " ")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for name, item in value.items():
            if name not in {"confirm", "placeholder"} and isinstance(item, dict | list):
                yield from _texts(item)


class RequestKind(StrEnum):
    """The request URL of the manifest that a request goes to."""

    COMMAND = "command"
    INTERACTIVITY = "interactivity"
    OPTIONS = "options"
    EVENTS = "events"


class Transport(Protocol):
    """How requests reach the app."""

    def __call__(self, headers: Mapping[str, str], body: bytes, /) -> tuple[int, Mapping[str, str], bytes]:
        """Send one request to the app and return its status, headers and body.

        Raises:
            TimeoutError: the app took longer than Slack waits.
            OSError: the app cannot be reached.
        """


@dataclass(frozen=True)
class Call:
    """One Web API request of the app, recorded before it is answered."""

    method: str
    arguments: Json
    at: float


@dataclass(frozen=True)
class AppResponse:
    """The app's response to one request of Slack."""

    kind: RequestKind
    status: int
    body: str


@dataclass(frozen=True)
class Outcome:
    """The result of something a person did, as the person sees it.

    `error` is the error code that Slack shows; `problems` say why Slack could not use the app's response, for developers.
    `errors` are the sentences under the fields of a dialog, by block_id. `message` is the message that the
    acknowledgment posted, `view` the top dialog afterwards, `confirm` the text of the confirmation that was shown.
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
