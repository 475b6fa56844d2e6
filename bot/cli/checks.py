"""The checks of `cleanup-bot doctor`, in the order in which to fix them; `/readyz` runs those of the database.

A check whose `ok` is None does not apply to this installation and fails nothing: Socket Mode needs no signing secret.
"""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError

from bot.app import slack_client
from bot.cli import manifest
from bot.db import pooler
from bot.db.connect_errors import describe_problem
from bot.db.engine import build_engine
from bot.downloads.mail import check_server
from bot.errors import UserError
from bot.providers import registry
from bot.providers.choose_log import choose_logs
from bot.settings import Settings
from bot.sis.choose_source import choose_source
from bot.sis.choose_writer import probe_aeries
from bot.slack.kit import api_errors
from bot.slack.kit.api_errors import Outcome
from bot.slack.student import counter
from bot.web.readiness import Check, readiness_checks

# Slack refuses a request whose timestamp is more than 300 s off.
_MAX_SKEW = timedelta(seconds=60)
_MIN_SECRET = 16


def run_checks(config: Settings, engine: Engine, *, now: datetime) -> list[Check]:
    checks = readiness_checks(engine, now=now, zone=config.zone)
    if checks[0].ok:
        with engine.connect() as connection:
            database_time = connection.scalar(select(func.clock_timestamp()))
        checks.append(clock_skew("clock and database", database_time, now))
        checks.append(check_pooling("DATABASE_URL", engine))
    if config.database_url_direct:
        checks.append(_direct_database(config.database_url_direct.get_secret_value()))
    return [
        *checks,
        check_sis(config),
        *check_write_back(config),
        *check_slack(config, now),
        _signing_secret(config),
        _ingest_token(config),
        _receipts(config),
        check_counter(config),
        *_logs(config),
        secret_lengths(config),
        check_mail(config),
    ]


def clock_skew(name: str, other: datetime | None, now: datetime) -> Check:
    """Compare another clock with ours; `other` is None where no time was given."""
    if other is None:
        return Check(name, ok=None, sentence="could not be compared: no time was given.")
    skew = abs(now - other)
    if skew <= _MAX_SKEW:
        return Check(name, ok=True, sentence="agree.")
    sentence = f"differ by {skew.total_seconds():,.0f} s. Turn on time synchronization; Slack accepts at most 300 s."
    return Check(name, ok=False, sentence=sentence)


def _direct_database(url: str) -> Check:
    name = "DATABASE_URL_DIRECT"
    try:
        engine = build_engine(url, setting=name)
        return check_pooling(name, engine)
    except UserError as error:
        return Check(name, ok=False, sentence=f"cannot be used: {error.sentence}")
    except DBAPIError as problem:
        return Check(name, ok=False, sentence=f"cannot be used: {describe_problem(problem, setting=name).sentence}")


def check_pooling(name: str, engine: Engine) -> Check:
    if pooler.is_pooled_by_transaction(engine):
        return Check(name, ok=False, sentence=pooler.POOLING_SENTENCE)
    return Check(name, ok=True, sentence="keeps a connection of the server for each of ours.")


def check_sis(config: Settings) -> Check:
    name = "SIS source"
    try:
        source = choose_source(config)
        if source is None:
            sentence = (
                "is not set, so there is no nightly sync. Set SIS_ONEROSTER_URL, SIS_ONEROSTER_CSV, or "
                "SIS_POWERSCHOOL_URL."
            )
            return Check(name, ok=None, sentence=sentence)
        return Check(name, ok=True, sentence=f"{source.name} {source.probe()}.")
    except UserError as error:
        return Check(name, ok=False, sentence=f"cannot be read: {error.sentence}")


def check_write_back(config: Settings) -> list[Check]:
    """Try the certificate with which Aeries takes new numbers. PowerSchool takes them from the plugin that reads the roster."""
    if config.sis_write_back != "aeries":
        return []
    name = "Aeries certificate"
    try:
        return [Check(name, ok=True, sentence=f"{probe_aeries(config)}.")]
    except UserError as error:
        return [Check(name, ok=False, sentence=f"cannot be used: {error.sentence}")]


def check_slack(config: Settings, now: datetime) -> list[Check]:
    name = "Slack token"
    if config.slack_bot_token is None:
        sentence = "is not set. Copy it from the app's page, under OAuth & Permissions, into SLACK_BOT_TOKEN."
        return [Check(name, ok=False, sentence=sentence)]
    result = api_errors.call(slack_client(config).auth_test)
    if (answer := result.answer) is None:
        if result.outcome in {Outcome.OURS, Outcome.REFUSED}:
            return [Check(name, ok=False, sentence=f"was refused ({result.error}). {result.advice}")]
        sentence = f"could not be checked: {config.slack_api_url} does not answer ({result.error})."
        return [Check(name, ok=False, sentence=sentence)]
    headers = {header.lower(): value for header, value in answer.headers.items()}
    date = headers.get("date")
    return [
        Check(name, ok=True, sentence=f"belongs to {answer.get('user')} in {answer.get('team')}."),
        _scopes(headers.get("x-oauth-scopes")),
        clock_skew("clock and Slack", parsedate_to_datetime(date) if date else None, now),
    ]


