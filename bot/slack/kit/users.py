"""What Slack says of a user: a full member or not, and the e-mail by which the SIS knows them. Kept for ten minutes.

An e-mail counts only for accounts of our own workspace or organisation: another one, met in a shared channel, gives its
people whatever address it likes, and Slack calls them strangers only until they share a channel with us.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy import Engine, bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.access import SlackPerson
from bot.db.models.slack import SlackUser
from bot.db.session import transaction
from bot.slack.kit import api_errors

CACHE_LIFETIME = timedelta(minutes=10)
"""How long what Slack said of a user is kept."""


@dataclass(frozen=True)
class HomeWorkspace:
    """The workspace that installed us, and its Enterprise Grid organisation if it is in one."""

    team: str
    enterprise: str | None


_homes: dict[tuple[str, str | None], HomeWorkspace] = {}
"""By Slack's address and our token, which mean the same home for ever; asked once a process."""


_KNOWN = select(SlackUser.email, SlackUser.full_member).where(
    SlackUser.user_id == bindparam("user_id"), SlackUser.checked_at > bindparam("after")
)


def load_user(engine: Engine, client: WebClient, user_id: str, *, now: datetime) -> SlackPerson:
    """The person behind a Slack user id, asking Slack when what we hold is older than ten minutes.

    Raises:
        SlackApiError: Slack did not say; nobody is let in on a guess.
    """
    with transaction(engine) as session:
        said = session.execute(_KNOWN, {"user_id": user_id, "after": now - CACHE_LIFETIME}).first()
    if said:
        return SlackPerson(user_id, said.email, full_member=said.full_member)
    return fetch_user(engine, client, user_id, now=now)


def fetch_user(engine: Engine, client: WebClient, user_id: str, *, now: datetime) -> SlackPerson:
    """What Slack says of a user now, and keep it.

    Raises:
        SlackApiError: Slack did not say; nobody is let in on a guess.
    """
    said, home = _ask_slack(client, user_id), _home(client)
    is_ours = _is_full_member(said) and is_own_workspace(said, home)
    person = SlackPerson(user_id, said["profile"].get("email"), full_member=is_ours)
    _keep(engine, person, time_zone=said.get("tz"), now=now)
    return person


def _ask_slack(client: WebClient, user_id: str) -> dict[str, Any]:
    """A user whom Slack will not show us is a stranger, not a fault."""
    try:
        return dict(client.users_info(user=user_id)["user"])
    except SlackApiError as problem:
        if api_errors.error_code(problem) not in {"user_not_found", "user_not_visible"}:
            raise
        return {"is_stranger": True, "profile": {}}


def _home(client: WebClient) -> HomeWorkspace:
    key = (client.base_url, client.token)
    if key not in _homes:
        said = client.auth_test()
        _homes[key] = HomeWorkspace(said["team_id"], said.get("enterprise_id"))
    return _homes[key]


def is_own_workspace(user: dict[str, Any], home: HomeWorkspace) -> bool:
    """Of our workspace, or of another workspace of our organisation."""
    organisation = user.get("enterprise_user", {}).get("enterprise_id")
    return user.get("team_id") == home.team or (organisation is not None and organisation == home.enterprise)


def _is_full_member(user: dict[str, Any]) -> bool:
    """Guests, strangers from shared channels, bots and deactivated people are not; Slack leaves out flags that are false."""
    shut_out = ("deleted", "is_restricted", "is_ultra_restricted", "is_stranger", "is_bot", "is_app_user")
    return not any(user.get(flag, False) for flag in shut_out)


def user_time_zone(session: Session, user_id: str, *, otherwise: ZoneInfo) -> ZoneInfo:
    """The time zone that somebody set in Slack, for what they read outside of it."""
    user = session.get(SlackUser, user_id)
    try:
        return ZoneInfo(user.time_zone) if user and user.time_zone else otherwise
    except (ZoneInfoNotFoundError, ValueError):  # A zone that is newer than our tables of zones.
        return otherwise


def _keep(engine: Engine, person: SlackPerson, *, time_zone: str | None, now: datetime) -> None:
    values = {"email": person.email, "full_member": person.full_member, "time_zone": time_zone, "checked_at": now}
    statement = insert(SlackUser).values(user_id=person.user_id, **values)
    with transaction(engine) as session:
        session.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=values))
