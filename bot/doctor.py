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

_SKEW = timedelta(seconds=60)


@dataclass(frozen=True)
class Check:
    """`said` is one sentence: what is, and where it is wrong what to do."""

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
        found.append(skew("clock and database", _database_time(engine), now))
    return [*found, sis_source(settings), *_slack(settings, now), *_secrets(settings)]


def database(engine: Engine) -> Check:
    try:
        with engine.connect() as connection:
            version = int(connection.scalar(text("SHOW server_version_num")) or 0) // 10_000
    except SQLAlchemyError:
        return Check("database", ok=False, said="does not answer; check DATABASE_URL and that PostgreSQL runs.")
    if version < db.OLDEST_POSTGRESQL:
        return Check(
            "database", ok=False, said=f"is PostgreSQL {version}; version {db.OLDEST_POSTGRESQL} or newer is needed."
        )
    return Check("database", ok=True, said=f"PostgreSQL {version} answers.")


def tables(engine: Engine) -> Check:
    if migrations.is_current(engine):
        return Check("tables", ok=True, said="are those of this version.")
    return Check("tables", ok=False, said="are not those of this version; run: cleanup-bot migrate")


def sis(engine: Engine, *, now: datetime) -> Check:
    """When the SIS was last read. Asked of tables that may not be there yet."""
    try:
        with engine.connect() as connection:
            last = connection.scalar(last_synced_at())
    except SQLAlchemyError:
        last = None
    if last is None:
        return Check("SIS", ok=False, said="was never read; run: cleanup-bot sync PATH")
    hours = (now - last) // timedelta(hours=1)
    if now - last > roster.FRESH:
        return Check(
            "SIS", ok=False, said=f"was last read {hours} hours ago; look at the clock process and the export."
        )
    return Check("SIS", ok=True, said=f"was read {hours} hours ago." if hours else "was read within the hour.")


def sis_source(settings: Settings) -> Check:
    """Whether the SIS that is set can be read now."""
    try:
        source = chosen.source_of(settings)
        if source is None:
            return Check("SIS source", ok=None, said=_NO_SOURCE)
        return Check("SIS source", ok=True, said=f"{source.name} {source.try_out()}.")
    except UserError as problem:
        return Check("SIS source", ok=False, said=f"cannot be read: {problem.sentence}")


_NO_SOURCE = "is not set, so nothing is synced at night; set SIS_ONEROSTER_URL or SIS_ONEROSTER_CSV."


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
    if settings.slack_bot_token is None:
        said = "SLACK_BOT_TOKEN is not set; copy it from the app's page, under OAuth & Permissions."
        return [Check("Slack token", ok=False, said=said)]
    try:
        answer = app.slack_client(settings).auth_test()
    except SlackApiError as problem:
        said = f"is refused ({problem.response['error']}); install the app again and copy the new token."
        return [Check("Slack token", ok=False, said=said)]
    except OSError:
        return [Check("Slack token", ok=False, said=f"could not be tried: {settings.slack_api_url} does not answer.")]
    headers = {name.lower(): value for name, value in answer.headers.items()}
    said_at = headers.get("date")
    return [
        Check("Slack token", ok=True, said=f"belongs to {answer.get('user')} in {answer.get('team')}."),
        _scopes(headers.get("x-oauth-scopes")),
        skew("clock and Slack", parsedate_to_datetime(said_at) if said_at else None, now),
    ]


def _scopes(granted: str | None) -> Check:
    if granted is None:
        return Check("Slack scopes", ok=None, said="were not told by Slack.")
    wanted = manifest.read()["oauth_config"]["scopes"]
    have = {scope.strip() for scope in granted.split(",")}
    missing = [scope for scope in wanted["bot"] if scope not in have]
    if needed := [scope for scope in missing if scope not in wanted["bot_optional"]]:
        said = f"lack {', '.join(needed)}; add them on the app's page and install it again."
        return Check("Slack scopes", ok=False, said=said)
    without = f" (without the optional {', '.join(missing)})" if missing else ""
    return Check("Slack scopes", ok=True, said=f"are those of the manifest{without}.")


def _secrets(settings: Settings) -> list[Check]:
    return [_signing(settings), _ingest(settings), _receipts(settings), _mail(settings)]


def _signing(settings: Settings) -> Check:
    if settings.slack_signing_secret:
        return Check("SLACK_SIGNING_SECRET", ok=True, said="is set.")
    if settings.slack_app_token:
        return Check("SLACK_SIGNING_SECRET", ok=None, said="is not set; Socket Mode needs none.")
    said = "is not set; copy it from the app's page, under Basic Information (or set SLACK_APP_TOKEN for Socket Mode)."
    return Check("SLACK_SIGNING_SECRET", ok=False, said=said)


def _receipts(settings: Settings) -> Check:
    heard = [name for name, provider in providers.BY_NAME.items() if settings.secret(provider.SECRET)]
    if heard:
        return Check("receipts", ok=True, said=f"are taken from {', '.join(heard)}.")
    known = ", ".join(provider.SECRET.upper() for provider in providers.BY_NAME.values())
    return Check("receipts", ok=None, said=f"are taken from no provider; set the secret of yours ({known}).")


def _mail(settings: Settings) -> Check:
    server = settings.secret("smtp_url")
    if server is None:
        said = "is not set; lists that staff download are sent in direct messages."
        return Check("SMTP_URL", ok=None, said=said)
    try:
        return Check("SMTP_URL", ok=True, said=f"{downloads.try_out(server)} takes our mail.")
    except UserError as problem:
        return Check("SMTP_URL", ok=False, said=f"cannot be used: {problem.sentence}")


def _ingest(settings: Settings) -> Check:
    if settings.ingest_token:
        return Check("INGEST_TOKEN", ok=True, said="is set.")
    said = "is not set; set it so that your sender can register mass messages."
    return Check("INGEST_TOKEN", ok=None, said=said)