def _scopes(header: str | None) -> Check:
    name = "Slack scopes"
    if header is None:
        return Check(name, ok=None, sentence="were not listed by Slack.")
    granted = {scope.strip() for scope in header.split(",")}
    scopes = manifest.read()["oauth_config"]["scopes"]
    missing = [scope for scope in scopes["bot"] if scope not in granted]
    if required := [scope for scope in missing if scope not in scopes["bot_optional"]]:
        sentence = f"lack {', '.join(required)}. Add them on the app's page and install it again."
        return Check(name, ok=False, sentence=sentence)
    without = f", without the optional {', '.join(missing)}" if missing else ""
    return Check(name, ok=True, sentence=f"match the manifest{without}.")


def _signing_secret(config: Settings) -> Check:
    name = "SLACK_SIGNING_SECRET"
    if config.slack_signing_secret:
        return Check(name, ok=True, sentence="is set.")
    if config.slack_app_token:
        return Check(name, ok=None, sentence="is not set. Socket Mode does not need it.")
    sentence = (
        "is not set. Copy it from the app's page, under Basic Information, or set SLACK_APP_TOKEN for Socket Mode."
    )
    return Check(name, ok=False, sentence=sentence)


def _ingest_token(config: Settings) -> Check:
    if config.ingest_token:
        return Check("INGEST_TOKEN", ok=True, sentence="is set.")
    return Check(
        "INGEST_TOKEN", ok=None, sentence="is not set. Set it so that your messenger can register mass messages."
    )


def _receipts(config: Settings) -> Check:
    name = "delivery receipts"
    if accepted := [name for name, provider in registry.BY_NAME.items() if config.secret(provider.SECRET)]:
        return Check(name, ok=True, sentence=f"are accepted from {', '.join(accepted)}.")
    secrets = ", ".join(provider.SECRET.upper() for provider in registry.BY_NAME.values())
    return Check(name, ok=None, sentence=f"are accepted from no provider. Set the secret of yours: {secrets}.")


def check_counter(config: Settings) -> Check:
    """Say whether clerks are offered *Verify now*, which waits for a text of the family."""
    name = "verifying at the counter"
    if counter.is_offered(config):
        sentence = "is offered. It works once your provider forwards texts of families to its address here."
        return Check(name, ok=True, sentence=sentence)
    missing = "OPT_IN_NUMBER" if not config.opt_in_number else "the secret of a provider that forwards texts"
    return Check(name, ok=None, sentence=f"is not offered: {missing} is not set.")


def _logs(config: Settings) -> list[Check]:
    checks = []
    for provider, log in choose_logs(config).items():
        name = f"message log of {provider}"
        try:
            log.probe()
            checks.append(Check(name, ok=True, sentence="can be read."))
        except UserError as error:
            checks.append(Check(name, ok=False, sentence=f"cannot be read: {error.sentence}"))
    return checks


def secret_lengths(config: Settings) -> Check:
    """Check every secret with which a caller proves who it is; callers can try as many as they like."""
    secrets = {"slack_signing_secret": config.signing_secrets}
    for name in ("ingest_token", "metrics_token", *(provider.SECRET for provider in registry.BY_NAME.values())):
        if secret := config.secret(name):
            # Of `user:password`, only the password is secret.
            secrets[name] = (secret.partition(":")[2] if name.endswith("_basic_auth") else secret,)
    short = [name.upper() for name, values in secrets.items() if any(len(value) < _MIN_SECRET for value in values)]
    if not short:
        return Check("secrets", ok=True, sentence=f"have at least {_MIN_SECRET} characters.")
    sentence = (
        f"are too short to be safe from guessing: {', '.join(short)}. Copy those of a provider whole; for your own, use at least "
        f"{_MIN_SECRET} characters, such as those of: openssl rand -hex 32"
    )
    return Check("secrets", ok=False, sentence=sentence)


def _mail_sender(config: Settings) -> str | None:
    """Return an address that emails come from: everyone's own one, where MAIL_FROM is not set."""
    return config.mail_from or next(iter(config.admin_emails), None)


def check_mail(config: Settings) -> Check:
    server = config.secret("smtp_url")
    if server is None:
        return Check("SMTP_URL", ok=None, sentence="is not set. Downloaded lists are sent in direct messages.")
    try:
        return Check("SMTP_URL", ok=True, sentence=f"{check_server(server, _mail_sender(config))} accepts our mail.")
    except UserError as error:
        return Check("SMTP_URL", ok=False, sentence=f"cannot be used: {error.sentence}")
