"""`cleanup-bot sync`: read the student information system now, with a report for people or for machines."""

import json
import shlex
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from bot.errors import UserError


def sync(
    path: Annotated[
        Path | None,
        typer.Argument(
            help="A OneRoster CSV bundle, a folder or a zip. Without it, the SIS in the settings.", show_default=False
        ),
    ] = None,
    *,
    contacts: Annotated[
        Path | None,
        typer.Option(help="A CSV with one contact of one student in each row. Without it, SIS_CONTACTS_CSV."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    confirm: Annotated[bool, typer.Option("--confirm", help="Apply the changes of a sync that was held.")] = False,
    whole: Annotated[bool, typer.Option("--whole", help="Read everything, not only what changed.")] = False,
    unless_same: Annotated[
        bool, typer.Option("--unless-same", help="Skip an export that has not changed, as the nightly sync does.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Report what would change, and change nothing. Exit code 1 if the sync would be held."
        ),
    ] = False,
) -> None:
    """Sync the roster from the student information system."""
    from rich.console import Console

    from bot.cli.database import open_database, open_direct
    from bot.cli.sync_report import progress_bars, render_report
    from bot.sis.choose_source import choose_source
    from bot.sis.oneroster_csv import Export
    from bot.sync.hold import SyncHeld
    from bot.sync.run import run_sync

    config, engine = open_database()
    source = Export(path) if path else choose_source(config)
    if source is None:
        raise typer.BadParameter(
            "no SIS is set. Give the PATH of an export, or set SIS_ONEROSTER_URL, SIS_ONEROSTER_CSV, or "
            "SIS_POWERSCHOOL_URL"
        )
    with progress_bars(Console(stderr=True)) as progress:
        try:
            report = run_sync(
                open_direct(config, engine),
                source,
                contacts=contacts or config.sis_contacts_csv,
                now=datetime.now(config.zone),
                region=config.phone_region,
                hold_percent=config.sync_brake_percent,
                confirm=confirm,
                whole_every=timedelta() if whole else config.sync_whole_every,
                unless_same=unless_same,
                dry_run=dry_run,
                progress=progress,
            )
        except SyncHeld as held:
            again = _confirm_command(path, contacts, whole=whole)
            raise UserError("sync.held", f"{held.sentence} To apply the changes: {again}") from held
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2, default=str))
    else:
        # The terminal wraps long lines, not rich: a rejection stays one line for a search of the output.
        Console().print(render_report(report), soft_wrap=True)
        if dry_run:
            typer.echo("This was a dry run. Nothing was written.")
    if report.hold_reasons:
        # The exit code of the sync itself, so that a script can ask first.
        raise typer.Exit(1)


def _confirm_command(path: Path | None, contacts: Path | None, *, whole: bool) -> str:
    arguments = [
        *([str(path)] if path else []),
        *(["--contacts", str(contacts)] if contacts else []),
        *(["--whole"] if whole else []),
        "--confirm",
    ]
    return f"cleanup-bot sync {shlex.join(arguments)}"
