"""What is in a workspace: people, conversations, messages, dialogs, files. All are frozen: a change makes a new value
under the same id, so what a test or a person saw earlier stays as it was seen and can be told from what is there now.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.sandbox.slack.block_kit.state import Values, values

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
    """A person or bot. `stranger` is somebody of another company who is met in a shared channel."""

    id: str
    name: str
    email: str | None = None
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
    id: str
    name: str
    size: int
    title: str = ""
    content: bytes = b""


@dataclass(frozen=True)
class Message:
    """A message as it stands; `ephemeral_for` is the one person who sees it, None when the channel does."""

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
    """A modal or Home tab, open on the screen of `user`; `entered` is what was typed and chosen in it so far."""

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
    def modal(self) -> bool:
        return bool(self.body["type"] == "modal")

    @property
    def state(self) -> Values:
        return values(self.blocks, self.entered)


@dataclass(frozen=True)
class Call:
    """One request of the app to the Web API, recorded before it is answered."""

    method: str
    arguments: Json
    at: float


@dataclass(frozen=True)
class Answer:
    """What the app said in reply to a delivery: the body of an acknowledgement."""

    kind: str
    status: int
    body: str
