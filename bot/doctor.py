"""Is everything in place? One check a line, each saying what to do. `/readyz` asks those of the database, `doctor` all.

A check that is not needed here (`ok` is None) fails nothing: a district on Socket Mode has no signing secret.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from slack_sdk.errors import SlackApiError
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from bot import app, db, downloads, manifest, migrations, providers, roster
from bot.errors import UserError
from bot.models import last_synced_at
from bot.settings import Settings
from bot.sis import chosen
from bot.slack import refusals
from bot.wording import say

_SKEW = timedelta(seconds=60)


@dataclass(frozen=True)
class Check:
    """`said` is one sentence about `name`: what is, and where it is wrong what to do. `/readyz` answers under these names."""

    name: str
    ok: bool | None
    said: str


def ready(engine: Engine, *, now: datetime) -> list[Check]:
    """What a process needs before it may serve; where the database does not answer, only that."""
    reached = database(engine)
    return [reached, tables(engine), sis(engine, now=now)] if reached.ok else [reached]


def examine(settings: Settings, engine: Engine, *, now: datetime) -> list[Check]:
    """Every check, in the order in which to mend."""
    found = ready(engine, now=now)
    if found[0].ok:
        found.append(skew(say("doctor.clocks.database"), _database_time(engine), now))
    return [*found, sis_source(settings), *_slack(settings, now), *_secrets(settings)]


def database(engine: Engine) -> Check:
    try:
        with db.autocommitting(engine).connect() as connection:
            version = int(connection.scalar(text("SHOW server_version_num")) or 0) // 10_000
    except SQLAlchemyError:
        return Check("database", ok=False, said=say("doctor.database.silent"))
    if version < db.OLDEST_POSTGRESQL:
        said = say("doctor.database.too_old", version=version, oldest=db.OLDEST_POSTGRESQL)
        return Check("database", ok=False, said=said)
    return Check("database", ok=True, said=say("doctor.database.answers", version=version))


def tables(engine: Engine) -> Check:
    if migrations.is_current(engine):
        return Check("tables", ok=True, said=say("doctor.tables.current"))
    return Check("tables", ok=False, said=say("doctor.tables.other"))


def sis(engine: Engine, *, now: datetime) -> Check:
    """When the SIS was last read. Asked of tables that may not be there yet."""
    try:
        with db.autocommitting(engine).connect() as connection:
            last = connection.scalar(last_synced_at())
    except SQLAlchemyError:
        last = None
    if last is None:
        return Check("SIS", ok=False, said=say("doctor.sis.never"))
    hours = (now - last) // timedelta(hours=1)
    if now - last > roster.FRESH:
        return Check("SIS", ok=False, said=say("doctor.sis.long_ago", hours=hours))
    said = say("doctor.sis.hours_ago", hours) if hours else say("doctor.sis.just_now")
    return Check("SIS", ok=True, said=said)


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
        answer = app.slack_client(settings).auth_test()
    except SlackApiError as problem:
        return [Check(token, ok=False, said=say("doctor.slack_token.refused", error=refusals.word(problem)))]
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
    heard = [one for one, provider in providers.BY_NAME.items() if settings.secret(provider.SECRET)]
    if heard:
        return Check(name, ok=True, said=say("doctor.receipts.taken", providers=", ".join(heard)))
    known = ", ".join(provider.SECRET.upper() for provider in providers.BY_NAME.values())
    return Check(name, ok=None, said=say("doctor.receipts.unset", secrets=known))


def _mail(settings: Settings) -> Check:
    server = settings.secret("smtp_url")
    if server is None:
        return Check("SMTP_URL", ok=None, said=say("doctor.mail.unset"))
    try:
        return Check("SMTP_URL", ok=True, said=say("doctor.mail.accepted", server=downloads.try_out(server)))
    except UserError as problem:
        return Check("SMTP_URL", ok=False, said=say("doctor.mail.unusable", why=problem.sentence))


def _ingest(settings: Settings) -> Check:
    if settings.ingest_token:
        return Check("INGEST_TOKEN", ok=True, said=say("doctor.secret.set"))
    return Check("INGEST_TOKEN", ok=None, said=say("doctor.ingest.unset"))
