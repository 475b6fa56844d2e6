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
from bot.wording import say

_SKEW = timedelta(seconds=60)


def run_checks(settings: Settings, engine: Engine, *, now: datetime) -> list[Check]:
    """Every check, in the order in which to mend."""
    found = readiness_checks(engine, now=now)
    if found[0].ok:
        found.append(skew(say("doctor.clocks.database"), _database_time(engine), now))
    return [*found, sis_source(settings), *_slack(settings, now), *_secrets(settings)]


def sis_source(settings: Settings) -> Check:
    """Whether the SIS that is set can be read now."""
    name = say("doctor.sis_source.name")
    try:
        source = chosen.source_of(settings)
        if source is None:
            return Check(name, ok=None, said=say("doctor.sis_source.unset"))
        return Check(name, ok=True, said=f"{source.name} {source.try_out()}.")
    except UserError as problem:
        return Check(name, ok=False, said=say("doctor.sis_source.unreadable", why=problem.sentence))


def _database_time(engine: Engine) -> datetime | None:
    with engine.connect() as connection:
        return connection.scalar(select(func.clock_timestamp()))


def skew(name: str, other: datetime | None, now: datetime) -> Check:
    """Whether another clock says what ours does, and by how much it is off; None where it told no time."""
    if other is None:
        return Check(name, ok=None, said=say("doctor.clocks.silent"))
    off = abs(now - other)
    if off > _SKEW:
        return Check(name, ok=False, said=say("doctor.clocks.differ", seconds=off.total_seconds()))
    return Check(name, ok=True, said=say("doctor.clocks.agree"))


def _slack(settings: Settings, now: datetime) -> list[Check]:
    token = say("doctor.slack_token.name")
    if settings.slack_bot_token is None:
        return [Check(token, ok=False, said=say("doctor.slack_token.unset"))]
    try:
        answer = slack_client(settings).auth_test()
    except SlackApiError as problem:
        return [Check(token, ok=False, said=say("doctor.slack_token.refused", error=api_errors.error_code(problem)))]
    except OSError:
        return [Check(token, ok=False, said=say("doctor.slack_token.untried", url=settings.slack_api_url))]
    headers = {name.lower(): value for name, value in answer.headers.items()}
    said_at = headers.get("date")
    accepted = say("doctor.slack_token.accepted", user=answer.get("user"), team=answer.get("team"))
    return [
        Check(token, ok=True, said=accepted),
        _scopes(headers.get("x-oauth-scopes")),
        skew(say("doctor.clocks.slack"), parsedate_to_datetime(said_at) if said_at else None, now),
    ]


def _scopes(granted: str | None) -> Check:
    name = say("doctor.slack_scopes.name")
    if granted is None:
        return Check(name, ok=None, said=say("doctor.slack_scopes.untold"))
    wanted = manifest.read()["oauth_config"]["scopes"]
    have = {scope.strip() for scope in granted.split(",")}
    missing = [scope for scope in wanted["bot"] if scope not in have]
    if needed := [scope for scope in missing if scope not in wanted["bot_optional"]]:
        return Check(name, ok=False, said=say("doctor.slack_scopes.lacking", scopes=", ".join(needed)))
    if missing:
        return Check(name, ok=True, said=say("doctor.slack_scopes.without_optional", scopes=", ".join(missing)))
    return Check(name, ok=True, said=say("doctor.slack_scopes.granted"))


def _secrets(settings: Settings) -> list[Check]:
    return [_signing(settings), _ingest(settings), _receipts(settings), _mail(settings)]


def _signing(settings: Settings) -> Check:
    if settings.slack_signing_secret:
        return Check("SLACK_SIGNING_SECRET", ok=True, said=say("doctor.secret.set"))
    if settings.slack_app_token:
        return Check("SLACK_SIGNING_SECRET", ok=None, said=say("doctor.signing.not_needed"))
    return Check("SLACK_SIGNING_SECRET", ok=False, said=say("doctor.signing.unset"))


def _receipts(settings: Settings) -> Check:
    name = say("doctor.receipts.name")
    heard = [one for one, provider in registry.BY_NAME.items() if settings.secret(provider.SECRET)]
    if heard:
        return Check(name, ok=True, said=say("doctor.receipts.taken", providers=", ".join(heard)))
    known = ", ".join(provider.SECRET.upper() for provider in registry.BY_NAME.values())
    return Check(name, ok=None, said=say("doctor.receipts.unset", secrets=known))


def _mail(settings: Settings) -> Check:
    server = settings.secret("smtp_url")
    if server is None:
        return Check("SMTP_URL", ok=None, said=say("doctor.mail.unset"))
    try:
        return Check("SMTP_URL", ok=True, said=say("doctor.mail.accepted", server=check_server(server)))
    except UserError as problem:
        return Check("SMTP_URL", ok=False, said=say("doctor.mail.unusable", why=problem.sentence))


def _ingest(settings: Settings) -> Check:
    if settings.ingest_token:
        return Check("INGEST_TOKEN", ok=True, said=say("doctor.secret.set"))
    return Check("INGEST_TOKEN", ok=None, said=say("doctor.ingest.unset"))
