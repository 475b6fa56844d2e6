"""`cleanup-bot init`: asks for the settings that an installation needs, checks each live, and writes a commented `.env`."""

import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import typer
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.cli import checks
from bot.db.connect_errors import describe_problem
from bot.db.engine import build_engine, wait_until_ready
from bot.errors import UserError
from bot.providers import registry
from bot.settings import Settings
from bot.web.readiness import Check

_MARKS = {True: "✓", False: "✗", None: "·"}
_FILE = Path(".env")


@dataclass(frozen=True)
class _Question:
    """`setting` is asked for with `words`; `check` says whether the answers so far work. A blank answer leaves it out."""

    setting: str
    words: str
    comment: str
    check: Callable[[Settings], Sequence[Check]] | None = None
    default: str = ""
    is_secret: bool = False


def init() -> None:
    """Ask for the settings, check each answer, and write them to .env in this folder."""
    if _FILE.exists():
        sentence = f"{_FILE} exists already. Edit it (docs/settings.md), and check it with cleanup-bot doctor."
        raise UserError("init.exists", sentence)
    typer.echo("Each answer is checked at once. Press Enter to leave something out; you can add it later.\n")
    answers: dict[str, str] = {}
    for question in _questions():
        _ask(question, answers)
    provider = _ask_provider()
    if provider:
        answers |= provider
    answers["INGEST_TOKEN"] = secrets.token_hex(32)
    write(answers)
    typer.echo(f"\nWritten to {_FILE}, readable only by you. Next: cleanup-bot migrate, then cleanup-bot doctor.")


def _questions() -> list[_Question]:
    return [
        _Question(
            "DATABASE_URL",
            "Database (postgresql://user:password@host:5432/database)",
            "PostgreSQL 15 or newer.",
            _check_database,
            is_secret=True,
        ),
        _Question(
            "SLACK_BOT_TOKEN",
            "Bot token of the Slack app (OAuth & Permissions, xoxb-...)",
            "From OAuth & Permissions of the Slack app, which `cleanup-bot manifest` describes.",
            lambda config: checks.check_slack(config, datetime.now(UTC)),
            is_secret=True,
        ),
        _Question(
            "SLACK_SIGNING_SECRET",
            "Signing secret of the Slack app (Basic Information)",
            "From Basic Information of the Slack app.",
            lambda config: [checks.secret_lengths(config)],
            is_secret=True,
        ),
        _Question(
            "SIS_ONEROSTER_CSV",
            "Folder or zip with the SIS's OneRoster export (blank for another way, see docs/sis)",
            "The roster; other ways into an SIS are in docs/sis.",
            lambda config: [checks.check_sis(config)],
        ),
        _Question("TIMEZONE", "Time zone of the district", "IANA name.", default=_own_time_zone()),
        _Question("ADMIN_EMAILS", "Emails of administrators, separated by commas", "They see everything."),
        _Question(
            "SMTP_URL",
            "Mail server for downloaded lists (smtp://user:password@host:587, or blank)",
            "Without it, lists are sent in direct messages.",
            lambda config: [checks.check_mail(config)],
            is_secret=True,
        ),
    ]


def _own_time_zone() -> str:
    """Return this machine's time zone, or that of most districts."""
    name = str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]
    return name if name in available_timezones() and "/" in name else "America/Chicago"


def _ask(question: _Question, answers: dict[str, str]) -> None:
    """Ask until the answer works, is left out, or is kept all the same."""
    while True:
        value = typer.prompt(
            question.words, default=question.default, show_default=bool(question.default), hide_input=question.is_secret
        ).strip()
        if not value:
            return
        found = _try(question, answers | {question.setting: value})
        for check in found:
            typer.echo(f"  {_MARKS[check.ok]} {check.name} {check.sentence}")
        if all(check.ok is not False for check in found) or typer.confirm("  Keep it anyway?", default=False):
            answers[question.setting] = value
            return


def _try(question: _Question, answers: dict[str, str]) -> Sequence[Check]:
    values: dict[str, Any] = {name.lower(): value for name, value in answers.items()}
    try:
        config = Settings(_env_file=None, **values)
    except ValidationError as invalid:
        reason = invalid.errors()[0]["msg"].removeprefix("Value error, ")
        return [Check(question.setting, ok=False, sentence=f"{reason}.")]
    return question.check(config) if question.check else []


def _check_database(config: Settings) -> Sequence[Check]:
    """Check that the database answers, that we may create tables there, and that no pooler mixes our statements."""
    name = "database"
    try:
        engine = build_engine(config.secret("database_url") or "")
        wait_until_ready(engine, seconds=3)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE may_create_tables ()"))
            connection.execute(text("DROP TABLE may_create_tables"))
    except UserError as error:
        return [Check(name, ok=False, sentence=f"cannot be used. {error.sentence}")]
    except DBAPIError as problem:
        return [Check(name, ok=False, sentence=f"cannot be used. {describe_problem(problem).sentence}")]
    return [Check(name, ok=True, sentence="answers, and its tables can be created.")]


def _ask_provider() -> dict[str, str]:
    names = ", ".join(registry.BY_NAME)
    name = typer.prompt(
        f"SMS provider whose delivery receipts we take ({names}; or blank)", default="", show_default=False
    )
    provider = registry.BY_NAME.get(name.strip().lower())
    if provider is None:
        if name.strip():
            typer.echo("  · That one is not known. See docs/messengers.md for other ways.")
        return {}
    setting = provider.SECRET.upper()
    value = typer.prompt(
        f"{setting} (docs/settings.md says where it is)", default="", show_default=False, hide_input=True
    )
    return {setting: value.strip()} if value.strip() else {}


def write(answers: dict[str, str]) -> None:
    comments = {question.setting: question.comment for question in _questions()}
    comments["INGEST_TOKEN"] = "Bearer token of POST /mass-messages and POST /opt-outs; made just now."  # noqa: S105 - no secret.
    lines = ["# Settings of Contact Cleanup; all of them: docs/settings.md"]
    for setting, value in answers.items():
        lines += [
            "",
            f"# {comments.get(setting, 'Turns on the delivery receipts of this provider.')}",
            f"{setting}={_quoted(value)}",
        ]
    descriptor = os.open(_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def _quoted(value: str) -> str:
    """Return a value as `.env` files write it: in quotes where a sign in it has a meaning there."""
    if value.isascii() and not set(value) & set(" #'\"\\$`"):
        return value
    # `${NAME}` is replaced even in quotes, here by its default: the dollar sign.
    literal = value.replace("\\", "\\\\").replace("'", "\\'").replace("${", "${:-$}{")
    return f"'{literal}'"
