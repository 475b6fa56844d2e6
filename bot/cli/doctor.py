"""`cleanup-bot doctor`: run every check, print a line for each."""

from datetime import UTC, datetime

import typer

from bot.errors import UserError

_MARKS = {True: "✓", False: "✗", None: "·"}


def doctor() -> None:
    """Check the settings, the database, Slack, and the SIS, and say how to fix what is wrong."""
    from bot import settings
    from bot.cli.checks import run_checks
    from bot.cli.database import database_url
    from bot.db.engine import build_engine

    try:
        config = settings.load()
    except UserError as error:
        raise UserError(error.code, f"{_MARKS[False]} {error.sentence}") from None
    typer.echo(f"{_MARKS[True]} Settings are valid.")
    checks = run_checks(config, build_engine(database_url(config)), now=datetime.now(UTC))
    for check in checks:
        typer.echo(f"{_MARKS[check.ok]} {check.name} {check.sentence}")
    if failed := sum(check.ok is False for check in checks):
        raise UserError("doctor.checks_failed", f"{failed} of {len(checks)} checks failed.")
