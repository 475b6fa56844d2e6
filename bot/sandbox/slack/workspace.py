"""All state of one Slack workspace with one app installed. Of the app it has only the manifest, the token, and
the transport that reaches it.

    slack = Workspace(manifest, clock=clock)            # manifest: parsed manifest.yaml
    dana = slack.add_user("Dana Whitfield", email="dana@...", title="Attendance clerk")
    slack.add_channel("family-texts", members=[dana.id])
    with server.serve(slack) as api_url:                # http://127.0.0.1:.../api/ for SLACK_API_URL
        slack.connect(delivery.InProcess(app))          # how requests reach the app
        outcome = Person(slack, dana.id).command("/cleanup", "grade 5 blocked")

Every change increases `version`. All methods may be called from several threads.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from bot.sandbox.slack.block_kit.state import Values
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.faults import Faults
from bot.sandbox.slack.models import AppResponse, Call, Channel, ChannelKind, File, Json, Message, Transport, User, View

TRIGGER_SECONDS = 3.0
RESPONSE_URL_SECONDS = 30 * 60.0
RESPONSE_URL_USES = 5


@dataclass
class Trigger:
    user: str
    issued_at: float
    used: bool = False


@dataclass
class ResponseUrl:
    """`original` is the message that a response may replace: the one acted on, or the app's first response."""

    user: str
    channel: str
    issued_at: float
    original: tuple[str, str] | None = None
    uses: int = 0


