"""Colleagues whom a command mentions: `/cleanup @Ana García` means her students."""

import re

from slack_sdk import WebClient

from bot.slack.kit import users
from bot.slack.kit.context import AppContext

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
_MOST = 3


def emails(desk: AppContext, client: WebClient, text: str) -> dict[str, str]:
    """The addresses of full members who are mentioned, at most three of them, by Slack user id."""
    mentioned = dict.fromkeys(_MENTION.findall(text))
    people = [users.load_user(desk.engine, client, one, now=desk.now()) for one in list(mentioned)[:_MOST]]
    return {one.user_id: one.email for one in people if one.full_member and one.email}
