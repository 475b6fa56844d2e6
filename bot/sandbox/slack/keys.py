"""What a delivery hands to the app so that it may act for a moment: trigger ids (once, within 3 s) and response URLs
(5 times within 30 minutes). Times are seconds of the workspace's clock.
"""

import secrets
from dataclasses import dataclass, field

from bot.sandbox.slack.errors import SlackError

TRIGGER_LIVES = 3.0
RESPONSE_URL_LIVES = 30 * 60.0
RESPONSE_URL_USES = 5


@dataclass
class Trigger:
    user: str
    issued_at: float
    used: bool = False


@dataclass
class Hook:
    """A response URL. `original` is the message it may replace: the one acted on, or the app's first answer."""

    user: str
    channel: str
    issued_at: float
    original: tuple[str, str] | None = None
    uses: int = 0


@dataclass
class Keys:
    triggers: dict[str, Trigger] = field(default_factory=dict)
    hooks: dict[str, Hook] = field(default_factory=dict)

    def issue_trigger(self, user: str, now: float) -> str:
        trigger_id = f"{int(now * 1000)}.{secrets.randbelow(10**10):010}.{secrets.token_hex(16)}"
        self.triggers[trigger_id] = Trigger(user, now)
        return trigger_id

    def exchange_trigger(self, trigger_id: str, now: float) -> str:
        """Use a trigger id up; the user whose act issued it."""
        if not trigger_id or trigger_id not in self.triggers:
            raise SlackError("invalid_trigger_id")
        trigger = self.triggers[trigger_id]
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if now - trigger.issued_at > TRIGGER_LIVES:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger.user

    def issue_hook(self, user: str, channel: str, now: float, original: tuple[str, str] | None = None) -> str:
        hook_id = secrets.token_urlsafe(18)
        self.hooks[hook_id] = Hook(user, channel, now, original)
        return hook_id

    def use_hook(self, hook_id: str, now: float) -> Hook:
        hook = self.hooks.get(hook_id)
        if hook is None:
            raise SlackError("invalid_url")
        if now - hook.issued_at > RESPONSE_URL_LIVES:
            raise SlackError("expired_url")
        if hook.uses >= RESPONSE_URL_USES:
            raise SlackError("used_url")
        hook.uses += 1
        return hook
