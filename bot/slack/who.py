"""What Slack says of a user: a full member or not, and the e-mail by which the SIS knows them. Kept for ten minutes."""

from datetime import datetime, timedelta
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert

from bot import db
from bot.access import SlackPerson
from bot.models import SlackUser

_FRESH = timedelta(minutes=10)


def look_up(engine: Engine, client: WebClient, user_id: str, *, now: datetime) -> SlackPerson:
    """The person behind a Slack user id, asking Slack when what we hold is older than ten minutes.

    Raises:
        SlackApiError: Slack did not say; nobody is let in on a guess.
    """
    with db.transaction(engine) as session:
        known = session.get(SlackUser, user_id)
    if known and now - known.checked_at < _FRESH:
        return SlackPerson(known.user_id, known.email, full_member=known.full_member)
    said = _ask_slack(client, user_id)
    person = SlackPerson(user_id, said["profile"].get("email"), full_member=_is_full_member(said))
    _keep(engine, person, time_zone=said.get("tz"), now=now)
    return person


def _ask_slack(client: WebClient, user_id: str) -> dict[str, Any]:
    """A user whom Slack will not show us is a stranger, not a fault."""
    try:
        return dict(client.users_info(user=user_id)["user"])
    except SlackApiError as problem:
        if problem.response["error"] not in {"user_not_found", "user_not_visible"}:
            raise
        return {"is_stranger": True, "profile": {}}


def _is_full_member(user: dict[str, Any]) -> bool:
    """Guests, strangers from shared channels, bots and deactivated people are not; Slack leaves out flags that are false."""
    shut_out = ("deleted", "is_restricted", "is_ultra_restricted", "is_stranger", "is_bot", "is_app_user")
    return not any(user.get(flag, False) for flag in shut_out)


def _keep(engine: Engine, person: SlackPerson, *, time_zone: str | None, now: datetime) -> None:
    values = {"email": person.email, "full_member": person.full_member, "time_zone": time_zone, "checked_at": now}
    statement = insert(SlackUser).values(user_id=person.user_id, **values)
    with db.transaction(engine) as session:
        session.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=values))
