"""Is everything in place? One check a line, each saying what to do. `/readyz` asks those of the database, `doctor` all.

A check that is not needed here (`ok` is None) fails nothing: a district on Socket Mode has no signing secret.
"""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from slack_sdk.errors import SlackApiError
from sqlalchemy import Engine, func, select

from bot.app import slack_client
from bot.cli import manifest
from bot.downloads.mail import check_server
from bot.errors import UserError
from bot.providers import registry
from bot.settings import Settings
from bot.sis import chosen
from bot.slack.kit import api_errors
from bot.web.readiness import Check, readiness_checks

_SKEW = timedelta(seconds=60)


def run_checks(settings: Settings, engine: Engine, *, now: datetime) -> list[Check]:
    """Every check, in the order in which to mend."""
    found = readiness_checks(engine, now=now)
    if found[0].ok:
        found.append(skew("clock and database", _database_time(engine), now))
    return [*found, sis_source(settings), *_slack(settings, now), *_secrets(settings)]


def sis_source(settings: Settings) -> Check:
    """Whether the SIS that is set can be read now."""
    name = "SIS source"
    try:
        source = chosen.source_of(settings)
        if source is None:
            return Check(
                name,
                ok=None,
                said="is not set, so nothing is synced at night; set SIS_ONEROSTER_URL or SIS_ONEROSTER_CSV.",
            )
        return Check(name, ok=True, said=f"{source.name} {source.try_out()}.")
    except UserError as problem:
        return Check(name, ok=False, said=f"cannot be read: {problem.sentence}")


def _database_time(engine: Engine) -> datetime | None:
    with engine.connect() as connection:
        return connection.scalar(select(func.clock_timestamp()))


def skew(name: str, other: datetime | None, now: datetime) -> Check:
    """Whether another clock says what ours does, and by how much it is off; None where it told no time."""
    if other is None:
        return Check(name, ok=None, said="told no time to compare with.")
    off = abs(now - other)
    if off > _SKEW:
        return Check(
            name,
            ok=False,
            said=f"differ by {off.total_seconds():,.0f} s; turn on time synchronisation (Slack allows 300 s).",
        )
    return Check(name, ok=True, said="agree.")


def _slack(settings: Settings, now: datetime) -> list[Check]:
    token = "Slack token"  # noqa: S105 - the name of the check.
    if settings.slack_bot_token is None:
        return [
            Check(
                token,
                ok=False,
                said="SLACK_BOT_TOKEN is not set; copy it from the app's page, under OAuth & Permissions.",
            )
        ]
    try:
        answer = slack_client(settings).auth_test()
    except SlackApiError as problem:
        return [
            Check(
                token,
                ok=False,
                said=f"is refused ({api_errors.error_code(problem)}); install the app again and copy the new token.",
            )
        ]
    except OSError:
        return [Check(token, ok=False, said=f"could not be tried: {settings.slack_api_url} does not answer.")]
    headers = {name.lower(): value for name, value in answer.headers.items()}
    said_at = headers.get("date")
    accepted = f"belongs to {answer.get('user')} in {answer.get('team')}."
    return [
        Check(token, ok=True, said=accepted),
        _scopes(headers.get("x-oauth-scopes")),
        skew("clock and Slack", parsedate_to_datetime(said_at) if said_at else None, now),
    ]


def _scopes(granted: str | None) -> Check:
    name = "Slack scopes"
    if granted is None:
        return Check(name, ok=None, said="were not told by Slack.")
    wanted = manifest.read()["oauth_config"]["scopes"]
    have = {scope.strip() for scope in granted.split(",")}
    missing = [scope for scope in wanted["bot"] if scope not in have]
    if needed := [scope for scope in missing if scope not in wanted["bot_optional"]]:
        return Check(name, ok=False, said=f"lack {', '.join(needed)}; add them on the app's page and install it again.")
    if missing:
        return Check(name, ok=True, said=f"are those of the manifest (without the optional {', '.join(missing)}).")
    return Check(name, ok=True, said="are those of the manifest.")


def _secrets(settings: Settings) -> list[Check]:
    return [_signing(settings), _ingest(settings), _receipts(settings), _mail(settings)]


def _signing(settings: Settings) -> Check:
    if settings.slack_signing_secret:
        return Check("SLACK_SIGNING_SECRET", ok=True, said="is set.")
    if settings.slack_app_token:
        return Check("SLACK_SIGNING_SECRET", ok=None, said="is not set; Socket Mode needs none.")
    return Check(
        "SLACK_SIGNING_SECRET",
        ok=False,
        said=(
            "is not set; copy it from the app's page, under Basic Information (or set SLACK_APP_TOKEN for Socket Mode)."
        ),
    )


def _receipts(settings: Settings) -> Check:
    name = "receipts"
    heard = [one for one, provider in registry.BY_NAME.items() if settings.secret(provider.SECRET)]
    if heard:
        return Check(name, ok=True, said=f"are taken from {', '.join(heard)}.")
    known = ", ".join(provider.SECRET.upper() for provider in registry.BY_NAME.values())
    return Check(name, ok=None, said=f"are taken from no provider; set the secret of yours ({known}).")


def _mail(settings: Settings) -> Check:
    server = settings.secret("smtp_url")
    if server is None:
        return Check("SMTP_URL", ok=None, said="is not set; lists that staff download are sent in direct messages.")
    try:
        return Check("SMTP_URL", ok=True, said=f"{check_server(server)} takes our mail.")
    except UserError as problem:
        return Check("SMTP_URL", ok=False, said=f"cannot be used: {problem.sentence}")


def _ingest(settings: Settings) -> Check:
    if settings.ingest_token:
        return Check("INGEST_TOKEN", ok=True, said="is set.")
    return Check("INGEST_TOKEN", ok=None, said="is not set; set it so that your sender can register mass messages.")