class Workspace:
    team_id = "T0SANDBOX1"
    app_id = "A0SANDBOX1"
    bot_id = "B0SANDBOX1"
    bot_user_id = "U0SANDBOX1"

    def __init__(
        self,
        manifest: Json,
        *,
        name: str = "Riverbend Schools",
        clock: Callable[[], float] = time.time,
        bot_token: str = "xoxb-sandbox-bot",  # noqa: S107 - a made-up token of a made-up Slack.
        signing_secret: str = "sandbox-signing-secret",  # noqa: S107 - as above.
        base_url: str = "http://127.0.0.1:0",
        enterprise_id: str | None = None,
    ) -> None:
        """`clock` returns seconds since the epoch; `base_url` is where the Web API is served (`server.serve` sets it).

        `enterprise_id` is an Enterprise Grid organization that installed the app: its interactions name no workspace.
        """
        self.manifest, self.name, self.clock = manifest, name, clock
        self.bot_token, self.signing_secret, self.base_url = bot_token, signing_secret, base_url
        self.enterprise_id = enterprise_id
        self.lock = threading.RLock()
        self.version = 0
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[tuple[str, str], Message] = {}
        self.views: dict[str, View] = {}
        # user -> ids of the open modals, the top one last
        self.modals: dict[str, list[str]] = {}
        # user -> id of the Home view
        self.homes: dict[str, str] = {}
        self.files: dict[str, File] = {}
        # (channel, user) -> ts of the last message read
        self.read_up_to: dict[tuple[str, str], str] = {}
        # (user, channel, ts) -> values chosen in the menus of a message
        self.chosen: dict[tuple[str, str, str], Values] = {}
        # Types of blocks that this workspace does not have yet, as some real ones.
        self.refused_blocks: set[str] = set()
        self.faults = Faults()
        self.calls: list[Call] = []
        self.responses: list[AppResponse] = []
        self.transport: Transport | None = None
        self._toasts: dict[str, tuple[str, float]] = {}
        self._triggers: dict[str, Trigger] = {}
        self._response_urls: dict[str, ResponseUrl] = {}
        self._last_id = 0
        self._last_ts = 0
        bot_name = manifest.get("display_information", {}).get("name", "The app")
        self.users[self.bot_user_id] = User(self.bot_user_id, bot_name, bot=True, team_id=self.team_id)

    @property
    def scopes(self) -> list[str]:
        """The bot scopes in the manifest, all of which are granted."""
        return list(self.manifest.get("oauth_config", {}).get("scopes", {}).get("bot", []))

    @property
    def bot_events(self) -> list[str]:
        return list(self.manifest.get("settings", {}).get("event_subscriptions", {}).get("bot_events", []))

    @property
    def is_interactive(self) -> bool:
        """Whether the manifest enables buttons, menus, dialogs and shortcuts."""
        return bool(self.manifest.get("settings", {}).get("interactivity", {}).get("is_enabled"))

    @property
    def commands(self) -> list[Json]:
        """The slash commands of the manifest; none without the scope `commands`."""
        return list(self.manifest.get("features", {}).get("slash_commands", [])) if "commands" in self.scopes else []

    @property
    def shortcuts(self) -> list[Json]:
        return list(self.manifest.get("features", {}).get("shortcuts", []))

    def connect(self, transport: Transport) -> None:
        """Set how requests reach the app; without it every request fails as if the app were down."""
        self.transport = transport

    def add_user(self, name: str, *, user_id: str | None = None, **fields: Any) -> User:
        """Add a member with a DM with the app, unless `fields` of `User` (`guest`, `stranger`, `bot` ...) say otherwise."""
        with self.changing():
            home = "T0ELSEWHERE" if fields.get("stranger") else self.team_id
            user = User(user_id or self.new_id("U"), name, **{"team_id": home, **fields})
            self.users[user.id] = user
            self.app_dm(user.id)
        return user

    def add_channel(
        self,
        name: str,
        *,
        members: Iterable[str] = (),
        with_bot: bool = False,
        channel_id: str | None = None,
        **fields: Any,
    ) -> Channel:
        """Add a public channel, unless `private`, `shared` or `archived` say otherwise; `with_bot` adds the app."""
        with self.changing():
            member_ids = frozenset(members) | ({self.bot_user_id} if with_bot else frozenset())
            channel = Channel(channel_id or self.new_id("C"), name, members=member_ids, **fields)
            self.channels[channel.id] = channel
        return channel

    def app_dm(self, user_id: str) -> Channel:
        """The user's direct messages with the app: the Messages tab."""
        for channel in self.channels.values():
            if channel.kind is ChannelKind.APP and user_id in channel.members:
                return channel
        with self.changing():
            members = frozenset({user_id, self.bot_user_id})
            channel = Channel(self.new_id("D"), "", ChannelKind.APP, members, private=True)
            self.channels[channel.id] = channel
        return channel

    def update_channel(self, channel_id: str, **fields: Any) -> Channel:
        with self.changing():
            self.channels[channel_id] = replace(self.channels[channel_id], **fields)
        return self.channels[channel_id]

    def update_user(self, user_id: str, **fields: Any) -> User:
        with self.changing():
            self.users[user_id] = replace(self.users[user_id], **fields)
        return self.users[user_id]

    def user(self, user_id: str) -> User:
        if user_id not in self.users:
            raise SlackError("user_not_found")
        return self.users[user_id]

    def store(self, value: Message | View) -> None:
        with self.changing():
            if isinstance(value, Message):
                self.messages[value.key] = value
            else:
                self.views[value.id] = value

    def add_file(self, user_id: str, name: str, content: bytes) -> File:
        """Store a file that a person chose in a dialog. It is theirs, and in no conversation."""
        with self.changing():
            file = File(self.new_id("F"), name, len(content), content=content, user=user_id)
            self.files[file.id] = file
        return file

    def mark_read(self, channel: str, user: str, ts: str) -> None:
        with self.changing():
            self.read_up_to[channel, user] = ts

    def show_toast(self, user_id: str, text: str | None) -> None:
        """Show a temporary notice on the user's screen, or remove it."""
        with self.changing():
            self._toasts.pop(user_id, None)
            if text:
                self._toasts[user_id] = text, self.clock()

    def toast(self, user_id: str, *, within: float = float("inf")) -> str | None:
        """The notice that was shown at most `within` seconds ago."""
        text, at = self._toasts.get(user_id, (None, 0.0))
        return text if self.clock() - at <= within else None

    def new_trigger(self, user: str) -> str:
        trigger_id = f"{int(self.clock() * 1000)}.{secrets.randbelow(10**10):010}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = Trigger(user, self.clock())
        return trigger_id

    def redeem_trigger(self, trigger_id: str) -> str:
        """Use up a trigger id, which is valid once and for 3 s, and return the user whose action issued it."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self.clock() - trigger.issued_at > TRIGGER_SECONDS:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger.user

    def new_response_url(self, user: str, channel: str, *, original: tuple[str, str] | None = None) -> str:
        hook_id = secrets.token_urlsafe(18)
        self._response_urls[hook_id] = ResponseUrl(user, channel, self.clock(), original)
        return f"{self.base_url}/hooks/{hook_id}"

    def response_url(self, url: str) -> ResponseUrl:
        """A response URL by itself or by its last segment."""
        hook = self._response_urls.get(url.rpartition("/")[2])
        if hook is None:
            raise SlackError("invalid_url")
        return hook

    def use_response_url(self, url: str) -> ResponseUrl:
        """Count one use of a response URL, which is valid 5 times and for 30 minutes."""
        hook = self.response_url(url)
        if self.clock() - hook.issued_at > RESPONSE_URL_SECONDS:
            raise SlackError("expired_url")
        if hook.uses >= RESPONSE_URL_USES:
            raise SlackError("used_url")
        hook.uses += 1
        return hook

    @contextmanager
    def changing(self) -> Iterator[None]:
        with self.lock:
            yield
            self.version += 1

    def new_id(self, prefix: str) -> str:
        with self.lock:
            self._last_id += 1
            return f"{prefix}0{self._last_id:09d}"

    def new_ts(self) -> str:
        """A message timestamp of now, later than all earlier ones."""
        with self.lock:
            self._last_ts = max(self._last_ts + 1, int(self.clock() * 1_000_000))
            return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"
