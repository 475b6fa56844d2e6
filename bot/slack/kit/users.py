"""Users as Slack describes them: full member or not, and the email by which the SIS knows them. Cached for ten minutes, except where
it would get a person refused: what they mend in Slack counts at once.

An email counts only for accounts of our own workspace or organization: another organization, met in a shared channel, gives its
people any address it likes, and Slack marks them as strangers only until they share a channel with us.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy import Engine, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.access.identity import SlackIdentity
from bot.db.models.slack import SlackUser
from bot.db.session import transaction
from bot.filters.filter import plain_text
from bot.slack.kit import api_errors

CACHE_LIFETIME = timedelta(minutes=10)
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
_BETWEEN_WORDS = re.compile(r"[\s,;:<>()\"]+")
_MAX_MENTIONS = 3


@dataclass(frozen=True)
class HomeWorkspace:
    """The workspace that installed the app, and its Enterprise Grid organization if it is in one."""

    team: str
    enterprise: str | None


# By Slack's address and our token: the same pair always means the same workspace, so Slack is asked once per process.
_home_workspaces: dict[tuple[str, str | None], HomeWorkspace] = {}


def load_user(engine: Engine, client: WebClient, user_id: str, *, now: datetime) -> SlackIdentity:
    """Return the person behind a Slack user id; ask Slack where the cached answer is too old.

    Raises:
        SlackApiError: Slack did not answer; no one is let in on a guess.
    """
    known = select(SlackUser.email, SlackUser.full_member).where(
        SlackUser.user_id == user_id, SlackUser.checked_at > now - CACHE_LIFETIME
    )
    with transaction(engine) as session:
        row = session.execute(known).first()
    if row and row.full_member and row.email:
        return SlackIdentity(user_id, row.email, full_member=True)
    return fetch_user(engine, client, user_id, now=now)


def fetch_user(engine: Engine, client: WebClient, user_id: str, *, now: datetime) -> SlackIdentity:
    """Ask Slack about a user, and cache the answer.

    Raises:
        SlackApiError: Slack did not answer; no one is let in on a guess.
    """
    user, home = _users_info(client, user_id), _home_workspace(client)
    is_full_member = _is_full_member(user) and is_own_workspace(user, home)
    email, is_confirmed = user["profile"].get("email"), user.get("is_email_confirmed", True)
    person = SlackIdentity(user_id, email, full_member=is_full_member, email_confirmed=is_confirmed)
    values = {
        "email": person.proven_email,
        "full_member": person.full_member,
        "time_zone": user.get("tz"),
        "checked_at": now,
    }
    upsert = insert(SlackUser).values(user_id=person.user_id, **values)
    with transaction(engine) as session:
        session.execute(upsert.on_conflict_do_update(index_elements=["user_id"], set_=values))
    return person


def mentioned_emails(engine: Engine, client: WebClient, text: str, *, now: datetime) -> dict[str, str]:
    """Return the emails of the full members mentioned in a command, by Slack user id, and the emails typed in it; three of each.

    `/cleanup @Ana García` and `/cleanup ana.garcia@district.example` mean her students.
    """
    words = _BETWEEN_WORDS.split(plain_text(text).lower())
    typed = (word.rstrip(".") for word in words if "@" in word[1:])
    user_ids = list(dict.fromkeys(_MENTION.findall(text)))[:_MAX_MENTIONS]
    people = [load_user(engine, client, user_id, now=now) for user_id in user_ids]
    mentioned = {person.user_id: person.proven_email for person in people if person.proven_email}
    return mentioned | {address: address for address in islice(typed, _MAX_MENTIONS)}


def user_time_zone(session: Session, user_id: str, *, otherwise: ZoneInfo) -> ZoneInfo:
    """Return the time zone that a person set in Slack, for what they read outside of it."""
    user = session.get(SlackUser, user_id)
    try:
        return ZoneInfo(user.time_zone) if user and user.time_zone else otherwise
    except (ZoneInfoNotFoundError, ValueError):  # A zone that is newer than our time zone data.
        return otherwise


def _users_info(client: WebClient, user_id: str) -> dict[str, Any]:
    """A user that Slack does not show us is a stranger, not an error."""
    try:
        return dict(client.users_info(user=user_id)["user"])
    except SlackApiError as problem:
        if api_errors.error_code(problem) not in {"user_not_found", "user_not_visible"}:
            raise
        return {"is_stranger": True, "profile": {}}


def _home_workspace(client: WebClient) -> HomeWorkspace:
    key = (client.base_url, client.token)
    if key not in _home_workspaces:
        answer = client.auth_test()
        _home_workspaces[key] = HomeWorkspace(answer["team_id"], answer.get("enterprise_id"))
    return _home_workspaces[key]


def is_own_workspace(user: dict[str, Any], home: HomeWorkspace) -> bool:
    """Return whether a user belongs to our workspace, or to another workspace of our organization."""
    organization = user.get("enterprise_user", {}).get("enterprise_id")
    return user.get("team_id") == home.team or (organization is not None and organization == home.enterprise)


def _is_full_member(user: dict[str, Any]) -> bool:
    """Guests, strangers from shared channels, bots, and deactivated users are not. Slack leaves out flags that are false."""
    excluding = ("deleted", "is_restricted", "is_ultra_restricted", "is_stranger", "is_bot", "is_app_user")
    return not any(user.get(flag, False) for flag in excluding)
