"""One Slack workspace with one app installed, in memory. It stands for Slack and knows nothing of the app but its
manifest, its token and where to reach it.

    slack = Workspace(manifest, clock=clock)            # manifest: parsed manifest.yaml
    dana = slack.add_user("Dana Whitfield", email="dana@…", title="Attendance clerk")
    slack.add_channel("family-texts", members=[dana.id])
    with serving.serve(slack) as api_url:               # http://127.0.0.1:…/api/ for SLACK_API_URL
        slack.connect(deliver.InProcess(app))           # how Slack reaches the app
        answer = slack.person(dana.id).command("/cleanup", "grade 5 blocked")

Every change raises `version`. Everything here may be called from several threads.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.sandbox.slack.block_kit.state import Values
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.faults import Faults
from bot.sandbox.slack.keys import Keys
from bot.sandbox.slack.things import Answer, Call, Channel, ChannelKind, File, Message, User, View

if TYPE_CHECKING:
    from bot.sandbox.slack.deliver import Deliver
    from bot.sandbox.slack.people import Person

Clock = Callable[[], float]


class Workspace:
    team_id = "T0SANDBOX1"
    app_id = "A0SANDBOX1"
    bot_id = "B0SANDBOX1"
    bot_user_id = "U0SANDBOX1"

    def __init__(
        self,
        manifest: dict[str, Any],
        *,
        name: str = "Riverbend Schools",
        clock: Clock = time.time,
        bot_token: str = "xoxb-sandbox-bot",  # noqa: S107 - a made-up token for a made-up Slack.
        signing_secret: str = "sandbox-signing-secret",  # noqa: S107 - as above.
        base_url: str = "http://127.0.0.1:0",
        organisation: str | None = None,
    ) -> None:
        """`clock` gives seconds since the epoch; `base_url` is where the Web API will be served (`serve` sets it).

        `organisation` is the id of an Enterprise Grid that installed the app as a whole: interactions name no workspace then.
        """
        self.organisation = organisation
        self.manifest, self.name, self.clock = manifest, name, clock
        self.bot_token, self.signing_secret, self.base_url = bot_token, signing_secret, base_url
        self.lock = threading.RLock()
        self.version = 0
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[tuple[str, str], Message] = {}
        self.views: dict[str, View] = {}
        self.stacks: dict[str, list[str]] = {}
        self.homes: dict[str, str] = {}
        self.files: dict[str, File] = {}
        self.read_up_to: dict[tuple[str, str], str] = {}
        self.chosen: dict[tuple[str, str, str], Values] = {}
        self.toasts: dict[str, tuple[str, float]] = {}
        self.keys = Keys()
        self.faults = Faults()
        self.calls: list[Call] = []
        self.answers: list[Answer] = []
        self.deliver: Deliver | None = None
        self._last_id = 0
        self._last_ts = 0
        bot_name = manifest.get("display_information", {}).get("name", "The app")
        self.users[self.bot_user_id] = User(self.bot_user_id, bot_name, bot=True, team_id=self.team_id)

    @property
    def scopes(self) -> list[str]:
        """The bot scopes the manifest asks for, which are the scopes that were granted."""
        return list(self.manifest.get("oauth_config", {}).get("scopes", {}).get("bot", []))

    @property
    def bot_events(self) -> list[str]:
        return list(self.manifest.get("settings", {}).get("event_subscriptions", {}).get("bot_events", []))

    @property
    def is_interactive(self) -> bool:
        """Whether the manifest wants to hear of buttons, menus, dialogs and shortcuts."""
        return bool(self.manifest.get("settings", {}).get("interactivity", {}).get("is_enabled"))

    def connect(self, deliver: "Deliver") -> None:
        """Say how requests reach the app; without it every command fails as if the app were down."""
        self.deliver = deliver

    def person(self, user_id: str) -> "Person":
        """Somebody at a screen: what they can see and do."""
        from bot.sandbox.slack.people import Person

        return Person(self, self.user(user_id).id)

    def add_user(self, name: str, *, user_id: str | None = None, **traits: Any) -> User:
        """A member, unless `guest`, `stranger`, `bot`, … (fields of `User`) say otherwise; each gets a DM with the app."""
        with self.changing():
            home = "T0ELSEWHERE" if traits.get("stranger") else self.team_id
            user = User(user_id or self.new_id("U"), name, **{"team_id": home, **traits})
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
        **traits: Any,
    ) -> Channel:
        """A public channel, unless `private`, `shared` or `archived` say otherwise; `with_bot` invites the app."""
        with self.changing():
            inside = frozenset(members) | ({self.bot_user_id} if with_bot else frozenset())
            channel = Channel(channel_id or self.new_id("C"), name, members=inside, **traits)
            self.channels[channel.id] = channel
        return channel

    def app_dm(self, user_id: str) -> Channel:
        """The person's direct messages with the app: the Messages tab."""
        for channel in self.channels.values():
            if channel.kind is ChannelKind.APP and user_id in channel.members:
                return channel
        with self.changing():
            members = frozenset({user_id, self.bot_user_id})
            channel = Channel(self.new_id("D"), "", ChannelKind.APP, members, private=True)
            self.channels[channel.id] = channel
        return channel

    def alter_channel(self, channel_id: str, **traits: Any) -> Channel:
        with self.changing():
            self.channels[channel_id] = replace(self.channels[channel_id], **traits)
        return self.channels[channel_id]

    def alter_user(self, user_id: str, **traits: Any) -> User:
        with self.changing():
            self.users[user_id] = replace(self.users[user_id], **traits)
        return self.users[user_id]

    def user(self, user_id: str) -> User:
        if user_id not in self.users:
            raise SlackError("user_not_found")
        return self.users[user_id]

    def put(self, thing: Message | View) -> None:
        with self.changing():
            if isinstance(thing, Message):
                self.messages[thing.key] = thing
            else:
                self.views[thing.id] = thing

    def toast(self, user_id: str, text: str | None) -> None:
        """Show a passing notice on somebody's screen, or take it away."""
        with self.changing():
            self.toasts.pop(user_id, None)
            if text:
                self.toasts[user_id] = text, self.clock()

    def toast_of(self, user_id: str, *, within: float = float("inf")) -> str | None:
        """The notice that came up at most `within` seconds ago."""
        text, at = self.toasts.get(user_id, (None, 0.0))
        return text if self.clock() - at <= within else None

    @contextmanager
    def changing(self) -> Iterator[None]:
        with self.lock:
            yield
            self.version += 1

    def new_id(self, letter: str) -> str:
        with self.lock:
            self._last_id += 1
            return f"{letter}0{self._last_id:09d}"

    def new_ts(self) -> str:
        """A message timestamp of now, later than every one before it."""
        with self.lock:
            self._last_ts = max(self._last_ts + 1, int(self.clock() * 1_000_000))
            return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"
